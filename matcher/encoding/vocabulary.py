"""Builds the vocabulary of a bag model: subwords from counted jieba words, or character n-grams.

A small vocabulary with a large dimension beat a large one with a small dimension at equal size
(model card): rare words are better spelt from characters than learned from three occurrences.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from matcher.encoding.loop import Ids

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer

UNKNOWN = "[UNK]"
_WORD = re.compile(r"[\u4e00-\u9fff]+|[a-z]+|[α-ω]")
_LONGEST_WORD = 4
_LONGEST_NGRAM = 3
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


def count_ngrams(texts: Iterable[str]) -> Counter[str]:
    """Counts the character n-grams (one to three characters; Latin words whole) of the normalised texts."""
    normalizer = _build_normalizer()
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(_ngrams(normalizer.normalize_str(text)))
    return counts


def _ngrams(text: str) -> Iterator[str]:
    for run in _WORD.findall(text):
        if not "\u4e00" <= run[0] <= "\u9fff":
            yield run
            continue
        for size in range(1, _LONGEST_NGRAM + 1):
            for start in range(len(run) - size + 1):
                yield run[start : start + size]


class SubwordUnit:
    """Texts as the pieces of a tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.n_pieces: int = tokenizer.get_vocab_size()

    def to_ids(self, texts: Sequence[str]) -> list[Ids]:
        """Piece ids of each text."""
        encodings = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.int64) for encoding in encodings]


class NgramUnit:
    """Texts as overlapping character n-grams, the most frequent `size` of them; the rest is left out.

    For comparison only: no sentence-transformers tokenizer gives overlapping pieces, so a model of this unit
    cannot be saved as one.
    """

    def __init__(self, counts: Mapping[str, int], size: int) -> None:
        ranked = sorted(counts, key=lambda ngram: (-counts[ngram], ngram))[: size - 1]
        self._ids = {ngram: number for number, ngram in enumerate(ranked, 1)}
        self._normalizer = _build_normalizer()
        self.n_pieces = len(ranked) + 1

    def to_ids(self, texts: Sequence[str]) -> list[Ids]:
        """N-gram ids of each text; id 0, the unknown piece, stands for a text without any."""
        found = []
        for text in texts:
            known = [self._ids[n] for n in _ngrams(self._normalizer.normalize_str(text)) if n in self._ids]
            found.append(np.array(known or [0], dtype=np.int64))
        return found


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
