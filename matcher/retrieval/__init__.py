"""Find: pools of facets, the lexical, dense and thesaurus channels, their fusion and the index on disk."""
