"""Evaluate on files alone: no database, no index on disk, the product's own ranking."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from matcher.config import NO_ENCODER, Settings
from matcher.encoding.protocol import Encoder
from matcher.errors import InputError
from matcher.evaluation.harness import FUSED, Qrels, Report, evaluate, run_rows, split_report
from matcher.evaluation.mistakes import NeedMistakes, find_mistakes
from matcher.evaluation.weights import Ablation, SectorsLeftOut, ablate_channels, leave_one_sector_out
from matcher.evaluation.wording import Wording, compare_wordings
from matcher.intake.readers import decode_text, read_table
from matcher.intake.validation import parse_rows
from matcher.models import Expert, Need, Record, Work
from matcher.ranking.scorer import PoolScores, Scorer, need_query
from matcher.retrieval.expansion import Expander, background_texts
from matcher.retrieval.index import PoolIndex
from matcher.retrieval.pool import build_expert_pool
from matcher.services.encoder import build_encoder, build_reranker
from matcher.services.reranking import RereadScorer
from matcher.text.thesaurus import Thesaurus, load_thesaurus
from matcher.text.tokenise import Tokeniser
from matcher.vocab import Channel, Sector

RUN_HEADER = ("need_id", "expert_id", "rank", "score", "lexical", "dense", "thesaurus")
MAX_GRADE = 3


@dataclass(frozen=True)
class Evaluation:
    """A report with what produced it.

    Attributes:
        report: metrics per system.
        scores: of the judged needs.
        scorer: what ranked them.
        encoder: name of the model.
        seconds: of indexing and ranking, without loading the model.
        needs: the judged needs, in the order of the report.
        qrels: judgements.
        thesaurus: of the scorer.
        reranker: name of the re-reading model, or empty.
    """

    report: Report
    scores: PoolScores
    scorer: Scorer
    encoder: str
    seconds: float
    needs: tuple[Need, ...]
    qrels: Qrels
    thesaurus: Thesaurus
    reranker: str = ""

    @property
    def sectors(self) -> tuple[str, ...]:
        """Sector of every judged need; 其他 where it says none."""
        return tuple(need.sector or Sector.OTHER.value for need in self.needs)

    def as_json(self) -> dict[str, object]:
        """The public object of ``evaluate --json``."""
        return {
            "n_needs": len(self.report.need_ids),
            **self.report.as_json(FUSED),
            "seconds": round(self.seconds, 3),
            "encoder": self.encoder,
            **({"reranker": self.reranker} if self.reranker else {}),
            "channels": {system: self.report.as_json(system) for system in self.report.means},
        }

    def by_sector(self) -> dict[str, Report]:
        """A report for the needs of each sector, by its name."""
        return split_report(self.report, self.sectors)

    def leave_one_sector_out(self) -> SectorsLeftOut:
        """Channel weights chosen without each sector in turn. Raises InputError when there is one sector only."""
        if len(set(self.sectors)) < 2:
            raise InputError("需求都属于同一个领域，不能逐个领域留出。", "请用含两个以上领域的需求文件。")
        return leave_one_sector_out(
            self.scores.signals,
            self.scorer.params.weights,
            self.scorer.index.pool.item_ids,
            self.report.need_ids,
            self.qrels,
            self.sectors,
        )

    def ablate_channels(self) -> list[Ablation]:
        """Every combination of channels, by the scores before any re-reading."""
        return ablate_channels(
            self.scores.signals,
            self.scorer.params.weights,
            self.scorer.index.pool.item_ids,
            self.report.need_ids,
            self.qrels,
        )

    def mistakes(self) -> list[NeedMistakes]:
        """Every need with its mistakes by category, the worst first."""
        return find_mistakes(self.scorer, self.thesaurus, self.needs, self.report, self.scores, self.qrels)

    def compare_wording(self, path: Path) -> Wording:
        """The same needs in the words of another file, by the scores before any re-reading.

        Raises:
            InputError: the file cannot be used, or lacks one of the judged needs.
        """
        by_id = {r.need_id: r for r in read_records("needs", path) if isinstance(r, Need)}
        missing = [need.need_id for need in self.needs if need.need_id not in by_id]
        if missing:
            raise InputError(
                f"{path.name} 里没有需求 {'、'.join(missing[:5])}{' 等' if len(missing) > 5 else ''}。",
                "改写的需求要与原需求编号相同，每条都要有。",
            )
        reworded = self.scorer.score([need_query(by_id[need.need_id]) for need in self.needs])
        return compare_wordings(
            self.scores.signals,
            reworded.signals,
            self.scorer.params.weights,
            self.scorer.index.pool.item_ids,
            self.report.need_ids,
            self.qrels,
        )

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
    except FileNotFoundError as error:
        raise InputError(f"没有文件“{path}”。", "请检查路径是否写对。") from error
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
    settings: Settings,
    needs: Path,
    experts: Path,
    qrels: Path,
    works: Path | None = None,
    encoder: Encoder | None = None,
) -> Evaluation:
    """Rank every judged need of the files and measure.

    ``encoder`` takes the place of the one the settings name.

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
    encoder, reader = encoder or build_encoder(settings), build_reranker(settings)
    thesaurus = load_thesaurus(settings.thesaurus_paths)
    started = time.perf_counter()
    tokeniser = Tokeniser(thesaurus.lexicon)
    pool = build_expert_pool(expert_records, work_records)
    background = background_texts(thesaurus, len(pool.item_ids))
    index = PoolIndex.build(pool, tokeniser, encoder, background=background)
    scorer = Scorer(
        index, tokeniser, Expander(thesaurus, tokeniser, encoder=encoder), encoder, settings.scoring
    )
    _check_weights(scorer.params.weights, scorer.channels)
    if reader is not None:
        scorer = RereadScorer(scorer, reader, settings.reranker)
    report, scores = evaluate(scorer, need_records, grades)
    seconds = time.perf_counter() - started
    by_id = {need.need_id: need for need in need_records}
    return Evaluation(
        report,
        scores,
        scorer,
        encoder.name if encoder else NO_ENCODER,
        seconds,
        tuple(by_id[need_id] for need_id in report.need_ids),
        grades,
        thesaurus,
        reader.name if reader else "",
    )


def weigh_only(settings: Settings, names: Sequence[str]) -> Settings:
    """Settings under which only the named channels have a weight; the topics are still found by words and meaning.

    Raises:
        InputError: a name is no channel, or none is given.
    """
    known = [channel.value for channel in Channel]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        what = f"没有名为“{unknown[0]}”的通道。" if unknown else "没有说用哪些通道。"
        raise InputError(what, f"可用的有：{'、'.join(known)}；几个之间用逗号隔开。")
    weights = {c: settings.scoring.weights.get(c, 0.0) if c.value in names else 0.0 for c in Channel}
    return replace(settings, scoring=replace(settings.scoring, weights=weights))


def _check_weights(weights: Mapping[Channel, float], present: Iterable[Channel]) -> None:
    if not any(weights.get(channel, 0.0) > 0 for channel in present):
        raise InputError(
            "要用的通道都没有权重，或语义通道没有启用。", "请换一些通道，或用 --encoder 指定语义模型。"
        )
