"""Evaluate on files alone: no database, no index on disk, the product's own ranking."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matcher.config import NO_ENCODER, Settings
from matcher.errors import InputError
from matcher.evaluation.harness import FUSED, Report, evaluate, run_rows
from matcher.intake.readers import decode_text, read_table
from matcher.intake.validation import parse_rows
from matcher.models import Expert, Need, Record, Work
from matcher.ranking.scorer import PoolScores, Scorer
from matcher.retrieval.expansion import Expander, background_texts
from matcher.retrieval.index import PoolIndex
from matcher.retrieval.pool import build_expert_pool
from matcher.services.encoder import build_encoder
from matcher.text.thesaurus import load_thesaurus
from matcher.text.tokenise import Tokeniser

RUN_HEADER = ("need_id", "expert_id", "rank", "score", "lexical", "dense", "thesaurus")
MAX_GRADE = 3


@dataclass(frozen=True)
class Evaluation:
    """A report with what produced it; ``seconds`` covers indexing and ranking, not loading the model."""

    report: Report
    scores: PoolScores
    scorer: Scorer
    encoder: str
    seconds: float

    def as_json(self) -> dict[str, object]:
        """The public object of ``evaluate --json``."""

        def number(value: float) -> float | None:
            return None if math.isnan(value) else round(value, 4)  # JSON knows no NaN

        def rounded(values: dict[str, float]) -> dict[str, float | None]:
            return {metric: number(value) for metric, value in values.items()}

        def intervals(system: str) -> dict[str, list[float | None]]:
            found = self.report.intervals[system]
            return {metric: [number(low), number(high)] for metric, (low, high) in found.items()}

        means = {system: dict(values) for system, values in self.report.means.items()}
        channels = {name: {**rounded(v), "ci95": intervals(name)} for name, v in means.items()}
        return {
            "n_needs": len(self.report.need_ids),
            **rounded(means[FUSED]),
            "ci95": intervals(FUSED),
            "seconds": round(self.seconds, 3),
            "encoder": self.encoder,
            "channels": channels,
        }

    def run_rows(self) -> Iterator[tuple[object, ...]]:
        """Every scored pair, in the order of ``RUN_HEADER``."""
        return run_rows(self.scorer, self.report.need_ids, self.scores)


def read_records(kind: str, path: Path) -> tuple[Record, ...]:
    """Records of a file. Raises InputError when it cannot be read or a row is blocked."""
    parsed = parse_rows(kind, read_table(read_bytes(path), path.name, kind))
    blocking = [issue for issue in parsed.issues if issue.blocking]
    if blocking:
        raise InputError(
            f"{path.name}：{blocking[0].message}", f"共有 {len(blocking)} 处问题，请先改正文件。"
        )
    return parsed.records


def read_bytes(path: Path) -> bytes:
    """Content of a file. Raises InputError when there is none."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"打不开文件“{path}”：{error.strerror}。", "请检查路径和权限。") from error


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Judgements: need id → expert id → grade 0–3. Raises InputError naming the row that is wrong."""
    reader = csv.DictReader(io.StringIO(decode_text(read_bytes(path), path.name)))
    missing = {"need_id", "expert_id", "grade"} - set(reader.fieldnames or ())
    if missing:
        raise InputError(
            f"{path.name} 缺少列：{'、'.join(sorted(missing))}。", "应有 need_id、expert_id、grade 三列。"
        )
    qrels: dict[str, dict[str, int]] = {}
    for number, row in enumerate(reader, 2):
        text = (row["grade"] or "").strip()
        if not text.isdecimal() or int(text) > MAX_GRADE:
            raise InputError(f"{path.name} 第 {number} 行的 grade 是“{text}”。", "请填 0、1、2 或 3。")
        grades = qrels.setdefault(row["need_id"], {})
        if grades.setdefault(row["expert_id"], int(text)) != int(text):
            raise InputError(f"{path.name} 第 {number} 行与前面的评分矛盾。", "同一对只能有一个等级。")
    if not qrels:
        raise InputError(f"{path.name} 里没有评分。", "请检查文件内容。")
    return qrels


def evaluate_files(
    settings: Settings, needs: Path, experts: Path, qrels: Path, works: Path | None = None
) -> Evaluation:
    """Rank every judged need of the files and measure.

    Raises:
        InputError: a file cannot be used, or no judged need is among the needs.
        EncoderError: the model cannot be loaded.
    """
    need_records = [r for r in read_records("needs", needs) if isinstance(r, Need)]
    expert_records = [r for r in read_records("experts", experts) if isinstance(r, Expert)]
    work_records = [r for r in (read_records("works", works) if works else ()) if isinstance(r, Work)]
    grades = read_qrels(qrels)
    if not any(need.need_id in grades for need in need_records):
        raise InputError("评分文件里的需求编号与需求文件对不上。", "请检查两个文件是否配套。")
    encoder = build_encoder(settings)
    thesaurus = load_thesaurus(settings.thesaurus_paths)
    started = time.perf_counter()
    tokeniser = Tokeniser(thesaurus.lexicon)
    pool = build_expert_pool(expert_records, work_records)
    background = background_texts(thesaurus, len(pool.item_ids))
    index = PoolIndex.build(pool, tokeniser, encoder, background=background)
    scorer = Scorer(
        index, tokeniser, Expander(thesaurus, tokeniser, encoder=encoder), encoder, settings.scoring
    )
    report, scores = evaluate(scorer, need_records, grades)
    seconds = time.perf_counter() - started
    return Evaluation(report, scores, scorer, encoder.name if encoder else NO_ENCODER, seconds)
