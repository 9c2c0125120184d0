"""Use cases: what pages and commands may ask for. Each opens its own transaction and checks what it is given."""
