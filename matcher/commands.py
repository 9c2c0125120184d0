"""What the commands on records do: one call of a service, and printing.

Arguments are parsed and errors are caught in ``matcher.cli``; commands on models and quality are in
``matcher.model_commands``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from matcher.errors import InputError, MatcherError, NotFoundError

if TYPE_CHECKING:
    from matcher.config import Settings
    from matcher.services.bootstrap import Application
    from matcher.services.rankings import Ranking

BAR_WIDTH = 30


def show_progress(what: str, done: int, total: int) -> None:
    """Draw one progress line on stderr; a new line when it is full. Silent unless stderr is a terminal."""
    if not sys.stderr.isatty():
        return
    filled = BAR_WIDTH * done // max(total, 1)
    bar = "█" * filled + "·" * (BAR_WIDTH - filled)
    end = "\n" if done >= total else ""
    print(f"\r{what} {bar} {done}/{total}", end=end, file=sys.stderr, flush=True)


def read_settings(args: argparse.Namespace) -> Settings:
    from matcher.config import load_settings

    settings = load_settings(args.home)
    name = getattr(args, "encoder", None)
    settings = replace(settings, encoder=settings.encoder.named(name)) if name else settings
    reader = getattr(args, "reranker", None)
    return replace(settings, reranker=replace(settings.reranker, name=reader)) if reader else settings


def open_for(args: argparse.Namespace, *, samples: bool = True) -> Application:
    from matcher.services.bootstrap import open_application

    return open_application(read_settings(args), samples=samples)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"写不了文件“{path}”：{error.strerror}。", "请换一个可写的位置，或关闭正打开它的程序。"
        ) from error


def write_file(path: Path, data: bytes) -> None:
    with writing(path):
        path.write_bytes(data)
    print(f"已写入 {path}（{len(data) / 1024:.0f} KiB）")


# ---------------------------------------------------------------- commands


def run_match(args: argparse.Namespace) -> int:
    from matcher.export.writers import check_suffix
    from matcher.ranking.eligibility import ExpertFilter, NeedFilter

    if args.out:
        check_suffix(args.out.suffix)
    with open_for(args) as app:
        app.rereader.start()
        if app.engine.wants_encoder:
            app.engine.wait()
        app.rereader.wait()
        experts = ExpertFilter(frozenset(args.ring), frozenset(args.institution), frozenset(args.discipline))
        needs = NeedFilter(frozenset(args.sector), frozenset(args.town))
        if args.need:
            ranking = app.matching.for_need(args.need, filter=experts, top=args.top, practical=args.practical)
        elif args.expert:
            ranking = app.matching.for_expert(args.expert, filter=needs, top=args.top)
        elif args.find == "needs":
            ranking = app.matching.needs_for_text(args.text, filter=needs, top=args.top)
        else:
            ranking = app.matching.experts_for_text(
                args.text, filter=experts, top=args.top, practical=args.practical
            )
        if args.out:
            write_file(args.out, app.exports.ranking(ranking, args.out.suffix))
        else:
            _print_ranking(ranking)
    return 0


def _print_ranking(ranking: Ranking) -> None:
    from matcher.export.document import shown_score
    from matcher.services.reranking import READING
    from matcher.vocab import Direction

    for sentence in ranking.degraded:
        print(f"注意：{sentence}", file=sys.stderr)
    print(f"{ranking.run.direction.value}：{ranking.run.query}（运行 {ranking.run.run_id}）")
    for pair in ranking.pairs:
        if pair.expert and ranking.run.direction in {Direction.NEED_TO_EXPERTS, Direction.TEXT_TO_EXPERTS}:
            badge = "【示例】" if pair.expert.is_sample else ""
            who = f"{pair.expert.expert_id} {pair.expert.name}{badge}（{pair.expert.institution}）"
        else:
            assert pair.need is not None, "a need is ranked"
            badge = "【示例】" if pair.need.is_sample else ""
            who = f"{pair.need.need_id} {pair.need.title}{badge}（{pair.need.company}）"
        print(f"{pair.match.rank:>3}  {shown_score(pair.match.score):5.1f}  {who}")
        for signal in pair.match.practical:
            if signal.name == READING:
                print(f"            {signal.text}")
        for evidence in pair.match.evidence[:1]:
            print(f"            {evidence.line.text[:40]} ↔ {evidence.facet.text[:50]}")
    if not ranking.pairs:
        print("没有符合条件的结果。")


def run_index(args: argparse.Namespace) -> int:
    with open_for(args, samples=not args.no_samples) as app:
        app.engine.status()  # starts loading the model while records are read
        if args.rebuild:
            snapshot = app.engine.rebuild(show_progress)
        else:
            app.engine.wait()
            snapshot = app.engine.snapshot()
        index = snapshot.experts.index
        records = snapshot.records
        print(
            f"索引就绪：需求 {len(records.needs)}，专家 {len(records.experts)}，"
            f"资料 {len(index.pool.facets)} 条，模型 {app.engine.status().encoder}。"
        )
    return 0


def run_import(args: argparse.Namespace) -> int:
    from matcher.intake.mapping import find_headers
    from matcher.services.evaluating import read_bytes

    with open_for(args, samples=False) as app:
        by_hand = _mapping_by_hand(args.map)
        skip = args.skip_bad_rows
        preview = app.imports.preview(
            args.kind,
            read_bytes(args.file),
            args.file.name,
            mapping=by_hand,
            drop_samples=args.drop_samples,
        )
        for header in by_hand:
            if not find_headers(preview.headers, header):
                raise InputError(f"表里没有“{header}”这一列。", f"表里的列有：{'、'.join(preview.headers)}。")
        for header, label in preview.mapping:
            print(f"  列“{header}” → {label}")
        for header in preview.unmapped:
            print(f"  列“{header}” 未使用")
        for note in preview.notes:
            print(f"  {note}")
        for issue in preview.issues:
            print(f"  {'错误' if issue.blocking else '提示'}：{issue.message}", file=sys.stderr)
        print(
            f"共 {preview.n_rows} 行：新增 {preview.n_new}，更新 {preview.n_changed}，不变 {preview.n_same}。"
        )
        if args.dry_run:
            print("试运行，没有写入。")
            n_stored = preview.n_new + preview.n_changed + preview.n_same
            return InputError.exit_code if preview.n_blocked and not (skip and n_stored) else 0
        done = app.imports.confirm(preview, drop_samples=args.drop_samples, skip_blocked=skip)
        if args.drop_samples:
            print("已删除全部示例数据。")
        skipped = f"，跳过有误的 {done.n_skipped} 行" if done.n_skipped else ""
        print(f"已导入：新增 {done.n_new}，更新 {done.n_changed}，不变 {done.n_same}{skipped}。")
    return 0


def _mapping_by_hand(pairs: Iterable[str]) -> dict[str, str]:
    """``来源列=规范列`` of ``--map`` as header → column; nothing after the sign leaves the column out."""
    mapping = {}
    for pair in pairs:
        header, sign, column = pair.replace("＝", "=").partition("=")
        if not sign or not header.strip():
            raise InputError(f"“{pair}”不是列的对应。", '请写成 --map "来源列=规范列"。')
        mapping[header.strip()] = column.strip()
    return mapping


def run_export(args: argparse.Namespace) -> int:
    with open_for(args) as app:
        if args.shortlist:
            named = {s.shortlist.name: s.shortlist.shortlist_id for s in app.shortlists.list()}
            if args.shortlist not in {*named, *named.values()}:
                raise NotFoundError(
                    f"没有名为“{args.shortlist}”的清单。", f"现有的清单：{'、'.join(named) or '无'}。"
                )
            data = app.exports.shortlist(named.get(args.shortlist, args.shortlist), args.out.suffix)
        elif not args.kind:
            raise InputError("没有说要导出什么。", "请写数据种类（如 experts），或用 --shortlist 指定清单。")
        else:
            data = app.exports.records(args.kind, args.out.suffix)
        write_file(args.out, data)
    return 0


def run_drop_samples(args: argparse.Namespace) -> int:
    with open_for(args, samples=False) as app:
        dropped = app.records.drop_samples()
        print(f"已删除示例数据：{'，'.join(f'{kind} {n}' for kind, n in dropped.items())}。")
    return 0


def run_backup(args: argparse.Namespace) -> int:
    with open_for(args, samples=False) as app:
        made = app.database.backup_to(args.out)
        print(f"已备份到 {made}。恢复时先停止平台，再运行：python -m matcher restore {made}")
    return 0


def run_doctor(args: argparse.Namespace) -> int:
    from matcher.services.doctor import run_checks

    with open_for(args) as app:
        failed = 0
        for check in run_checks(app):
            print(f"{'正常' if check.ok else '异常'}  {check.name}：{check.message}", flush=True)
            failed += not check.ok
    return MatcherError.exit_code if failed else 0
