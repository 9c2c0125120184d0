"""The working day as pure tables: which state follows which, and who may do what. No storage, no text of pages."""
