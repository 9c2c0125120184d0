"""Reading the tables bureaus really send: file → table → records with a list of problems."""
