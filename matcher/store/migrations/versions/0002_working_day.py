"""People, drafts, 对接, 揭榜, attachments, and what records were before.

Written by hand and frozen, as the first one. Owners (``firm_id``, ``institution_id``) start empty: the program fills
them from the names when it opens the database, with the same rule as for an import.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    text,
)

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels = None
depends_on = None

# Table → columns: "name" is required text, "name:type" required, "name:type?" may be empty.
_TABLES: dict[str, str] = {
    "record_history": "history_id:integer kind record_id version:integer content replaced_at:time",
    "accounts": """
        login name role firm_id institution_id expert_id password_hash must_change:boolean
        disabled:boolean failures:integer locked_until:time? created_at:time signed_in_at:time?
        version:integer""",
    "sessions": "token_hash login created_at:time seen_at:time expires_at:time",
    "drafts": "draft_id need_id firm_id author content updated_at:time version:integer",
    "engagements": """
        engagement_id need_id expert_id firm_id institution_id firm institution need_title
        expert_name stage owner created_at:time stage_since:time touched_at:time next_action
        due_on:date? contract_kind contract_no signed_on:date? signed_wan:double? paid_wan:double?
        landed_on:date? ended_on:date? end_reason note run_id data_kind version:integer""",
    "interests": """
        interest_id need_id expert_id institution_id approach foundation plan terms state sent_by
        sent_at:time updated_at:time reply version:integer""",
    "attachments": """
        attachment_id engagement_id name size:integer sha256 uploaded_by uploaded_at:time
        content:binary""",
}
_OWNERS = (("needs", "firm_id"), ("experts", "institution_id"))
_INDEXES = (
    *_OWNERS,
    ("record_history", "kind", "record_id"),
    ("sessions", "login"),
    ("drafts", "firm_id"),
    ("drafts", "need_id"),
    ("engagements", "stage"),
    ("engagements", "owner"),
    ("engagements", "firm_id"),
    ("engagements", "expert_id"),
    ("interests", "expert_id"),
    ("attachments", "engagement_id"),
)
_OPEN = {
    "engagements": "stage IN ('已推荐', '对接中', '洽谈', '签约')",
    "interests": "state IN ('已提交', '已采纳')",
}
_TYPES = {
    "text": Text,
    "integer": Integer,
    "double": Double,
    "boolean": Boolean,
    "date": Date,
    "time": DateTime,
    "binary": LargeBinary,
}


def upgrade() -> None:
    """Add two columns to the records, then the tables."""
    for table, name in _OWNERS:
        op.add_column(table, Column(name, Text(), nullable=False, server_default=""))
    for table, columns in _TABLES.items():
        cells = [_column(item) for item in columns.split()]
        keys: list[PrimaryKeyConstraint | ForeignKeyConstraint] = [
            PrimaryKeyConstraint(cells[0].name, name=f"pk_{table}")
        ]
        if table == "sessions":
            keys.append(
                ForeignKeyConstraint(
                    ["login"], ["accounts.login"], name="fk_sessions_login", ondelete="CASCADE"
                )
            )
        op.create_table(table, *cells, *keys)
    for table, *names in _INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(names)}", table, names)
    for table, where in _OPEN.items():
        op.create_index(
            f"uq_{table}_open_pair",
            table,
            ["need_id", "expert_id"],
            unique=True,
            sqlite_where=text(where),
            postgresql_where=text(where),
        )


def downgrade() -> None:
    """Drop the tables, then the two columns with their indexes."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    for table, name in _OWNERS:
        op.drop_index(f"ix_{table}_{name}", table)
        op.drop_column(table, name)


def _column(item: str) -> Column[object]:
    name, _, kind = item.partition(":")
    return Column(name, _TYPES[kind.rstrip("?") or "text"](), nullable=kind.endswith("?"))
