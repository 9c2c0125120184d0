"""docs/roles.md holds the permission table as the program has it."""

from __future__ import annotations

import sys
from pathlib import Path

from matcher.vocab import Role
from matcher.workflow.permissions import TABLE, Scope

PAGE = Path(__file__).resolve().parents[2] / "docs" / "roles.md"
BEGIN, END = "<!-- 权限表 -->\n", "<!-- 权限表完 -->"


def table() -> str:
    """The permission table as Markdown."""
    lines = ["| 动作 | " + " | ".join(Role) + " |", "|---|" + "---|" * len(Role)]
    for action, row in TABLE.items():
        cells = [row.get(role, Scope.NONE) for role in Role]
        shown = ["—" if scope is Scope.NONE else scope.value for scope in cells]
        lines.append(f"| {action.value} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


def test_the_page_shows_the_table() -> None:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    shown, found, _ = rest.partition(END)
    assert found
    assert shown == table(), "write it anew: PYTHONPATH=. python tests/docs/test_roles.py"


if __name__ == "__main__":
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(head + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")
    sys.exit(0)
