"""What the commands on models and quality do: one call of a service, and printing.

Arguments are parsed and errors are caught in ``matcher.cli``.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import asdict

from matcher.commands import read_settings, show_progress, writing


def run_evaluate(args: argparse.Namespace) -> int:
    from matcher.services.evaluating import RUN_HEADER, evaluate_files

    found = evaluate_files(read_settings(args), args.needs, args.experts, args.qrels, args.works)
    if args.run_file:
        with writing(args.run_file), args.run_file.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(RUN_HEADER)
            writer.writerows(found.run_rows())
    result = found.as_json()
    if args.json:
        print(json.dumps(result, ensure_ascii=False))
        return 0
    print(f"{result['n_needs']} 条需求，模型 {result['encoder']}，{result['seconds']} 秒；括号内为 95% 区间")
    for system, values in found.report.means.items():
        low, high = found.report.intervals[system]["ndcg@10"]
        shown = "  ".join(f"{metric} {value:.3f}" for metric, value in values.items())
        print(f"{system:<10} {shown}  (nDCG@10 {low:.3f}–{high:.3f})")
    return 0


def run_encoder_info(args: argparse.Namespace) -> int:
    from matcher.services.encoder import build_encoder

    encoder = build_encoder(read_settings(args))
    if encoder is None:
        print("未启用语义模型。")
        return 0
    print(f"名称 {encoder.name}\n维数 {encoder.dimension}\n指纹 {encoder.fingerprint}")
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
