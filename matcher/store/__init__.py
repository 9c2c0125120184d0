"""Storage: tables, migrations, the database handle and the repositories over it."""
