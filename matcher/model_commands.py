"""What the commands on models do: one call of a service, and printing.

Arguments are parsed and errors are caught in ``matcher.cli``; the commands that measure are in
``matcher.quality_commands``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, replace

from matcher.commands import read_settings, show_progress, writing
from matcher.errors import InputError

SECONDS_BETWEEN_LOOKS = 0.2


def run_encoder_info(args: argparse.Namespace) -> int:
    from matcher.services.encoder import build_encoder

    encoder = build_encoder(read_settings(args))
    if encoder is None:
        print("未启用语义模型。")
        return 0
    print(f"名称 {encoder.name}\n维数 {encoder.dimension}\n指纹 {encoder.fingerprint}")
    return 0


def run_encoder_fetch(args: argparse.Namespace) -> int:
    from matcher.services.semantic import fetch_model, size_of

    def tell(done: int, total: int) -> None:
        show_progress("下载（KB）", done // 1000, -(-total // 1000))

    with writing(args.out):
        dimension = fetch_model(args.name, args.out, tell, reranker=args.reading)
    about = f"{dimension} 维" if dimension else "精读模型"
    print(f"已下载到 {args.out}：{about}，{size_of(args.out) / 1e6:,.1f} MB，能够加载。")
    if dimension:
        print(f'选用：python -m matcher encoder use "{args.out}"')
    else:
        print(f'选用：在 settings.toml 的 [reranker] 一节写 name = "{args.out.resolve().as_posix()}"')
    return 0


def run_encoder_use(args: argparse.Namespace) -> int:
    from matcher.encoding.protocol import DEFAULT
    from matcher.services.bootstrap import open_application
    from matcher.services.preferences import save_encoder
    from matcher.services.semantic import choose, describe_prompts, environment_note, label_of

    if bool(args.name) == args.reset:
        raise InputError(
            "没有说选用哪个模型。", "请写模型名称或目录，或用 --reset 改回内置模型；两者不能都写。"
        )
    before = read_settings(args)
    wanted = choose(before, args.name or DEFAULT, args.query_prompt, args.document_prompt)
    started = time.perf_counter()
    with open_application(replace(before, encoder=wanted), samples=False) as app:
        app.engine.start()
        while app.engine.status().busy:
            app.engine.join(SECONDS_BETWEEN_LOOKS)
            step = app.engine.status().progress
            if step:
                show_progress(*step)
        app.engine.wait()
        snapshot, encoder = app.engine.snapshot(), app.engine.encoder
        seconds = time.perf_counter() - started
        save_encoder(before.home, wanted)
        print(f"已选用 {label_of(wanted.name)}，写入 {before.home / 'settings.toml'}。")
        if encoder is not None:
            prompts = describe_prompts(wanted)
            print(f"{encoder.dimension} 维" + (f"；{prompts}。" if prompts else "。"))
            print(f"{snapshot.n_texts:,} 条文字的向量已备好，连同加载用时 {seconds:.1f} 秒。")
        if note := environment_note(before):
            print(f"注意：{note}", file=sys.stderr)
        print("正在运行的页面不会跟着变：请在页面的“语义模型”里换，或重启平台。")
    return 0


def run_encoder_train(args: argparse.Namespace) -> int:
    from matcher.encoding.sampling import SMOKE
    from matcher.encoding.train import train

    report = train(
        args.corpora,
        args.thesaurus or read_settings(args).data / "thesaurus",
        args.statements or read_settings(args).data / "training" / "pairs.jsonl",
        args.out,
        args.seed,
        lambda done, total: show_progress("训练", done, total),
        SMOKE if args.smoke else None,
        holdout=args.holdout,
    )
    print(json.dumps(asdict(report), ensure_ascii=False, indent=2))
    return 0


def run_encoder_compare(args: argparse.Namespace) -> int:
    from matcher.evaluation.metrics import compute_interval
    from matcher.services.encoder_comparison import compare_variants

    rows: list[dict[str, object]] = []
    first = None
    judged = (args.needs, args.experts, args.qrels)
    for variant in compare_variants(
        read_settings(args),
        args.corpora,
        judged,
        args.variant,
        seed=args.seed,
        smoke=args.smoke,
        progress=show_progress,
    ):
        first = first or variant
        rows.append(variant.as_json(first))
        if not args.json:
            print(f"{variant.name}（{variant.n_topics} 个主题）", flush=True)
            for label, values in (
                ("留出主题 MRR", variant.reciprocal_ranks),
                ("语义 nDCG@10", variant.dense),
                ("三路 nDCG@10", variant.fused),
            ):
                low, high = compute_interval(values)
                print(f"  {label} {values.mean():.3f}（{low:.3f}–{high:.3f}）", flush=True)
    if args.json:
        print(json.dumps({"variants": rows}, ensure_ascii=False))
    return 0
