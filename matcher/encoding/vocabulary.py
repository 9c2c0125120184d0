"""Builds the subword vocabulary of the built-in model from counted jieba words.

A small vocabulary with a large dimension beat a large one with a small dimension at equal size
(model card): rare words are better spelt from characters than learned from three occurrences.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer

UNKNOWN = "[UNK]"
_WORD = re.compile(r"[\u4e00-\u9fff]+|[a-z]+|[α-ω]")
_LONGEST_WORD = 4
_FEWEST_CHARACTER = 5
"""Occurrences below which a character is left unknown."""


def count_words(texts: Iterable[str]) -> Counter[str]:
    """Counts jieba words (dictionary only, no guessed words) of the normalised texts."""
    import jieba

    jieba.setLogLevel(60)
    normalizer = _build_normalizer()
    words: Counter[str] = Counter()
    for text in texts:
        words.update(
            word
            for word in jieba.cut(normalizer.normalize_str(text), HMM=False)
            if len(word) <= _LONGEST_WORD and _WORD.fullmatch(word)
        )
    return words


def build_tokenizer(counts: Mapping[str, int], size: int) -> Tokenizer:
    """Builds a Unigram tokenizer whose piece scores are log relative frequencies.

    Every character seen often enough is a piece, so that any word can be spelt; the most frequent
    words fill the rest. Equal counts are ordered by code point, so the result is deterministic.

    Args:
        counts: how often each word occurs.
        size: pieces in all, with the unknown piece (id 0).

    Raises:
        ValueError: the characters alone do not fit.

    Source: Kudo 2018, "Subword Regularization", eq. 1 (segmentation by unigram probability).
    """
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    characters: Counter[str] = Counter()
    for word, count in counts.items():
        for character in word:
            characters[character] += count
    kept = {c for c, count in characters.items() if count >= _FEWEST_CHARACTER} | set("0123456789")
    if len(kept) >= size:
        raise ValueError(f"size {size} is below the {len(kept)} characters")
    ranked = sorted((word for word in counts if len(word) > 1), key=lambda word: (-counts[word], word))
    words = ranked[: size - 1 - len(kept)]
    total = sum(counts.values())
    pieces = [(UNKNOWN, 0.0)]
    for character in sorted(kept):
        score = math.log((counts.get(character, 0) + 0.5) / total) - 1.0
        pieces.append((character, round(score, 2)))
    pieces += [(word, round(math.log(counts[word] / total), 2)) for word in words]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
    tokenizer.normalizer = _build_normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Split(Regex(r"[a-z]+|\d"), behavior="isolated"),
        ]
    )
    return tokenizer


def _build_normalizer() -> Normalizer:
    """Full width to half width, lower case, every run of other signs to one space."""
    from tokenizers import Regex, normalizers

    return normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"[^\p{L}\p{N}]+"), " "),
        ]
    )
