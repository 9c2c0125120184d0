"""What the commands that measure do: one call of a service, and printing.

Arguments are parsed and errors are caught in ``matcher.cli``. With ``--json`` a command prints one object and nothing
else; without, short Chinese lines that say the same.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from matcher.commands import read_settings, show_progress, writing

if TYPE_CHECKING:
    from matcher.evaluation.comparison import Difference
    from matcher.evaluation.harness import Report
    from matcher.evaluation.mistakes import Mistake, NeedMistakes
    from matcher.evaluation.weights import SectorsLeftOut
    from matcher.evaluation.wording import Gap, Wording
    from matcher.services.benchmarking import EncodeBench
    from matcher.services.evaluating import Evaluation
    from matcher.services.text_benchmark import TextBench
    from matcher.services.thesaurus_report import ThesaurusReport

N_WORST = 10
_TASKS = {
    "title": "用标题找摘要（MRR）",
    "keywords": "用关键词找摘要（MRR）",
    "sts": "句子相似度（Spearman）",
}
_SYSTEMS = {"dense": "语义模型", "lexical": "词与字的 BM25", "words": "只用词的 BM25"}


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        print(line)


# ---------------------------------------------------------------- evaluate


def run_evaluate(args: argparse.Namespace) -> int:
    from matcher.evaluation.mistakes import count_categories
    from matcher.services.evaluating import RUN_HEADER, evaluate_files, weigh_only

    settings = read_settings(args)
    if args.channels is not None:
        names = [name.strip() for name in args.channels.replace("，", ",").split(",") if name.strip()]
        settings = weigh_only(settings, names)
    found = evaluate_files(settings, args.needs, args.experts, args.qrels, args.works)
    sectors = found.by_sector() if args.sectors else None
    wording = found.compare_wording(args.reworded) if args.reworded else None
    left_out = found.leave_one_sector_out() if args.loso else None
    mistakes = found.mistakes() if args.errors else None
    if args.run_file:
        with writing(args.run_file), args.run_file.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(RUN_HEADER)
            writer.writerows(found.run_rows())
    if args.json:
        result = found.as_json()
        if args.channels is not None:
            weights = found.scorer.params.weights
            result["fused_over"] = [c.value for c in found.scorer.params.weights if weights[c] > 0]
        if sectors is not None:
            result["sectors"] = {name: _sector_json(report) for name, report in sectors.items()}
        if wording is not None:
            result["wording"] = wording.as_json()
        if left_out is not None:
            result["loso"] = left_out.as_json()
        if mistakes is not None:
            counts = {category.value: n for category, n in count_categories(mistakes).items()}
            result["errors"] = {"counts": counts, "worst": [one.as_json() for one in mistakes[:N_WORST]]}
        print(json.dumps(result, ensure_ascii=False))
        return 0
    _print(_evaluation_lines(found))
    if sectors is not None:
        _print(_sector_lines(sectors))
    if wording is not None:
        _print(_wording_lines(wording))
    if left_out is not None:
        _print(_left_out_lines(left_out))
    if mistakes is not None:
        _print(_mistake_lines(mistakes))
    return 0


def _evaluation_lines(found: Evaluation) -> Iterator[str]:
    n_needs = len(found.report.need_ids)
    yield f"{n_needs} 条需求，模型 {found.encoder}，{round(found.seconds, 3)} 秒；括号内为 95% 区间"
    if found.reranker:
        yield f"fused 的前几位已由精读模型 {found.reranker} 调整先后"
    for system, values in found.report.means.items():
        low, high = found.report.intervals[system]["ndcg@10"]
        shown = "  ".join(f"{metric} {value:.3f}" for metric, value in values.items())
        yield f"{system:<10} {shown}  (nDCG@10 {low:.3f}–{high:.3f})"


def _sector_json(report: Report) -> dict[str, object]:
    channels = {system: report.as_json(system) for system in report.means}
    return {"n": len(report.need_ids), **channels["fused"], "channels": channels}


def _sector_lines(sectors: dict[str, Report]) -> Iterator[str]:
    yield "\n各领域的 nDCG@10（三者相加，括号内为 95% 区间；条数少，区间只作参考）"
    for name, report in sectors.items():
        low, high = report.intervals["fused"]["ndcg@10"]
        alone = "  ".join(f"{s} {v['ndcg@10']:.3f}" for s, v in report.means.items() if s != "fused")
        means = report.means["fused"]
        yield (
            f"  {name}（{len(report.need_ids)} 条）{means['ndcg@10']:.3f}（{low:.3f}–{high:.3f}）"
            f"  recall@10 {means['recall@10']:.3f}  单用：{alone}"
        )


def _signed(difference: Difference) -> str:
    return f"{difference.mean:+.3f}（{difference.low:+.3f}–{difference.high:+.3f}）"


def _wording_lines(wording: Wording) -> Iterator[str]:
    def line(name: str, gap: Gap) -> str:
        return f"  {name}：{gap.given.mean():.3f} → {gap.reworded.mean():.3f}，相差 {_signed(gap.difference)}"

    yield f"\n换一种说法（{wording.n_needs} 条，原说法 → 改写，nDCG@10，成对的 95% 区间）"
    yield line("有术语对应", wording.fused)
    if wording.without is not None:
        yield line("没有术语对应", wording.without)
    if (closed := wording.closed) is not None:
        yield f"  术语对应使差距缩小 {_signed(closed)}"
    for channel, gap in wording.channels.items():
        yield line(f"单用{channel.label}", gap)


def _left_out_lines(found: SectorsLeftOut) -> Iterator[str]:
    low, high = found.left_out.interval
    order = "：".join(channel.label for channel in found.channels)
    yield f"\n权重逐个领域留出（{order}，{found.n_tried} 种比例，nDCG@10）"
    yield f"  在别的领域上选、在留出的领域上测：{found.left_out.mean:.3f}（{low:.3f}–{high:.3f}）"
    yield f"  在全部需求上选的 {found.left_out.best}：{found.left_out.best_mean:.3f}（偏乐观）"
    yield f"  现用的 {found.current[0]}：{found.current[1].mean():.3f}；留出选择与它相差 {_signed(found.gain)}"
    for sector, row in found.by_sector.items():
        yield f"  {sector}（{row['n']} 条）选 {row['weights']}：{row['ndcg@10']:.3f}，现用 {row['current']:.3f}"


def _mistake_lines(found: Sequence[NeedMistakes]) -> Iterator[str]:
    from matcher.evaluation.mistakes import count_categories

    def told(mistake: Mistake) -> str:
        grade = "未评" if mistake.grade is None else f"等级 {mistake.grade}"
        return f"{mistake.expert_id} 第 {mistake.rank} 名 {grade}（{mistake.reason}）"

    yield f"\n最差的 {min(N_WORST, len(found))} 条需求"
    for one in found[:N_WORST]:
        yield f"  {one.need.need_id} {one.ndcg:.3f} 〔{one.category.value}〕{one.need.title}"
        for name, mistakes in (("排得过高", one.high), ("漏在十名之后", one.missed)):
            if mistakes:
                yield f"    {name}：{'；'.join(map(told, mistakes))}"
    counts = "，".join(f"{category.value} {n}" for category, n in count_categories(found).items())
    yield f"  全部 {len(found)} 条需求的差错：{counts or '没有'}"


# ---------------------------------------------------------------- bench


def run_bench_encode(args: argparse.Namespace) -> int:
    from matcher.services.benchmarking import measure_encoding

    found = measure_encoding(
        read_settings(args),
        args.documents,
        args.rounds,
        lambda done, total: show_progress("测速", done, total),
    )
    if args.json:
        print(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        _print(_encode_lines(found))
    return 0


def _encode_lines(found: EncodeBench) -> Iterator[str]:
    from matcher.evaluation.peer import PEER
    from matcher.services.benchmarking import MAX_BYTES, MAX_LOAD_SECONDS, MIN_RATIO

    verdict = {True: "达到", False: "没有达到"}
    ok = found.checks
    yield (
        f"{found.n_documents} 条短文，{found.n_threads} 个线程，各 {found.n_rounds} 轮交替，取中位数（只用 CPU）"
    )
    yield f"{found.encoder}：每秒 {found.speed:,.0f} 条"
    yield f"{PEER}：每秒 {found.peer_speed:,.0f} 条"
    yield (
        f"速度是它的 {found.ratio:.0f} 倍（各轮 {min(found.ratios):.0f}–{max(found.ratios):.0f}）；"
        f"要求 {MIN_RATIO:.0f} 倍：{verdict[ok['ratio']]}"
    )
    yield (
        f"加载 {found.load_seconds:.2f} 秒，首条 {found.first_seconds:.3f} 秒（新进程，程序库已装入）；"
        f"要求加载不超过 {MAX_LOAD_SECONDS:.0f} 秒：{verdict[ok['load_seconds']]}"
    )
    yield (
        f"随程序附带的模型目录 {found.n_bytes / 2**20:.1f} MiB；"
        f"要求不超过 {MAX_BYTES // 2**20} MiB：{verdict[ok['bytes']]}"
    )


def run_bench_text(args: argparse.Namespace) -> int:
    from matcher.services.text_benchmark import measure_texts

    found = measure_texts(read_settings(args), args.csl, args.sts, args.limit)
    if args.json:
        print(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        _print(_text_lines(found))
    return 0


def _text_lines(found: TextBench) -> Iterator[str]:
    yield f"模型 {found.encoder}；括号内为 95% 区间"
    for task, systems in found.figures.items():
        yield f"{_TASKS[task]}，{found.sizes[task]} {'对' if task == 'sts' else '篇'}"
        for system, figure in systems.items():
            name = "词与字的余弦" if (task, system) == ("sts", "lexical") else _SYSTEMS[system]
            yield f"  {name} {figure.value:.3f}（{figure.low:.3f}–{figure.high:.3f}）"


# ---------------------------------------------------------------- thesaurus


def run_thesaurus_report(args: argparse.Namespace) -> int:
    from matcher.services.thesaurus_report import report_thesaurus

    found = report_thesaurus(read_settings(args), args.needs, args.experts)
    if args.json:
        print(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        _print(_thesaurus_lines(found))
    return 0


def _thesaurus_lines(found: ThesaurusReport) -> Iterator[str]:
    from matcher.services import thesaurus_report as rules

    def told(counts: Mapping[str, int]) -> str:
        return (
            f"主题 {counts['topics']:,}，大白话 {counts['plain_phrases']:,}，"
            f"术语 {counts['terms']:,}，对象 {counts['objects']:,}"
        )

    yield f"{told(found.counts)}，学科 {found.counts['disciplines']:,}（均不计重复）"
    for sector, counts in found.sectors.items():
        yield f"  {sector}：{told(counts)}"
    shown = "、".join(f"{name} {n}" for name, n in list(found.disciplines.items())[: rules.COMMONEST])
    yield f"主题最多的学科：{shown}"
    yield f"不到 {rules.MIN_TOPICS} 个主题的学科：{found.n_rare_disciplines} 个"
    repeats = "，".join(f"{n} 个主题 {count} 条" for n, count in found.repeated.items())
    yield f"出现在几个主题里的大白话：{repeats or '没有'}"
    yield (
        f"大白话不到 {rules.MIN_PHRASES} 条或术语不到 {rules.MIN_TERMS} 条的主题："
        f"{'、'.join(found.thin) or '没有'}"
    )
    if found.needs is not None:
        yield f"与所给需求有 {rules.SHINGLE} 个字连着相同的大白话：{'、'.join(found.needs) or '没有'}"
    for kind, sharing in (found.experts or {}).items():
        name = {"terms": "术语", "objects": "对象"}[kind]
        lengths = "，".join(
            f"{'全部' if length == 1 else f'{length} 字以上'} {count.n}/{count.total}（{count.share:.2%}）"
            for length, count in sharing.occurring.items()
        )
        yield f"{name}出现在所给专家资料里：{lengths}"
        yield (
            f"  就是资料里一条方向或关键词的：{sharing.equal.n}/{sharing.equal.total}（{sharing.equal.share:.2%}）；"
            f"{rules.SHINGLE} 字以上、有 {rules.SHINGLE} 个字连着相同的："
            f"{sharing.shingled.n}/{sharing.shingled.total}（{sharing.shingled.share:.2%}）"
        )
        held = "各项（出现的按全部长度）" if sharing.hold_occurrence else "后两项"
        yield f"  {held}要求低于 {rules.MAX_SHARE:.0%}：{'达到' if sharing.ok else '没有达到'}"
