"""What Alembic runs: the migrations, on the connection and in the transaction it is handed.

Deliberately opens no connection and configures no logging: ``matcher.store.migrations``
does the one, the program the other.
"""

from __future__ import annotations

from alembic import context

from matcher.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
)
with context.begin_transaction():
    context.run_migrations()
