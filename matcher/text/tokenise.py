"""Cut Chinese text into words and character n-grams.

Owns the jieba segmenter with the project's lexicon. Two views of a text: ``features`` feed the lexical index (words
of the search mode, single characters and character pairs: words alone lose badly on short Chinese profiles);
``terms`` are the longer words a person would recognise, for evidence.
"""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from matcher.text.normalise import TEXT_VERSION, normalise

if TYPE_CHECKING:
    import jieba

_RUN = re.compile(r"[\u3400-\u9fff]+|[a-z0-9](?:[a-z0-9\-+.]*[a-z0-9+])?")
_CHINESE = re.compile(r"[\u3400-\u9fff]")

COMMON_FREQUENCY = (
    300  # frequency in jieba's own dictionary from which a word is everyday, unless it is technical
)

# Words that say nothing about a technique; they are never shown as shared terms.
STOP_TERMS = frozenset(
    "技术 研究 问题 方法 系统 分析 应用 设计 开发 需求 关键 主要 目标 企业 产品 公司 我们 现在 目前 解决 提高 实现 "
    "要求 希望 需要 进行 相关 以及 可以 能够 没有 不能 一个 这个 已经 还是 就是 多少 怎么 方面 情况 工作 团队 示例 "
    "基于 研发 项目 成果 领域 及其 建立 提出 采用 利用 面向 影响 评价 过程 水平 质量 一种 之间 不同 各种 以上 以下 "
    "左右 时候 一直 一些 很多 比较 非常 容易 不到 出来 起来 下来 上去 下去 客户 国外 国内 进口 时间 一次 每年 每天 "
    "半个月 上个月 一个月 几个月 半年 半天 排队 退货 保持 满意 花钱 便宜 合格率 不了 不住 不动 不好 "
    "后来 因为 所以 但是 而且 如果 只能 一批 一般 经常 老是 总是 有时 ".split()
)


class Tokeniser:
    """A word segmenter with extra words; instances do not share a dictionary.

    Args:
        lexicon: words added to jieba's own dictionary; any order gives the same segmenter.
    """

    def __init__(self, lexicon: Iterable[str] = ()) -> None:
        self.lexicon = tuple(sorted(set(lexicon)))
        self._segmenter = _build_segmenter(self.lexicon)

    @property
    def fingerprint(self) -> str:
        """Hash of lexicon and text version, 16 hex digits."""
        joined = "\n".join((TEXT_VERSION, *self.lexicon))
        return hashlib.sha256(joined.encode()).hexdigest()[:16]

    @cached_property
    def _technical(self) -> frozenset[str]:
        """Words that occur in the lexicon's entries, the entries themselves among them."""
        return frozenset(word for entry in self.lexicon for word in self.words(entry))

    def _tells(self, word: str) -> bool:
        """Say whether a word tells a technique: a technical word, or one too rare in general Chinese to be chance."""
        if word in STOP_TERMS or word.rstrip("%").replace(".", "").isdigit():
            return False
        return word in self._technical or self._segmenter.FREQ.get(word, 0) < COMMON_FREQUENCY

    def words(self, text: str) -> list[str]:
        """Words of the search mode (long words and the words inside them), at least two characters, in text order."""
        return [
            word
            for word in self._segmenter.cut_for_search(normalise(text))
            if len(word) >= 2 and _RUN.match(word)
        ]

    def features(self, text: str) -> list[str]:
        """Features of the lexical index: words (``w:``), single characters, character pairs, Latin runs (``l:``)."""
        found = ["w:" + word for word in self.words(text)]
        for run in _RUN.findall(normalise(text)):
            if _CHINESE.match(run):
                found.extend(run)
                found.extend(run[i : i + 2] for i in range(len(run) - 1))
            else:
                found.append("l:" + run)
        return found

    def terms(self, text: str) -> list[str]:
        """Distinct words fit to be shown as evidence, in text order: technical or rare, no everyday words."""
        return list(dict.fromkeys(word for word in self.words(text) if self._tells(word)))

    def shared_terms(self, left: str, right: str) -> list[str]:
        """Terms both texts hold, in the order of ``left``; a word inside a longer shared word is left out."""
        other = set(self.terms(right))
        shared = [term for term in self.terms(left) if term in other]
        return [term for term in shared if not any(term != longer and term in longer for longer in shared)]


@lru_cache(maxsize=4)
def _build_segmenter(lexicon: tuple[str, ...]) -> jieba.Tokenizer:
    with warnings.catch_warnings():
        # jieba 0.42.1 has unescaped regular expressions; Python warns once when it compiles them.
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", UserWarning)
        import jieba
    jieba.setLogLevel(logging.WARNING)
    segmenter = jieba.Tokenizer()
    segmenter.initialize()
    for word in lexicon:
        segmenter.add_word(normalise(word))
    return segmenter
