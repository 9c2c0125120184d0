"""产学研智能匹配平台: match firms' technical needs with university teams.

Importing this package loads nothing heavy; see ``docs/architecture.md`` for the layers.
"""

__version__ = "0.3.0"
