"""Which registered institution a cell names.

Owns the comparison of a written institution with names and aliases, alone or followed by a
department. Deliberately changes no record.
"""

from __future__ import annotations

from collections.abc import Sequence

from matcher.models import Institution
from matcher.text.normalise import normalise

_SHORT = 4
_DEPARTMENTS = ("学院", "系", "学部")
# Followed by these, the name belongs to another organisation or to another campus.
_OTHER_ORGANISATIONS = ("公司", "集团", "校区", "分校")


class Registry:
    """Names and aliases of the registered institutions; a name goes before an alias, a shared alias means none."""

    def __init__(self, institutions: Sequence[Institution]) -> None:
        aliases: dict[str, list[Institution]] = {}
        for institution in institutions:
            for alias in {normalise(alias) for alias in institution.aliases} - {""}:
                aliases.setdefault(alias, []).append(institution)
        self._by_name = {alias: found[0] for alias, found in aliases.items() if len(found) == 1}
        self._by_name |= {normalise(institution.name): institution for institution in institutions}
        self._longest = max(map(len, self._by_name), default=0)
        self._cache: dict[str, tuple[Institution | None, str]] = {}

    def exact(self, text: str) -> Institution | None:
        """The institution with exactly this name or alias."""
        return self._by_name.get(normalise(text))

    def find(self, text: str) -> tuple[Institution | None, str]:
        """The institution written, and what follows its name: 青岛农业大学食品学院 → 青岛农业大学, 食品学院.

        The longest name or alias that the text begins with counts. A short alias (重大, 海大) needs a
        department behind it, because other organisations begin with the same characters.
        """
        if text not in self._cache:
            self._cache[text] = self._find(text)
        return self._cache[text]

    def _find(self, text: str) -> tuple[Institution | None, str]:
        found = self.exact(text)
        if found is not None:
            return found, ""
        for end in range(len(text) - 1, 1, -1):
            start = normalise(text[:end])
            if len(start) > self._longest or start not in self._by_name:
                continue
            rest = text[end:].strip(" \u3000-—·,，、/")
            if rest[:1] in ("(", "（") and rest[1:-1].endswith(_DEPARTMENTS):
                rest = rest[1:-1]
            if self._is_department(start, rest):
                return self._by_name[start], rest
        return None, ""

    @staticmethod
    def _is_department(name: str, rest: str) -> bool:
        if not rest or rest[0] in "(（" or rest.endswith(_OTHER_ORGANISATIONS):
            return False
        return len(name) >= _SHORT or rest.endswith(_DEPARTMENTS)
