"""Chinese text: normalisation, tokenising, the technology thesaurus."""
