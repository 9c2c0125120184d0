"""The nouns: records as they are stored, what matching makes of them, and what moves during a working day.

Everything here is a frozen dataclass without behaviour beyond trivial properties; no input/output, no third-party
import. Dates are calendar dates (``_on``), times are UTC (``_at``), money is 万元 (``_wan``).
"""

from __future__ import annotations

from matcher.models.matching import (
    Bridge,
    Evidence,
    Exclusion,
    Facet,
    Match,
    PracticalSignal,
    RequirementLine,
    Run,
    Shortlist,
    ShortlistItem,
)
from matcher.models.records import (
    Cooperation,
    Expert,
    Firm,
    Institution,
    Issue,
    Need,
    Record,
    Work,
)
from matcher.models.workday import (
    Account,
    Attachment,
    Draft,
    Engagement,
    Interest,
    Person,
)

__all__ = [
    "Account",
    "Attachment",
    "Bridge",
    "Cooperation",
    "Draft",
    "Engagement",
    "Evidence",
    "Exclusion",
    "Expert",
    "Facet",
    "Firm",
    "Institution",
    "Interest",
    "Issue",
    "Match",
    "Need",
    "Person",
    "PracticalSignal",
    "Record",
    "RequirementLine",
    "Run",
    "Shortlist",
    "ShortlistItem",
    "Work",
]
