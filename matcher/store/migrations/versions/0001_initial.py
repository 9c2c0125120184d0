"""The first schema.

Written by hand and frozen: it repeats ``tables`` on purpose, so that later changes there cannot
alter what a file of today becomes.
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
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

revision: str = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None

# Table → columns: "name" is required text, "name:type" required, "name:type?" may be empty.
_TABLES: dict[str, str] = {
    "needs": """
        need_id company title problem town sector key_tech goal keywords solution_mode call_type
        intended_partner budget_wan:double? start_on:date? end_on:date? confidentiality contact
        phone status posted_on:date? data_kind source""",
    "experts": """
        expert_id name institution department ring position disciplines research_directions
        achievements keywords industry_experience capacity:integer? contact homepage data_kind
        source updated_on:date?""",
    "works": """
        work_id expert_id kind title year:integer? abstract source""",
    "firms": """
        firm_id name aliases credit_code town sector size chain_leader:boolean data_kind source""",
    "institutions": """
        institution_id name aliases city ring travel_days:double? source""",
    "cooperation": """
        cooperation_id firm institution expert_id title stage signed_on:date? contract_no
        amount_wan:double? kind data_kind source""",
}
_BOOKKEEPING = " content_hash version:integer created_at:time updated_at:time"
_OTHERS: dict[str, str] = {
    "changes": "revision:integer kind record_id op at:time",
    "decisions": """
        decision_id:integer need_id expert_id kind reason note run_id decided_at:time
        decided_by""",
    "runs": """
        run_id created_at:time direction query encoder data_revision parameters degraded
        matches""",
    "shortlists": "shortlist_id name created_at:time updated_at:time note version:integer",
    "shortlist_items": """
        shortlist_id need_id expert_id score:double run_id added_at:time note contributions
        evidence""",
    "audit_events": "event_id:integer at:time actor action object_kind object_id detail",
    "column_mappings": "kind header column_name used_at:time",
    "settings": "key value",
}
_KEYS = {
    "shortlist_items": ("shortlist_id", "need_id", "expert_id"),
    "column_mappings": ("kind", "header"),
}
_INDEXES = (
    ("needs", "company"),
    ("needs", "status"),
    ("experts", "institution"),
    ("works", "expert_id"),
    ("firms", "name"),
    ("institutions", "name"),
    ("cooperation", "firm"),
    ("cooperation", "expert_id"),
    ("changes", "kind", "record_id"),
    ("decisions", "need_id", "expert_id"),
    ("decisions", "expert_id"),
    ("runs", "created_at"),
    ("shortlist_items", "need_id", "expert_id"),
    ("audit_events", "object_kind", "object_id"),
)
_TYPES = {
    "text": Text,
    "integer": Integer,
    "double": Double,
    "boolean": Boolean,
    "date": Date,
    "time": DateTime,
}


def upgrade() -> None:
    """Create every table and index."""
    records = {name: columns + _BOOKKEEPING for name, columns in _TABLES.items()}
    for table, columns in (records | _OTHERS).items():
        op.create_table(table, *map(_column, columns.split()), *_constraints(table, columns))
    for table, *names in _INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(names)}", table, names)


def downgrade() -> None:
    """Drop everything; the items go before the shortlists they point to."""
    for table in reversed([*_TABLES, *_OTHERS]):
        op.drop_table(table)


def _column(text: str) -> Column[object]:
    name, _, kind = text.partition(":")
    return Column(name, _TYPES[kind.rstrip("?") or "text"](), nullable=kind.endswith("?"))


def _constraints(
    table: str, columns: str
) -> list[PrimaryKeyConstraint | UniqueConstraint | ForeignKeyConstraint]:
    first = columns.split(maxsplit=1)[0].partition(":")[0]
    found: list[PrimaryKeyConstraint | UniqueConstraint | ForeignKeyConstraint] = [
        PrimaryKeyConstraint(*_KEYS.get(table, (first,)), name=f"pk_{table}")
    ]
    if table == "shortlists":
        found.append(UniqueConstraint("name", name="uq_shortlists_name"))
    if table == "shortlist_items":
        found.append(
            ForeignKeyConstraint(
                ["shortlist_id"],
                ["shortlists.shortlist_id"],
                name="fk_shortlist_items_shortlist_id",
                ondelete="CASCADE",
            )
        )
    return found
