"""The database's tables, as SQLAlchemy Core sees them.

Owns names, types, constraints and indexes of the newest schema; ``migrations`` brings a file there.
Columns of the six record tables are named as the dataclass fields of ``matcher.models``.
Deliberately holds no queries and nothing that only one database understands. Works have no
foreign key to experts: the order of imports is free, and ``WorkRepository.orphans`` finds what is
left over.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from matcher.store.schema import bookkeeping, json_value, key, metadata, moment, serial, text_list, texts

needs = Table(
    "needs",
    metadata,
    key("need_id"),
    *texts("company", "title", "problem", "town", "sector", "key_tech", "goal"),
    text_list("keywords"),
    *texts("solution_mode", "call_type", "intended_partner"),
    Column("budget_wan", Double),
    Column("start_on", Date),
    Column("end_on", Date),
    *texts("confidentiality", "contact", "phone", "status"),
    Column("posted_on", Date),
    *texts("data_kind", "source", "firm_id"),
    *bookkeeping(),
    Index(None, "company"),
    Index(None, "status"),
    Index(None, "firm_id"),
)

experts = Table(
    "experts",
    metadata,
    key("expert_id"),
    *texts("name", "institution", "department", "ring", "position"),
    *(text_list(name) for name in ("disciplines", "research_directions", "achievements", "keywords")),
    *texts("industry_experience"),
    Column("capacity", Integer),
    *texts("contact", "homepage", "data_kind", "source"),
    Column("updated_on", Date),
    *texts("institution_id"),
    *bookkeeping(),
    Index(None, "institution"),
    Index(None, "institution_id"),
)

works = Table(
    "works",
    metadata,
    key("work_id"),
    *texts("expert_id", "kind", "title"),
    Column("year", Integer),
    *texts("abstract", "source"),
    *bookkeeping(),
    Index(None, "expert_id"),
)

firms = Table(
    "firms",
    metadata,
    key("firm_id"),
    *texts("name"),
    text_list("aliases"),
    *texts("credit_code", "town", "sector", "size"),
    Column("chain_leader", Boolean, nullable=False),
    *texts("data_kind", "source"),
    *bookkeeping(),
    Index(None, "name"),
)

institutions = Table(
    "institutions",
    metadata,
    key("institution_id"),
    *texts("name"),
    text_list("aliases"),
    *texts("city", "ring"),
    Column("travel_days", Double),
    *texts("source"),
    *bookkeeping(),
    Index(None, "name"),
)

cooperation = Table(
    "cooperation",
    metadata,
    key("cooperation_id"),
    *texts("firm", "institution", "expert_id", "title", "stage"),
    Column("signed_on", Date),
    *texts("contract_no"),
    Column("amount_wan", Double),
    *texts("kind", "data_kind", "source"),
    *bookkeeping(),
    Index(None, "firm"),
    Index(None, "expert_id"),
)

changes = Table(
    "changes",
    metadata,
    serial("revision"),
    *texts("kind", "record_id", "op"),
    moment("at"),
    Index(None, "kind", "record_id"),
)

decisions = Table(
    "decisions",
    metadata,
    serial("decision_id"),
    *texts("need_id", "expert_id", "kind", "reason", "note", "run_id"),
    moment("decided_at"),
    *texts("decided_by"),
    Index(None, "need_id", "expert_id"),
    Index(None, "expert_id"),
)

runs = Table(
    "runs",
    metadata,
    key("run_id"),
    moment("created_at"),
    *texts("direction", "query", "encoder", "data_revision"),
    *(json_value(name) for name in ("parameters", "degraded", "matches")),
    Index(None, "created_at"),
)

shortlists = Table(
    "shortlists",
    metadata,
    key("shortlist_id"),
    *texts("name"),
    moment("created_at"),
    moment("updated_at"),
    *texts("note"),
    Column("version", Integer, nullable=False),
    UniqueConstraint("name"),
)

shortlist_items = Table(
    "shortlist_items",
    metadata,
    Column(
        "shortlist_id",
        Text,
        ForeignKey(shortlists.c.shortlist_id, ondelete="CASCADE"),
        primary_key=True,
    ),
    key("need_id"),
    key("expert_id"),
    Column("score", Double, nullable=False),
    *texts("run_id"),
    moment("added_at"),
    *texts("note"),
    json_value("contributions"),
    json_value("evidence"),
    Index(None, "need_id", "expert_id"),
)

audit_events = Table(
    "audit_events",
    metadata,
    serial("event_id"),
    moment("at"),
    *texts("actor", "action", "object_kind", "object_id"),
    json_value("detail"),
    Index(None, "object_kind", "object_id"),
)

column_mappings = Table(
    "column_mappings",
    metadata,
    key("kind"),
    key("header"),
    *texts("column_name"),
    moment("used_at"),
)

settings = Table("settings", metadata, key("key"), json_value("value"))
