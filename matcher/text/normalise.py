"""Bring text into one form, and cut it into sentences and phrases.

Owns everything done to a text before it is tokenised or embedded. ``TEXT_VERSION`` is part of every index manifest:
raise it whenever a function here changes its output.
"""

from __future__ import annotations

import re
import unicodedata

TEXT_VERSION = "2"

_SPACE = re.compile(r"[ \t\u3000\xa0]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f]")
_SENTENCE_END = re.compile(r"[。！？!?；;\n\r]+")
_PHRASE_END = re.compile(r"[；;、|\n\r]+")
_LETTER = re.compile(r"[\u3400-\u9fffa-z0-9]")


def normalise(text: str) -> str:
    """Fold width, case and blanks (NFKC, lower case, single spaces), and drop control characters."""
    return _SPACE.sub(" ", _CONTROL.sub("", unicodedata.normalize("NFKC", text)).lower()).strip()


def has_content(text: str) -> bool:
    """Say whether a text holds at least one letter, digit or Chinese character."""
    return _LETTER.search(normalise(text)) is not None


def split_sentences(text: str) -> list[str]:
    """Cut a paragraph into sentences, in order, without their end marks; pieces without content are dropped."""
    return [piece for raw in _SENTENCE_END.split(text) if has_content(piece := raw.strip())]


def split_phrases(text: str) -> list[str]:
    """Cut an enumeration (``、``, ``；`` …) into its phrases, in order; pieces under two characters stay with the one before."""
    phrases: list[str] = []
    for raw in _PHRASE_END.split(text):
        piece = raw.strip(" \t\u3000\xa0，,。.")
        if not has_content(piece):
            continue
        if len(piece) < 2 and phrases:
            phrases[-1] = f"{phrases[-1]}、{piece}"
        else:
            phrases.append(piece)
    return phrases
