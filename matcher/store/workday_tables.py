"""Tables of people and of the working day, beside those of ``tables``.

Owns names, types, constraints and indexes, as ``tables`` does. Needs and experts stay plain ids, so that a 对接 or an
answer survives the record it points to.
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
    LargeBinary,
    Table,
    Text,
    text,
)

from matcher.store.schema import UtcDateTime, json_value, key, metadata, moment, serial, texts

_OPEN_PAIR = "stage IN ('已推荐', '对接中', '洽谈', '签约')"
"""One pairing has at most one 对接 that is not over."""
_OPEN_INTEREST = "state IN ('已提交', '已采纳')"

record_history = Table(
    "record_history",
    metadata,
    serial("history_id"),
    *texts("kind", "record_id"),
    Column("version", Integer, nullable=False),
    json_value("content"),
    moment("replaced_at"),
    Index(None, "kind", "record_id"),
)
"""What a record was before each change; its present content is in its own table."""

accounts = Table(
    "accounts",
    metadata,
    key("login"),
    *texts("name", "role", "firm_id", "institution_id", "expert_id", "password_hash"),
    Column("must_change", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
    moment("created_at"),
    Column("signed_in_at", UtcDateTime),
    Column("version", Integer, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    key("token_hash"),
    Column("login", Text, ForeignKey(accounts.c.login, ondelete="CASCADE"), nullable=False),
    moment("created_at"),
    moment("seen_at"),
    moment("expires_at"),
    Index(None, "login"),
)

drafts = Table(
    "drafts",
    metadata,
    key("draft_id"),
    *texts("need_id", "firm_id", "author"),
    json_value("content"),
    moment("updated_at"),
    Column("version", Integer, nullable=False),
    Index(None, "firm_id"),
    Index(None, "need_id"),
)

engagements = Table(
    "engagements",
    metadata,
    key("engagement_id"),
    *texts("need_id", "expert_id", "firm_id", "institution_id"),
    *texts("firm", "institution", "need_title", "expert_name", "stage", "owner"),
    moment("created_at"),
    moment("stage_since"),
    moment("touched_at"),
    *texts("next_action"),
    Column("due_on", Date),
    *texts("contract_kind", "contract_no"),
    Column("signed_on", Date),
    Column("signed_wan", Double),
    Column("paid_wan", Double),
    Column("landed_on", Date),
    Column("ended_on", Date),
    *texts("end_reason", "note", "run_id", "data_kind"),
    Column("version", Integer, nullable=False),
    Index(None, "stage"),
    Index(None, "owner"),
    Index(None, "firm_id"),
    Index(None, "expert_id"),
    Index(
        "uq_engagements_open_pair",
        "need_id",
        "expert_id",
        unique=True,
        sqlite_where=text(_OPEN_PAIR),
        postgresql_where=text(_OPEN_PAIR),
    ),
)

interests = Table(
    "interests",
    metadata,
    key("interest_id"),
    *texts("need_id", "expert_id", "institution_id", "approach", "foundation", "plan", "terms", "state"),
    *texts("sent_by"),
    moment("sent_at"),
    moment("updated_at"),
    *texts("reply"),
    Column("version", Integer, nullable=False),
    Index(None, "expert_id"),
    Index(
        "uq_interests_open_pair",
        "need_id",
        "expert_id",
        unique=True,
        sqlite_where=text(_OPEN_INTEREST),
        postgresql_where=text(_OPEN_INTEREST),
    ),
)

attachments = Table(
    "attachments",
    metadata,
    key("attachment_id"),
    *texts("engagement_id", "name"),
    Column("size", Integer, nullable=False),
    *texts("sha256", "uploaded_by"),
    moment("uploaded_at"),
    Column("content", LargeBinary, nullable=False),
    Index(None, "engagement_id"),
)
