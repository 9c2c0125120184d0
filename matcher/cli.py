"""Command line: ``python -m matcher``.

Owns the arguments, and the one place where a command's errors become Chinese sentences on stderr; the exit code says
the kind (see ``matcher.errors``). What the commands do is in ``matcher.commands``, ``matcher.model_commands``,
``matcher.quality_commands`` and ``matcher.workday_commands``.
"""

from __future__ import annotations

import argparse
import io
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from matcher import __version__, commands, model_commands, quality_commands, workday_commands
from matcher.errors import MatcherError
from matcher.vocab import Ring

KINDS = ("needs", "experts", "works", "firms", "institutions", "cooperation")
Handler = Callable[[argparse.Namespace], int]

_CHINESE = {
    "usage: ": "用法：",
    "positional arguments": "参数",
    "options": "选项",
    "show this help message and exit": "显示帮助",
    "show program's version number and exit": "显示版本",
    "%(prog)s: error: %(message)s\n": "命令写得不对：%(message)s。加 --help 看用法。\n",
    "argument %(argument_name)s: %(message)s": "%(argument_name)s：%(message)s",
    "the following arguments are required: %s": "缺少 %s",
    "one of the arguments %s is required": "请从 %s 中给出一个",
    "not allowed with argument %s": "不能与 %s 同时使用",
    "invalid choice: %(value)r (choose from %(choices)s)": "没有“%(value)s”，可用的有 %(choices)s",
    "unrecognized arguments: %s": "不认识 %s",
    "expected one argument": "后面要跟一个值",
    "invalid %(type)s value: %(value)r": "“%(value)s”不合适",
}


def _add(
    parsers: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    example: str,
    run: Handler | None = None,
) -> argparse.ArgumentParser:
    parser = parsers.add_parser(
        name,
        help=text,
        description=text,
        epilog=f"示例：python -m matcher {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _add_group(
    parsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, example: str
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    return _add(parsers, name, text, example).add_subparsers(title="操作", required=True, metavar="操作")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("应是正整数")
    return number


def build_parser() -> argparse.ArgumentParser:
    """All commands with their arguments; every command's help ends with an example."""
    # argparse takes its own sentences from gettext, which has no Chinese catalogue for them.
    vars(argparse)["_"] = lambda sentence: _CHINESE.get(sentence, sentence)
    parser = argparse.ArgumentParser(prog="matcher", description="产学研智能匹配平台")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--home", type=Path, help="数据目录（数据库、索引、设置），默认 var")
    parsers = parser.add_subparsers(title="命令", required=True, metavar="命令")
    _add_match(parsers)
    _add_data(parsers)
    _add_quality(parsers)
    _add_encoder(parsers)
    workday_commands.add_arguments(_add_group, _add, parsers)
    return parser


def _add_match(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    match = _add(
        parsers,
        "match",
        "为一条需求、一个团队或一段文字做匹配",
        "match --need N101 --top 10 --out 候选.xlsx",
        commands.run_match,
    )
    what = match.add_mutually_exclusive_group(required=True)
    what.add_argument("--need", help="需求编号")
    what.add_argument("--expert", help="专家（团队）编号：反向找需求")
    what.add_argument("--text", help="一段文字")
    match.add_argument(
        "--find", choices=("experts", "needs"), default="experts", help="用文字找团队还是找需求"
    )
    match.add_argument("--top", type=_positive, default=20, help="列出多少条，默认 20")
    match.add_argument("--out", type=Path, help="写入文件：.xlsx .docx .csv .json")
    match.add_argument(
        "--ring", action="append", default=[], choices=tuple(Ring), help="只看这个圈层，可重复"
    )
    match.add_argument("--institution", action="append", default=[], help="只看这个单位，可重复")
    match.add_argument("--discipline", action="append", default=[], help="只看这个学科，可重复")
    match.add_argument("--sector", action="append", default=[], help="反向匹配时只看这个领域，可重复")
    match.add_argument("--town", action="append", default=[], help="反向匹配时只看这个镇街，可重复")
    match.add_argument("--practical", action="store_true", help="按实际因素（圈层、名额等）调整顺序")
    match.add_argument("--encoder", help="语义模型：builtin、none、模型名称或目录")


def _add_data(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    index = _add(parsers, "index", "准备数据库和索引（空库时先装入示例数据）", "index", commands.run_index)
    index.add_argument("--rebuild", action="store_true", help="全部重建")
    index.add_argument("--no-samples", action="store_true", help="空库时不装入示例数据")
    index.add_argument("--encoder", help="语义模型：builtin、none、模型名称或目录")
    load = _add(
        parsers,
        "import",
        "从 CSV 或 XLSX 导入，先列出问题，再整批写入",
        "import needs 需求表.xlsx --dry-run",
        commands.run_import,
    )
    load.add_argument("kind", choices=KINDS, help="数据种类")
    load.add_argument("file", type=Path, help="文件")
    load.add_argument("--dry-run", action="store_true", help="只检查，不写入")
    load.add_argument("--drop-samples", action="store_true", help="导入前删除全部示例数据")
    load.add_argument("--skip-bad-rows", action="store_true", help="跳过有误的行，导入其余")
    load.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="来源列=规范列",
        help="手工指定一列对应什么，可重复；等号后留空表示不读取",
    )
    export = _add(
        parsers, "export", "导出一类数据，或一份候选合作清单", "export experts 专家.csv", commands.run_export
    )
    export.add_argument("kind", nargs="?", choices=KINDS, help="数据种类")
    export.add_argument("out", type=Path, help="文件：.xlsx .docx .csv .json")
    export.add_argument("--shortlist", help="候选清单的名称或编号")
    workday_commands.add_candidates(export)
    backup = _add(parsers, "backup", "备份数据库（平台可以正在运行）", "backup 备份.db", commands.run_backup)
    backup.add_argument("out", type=Path, help="备份文件")
    _add(parsers, "drop-samples", "删除全部示例数据", "drop-samples", commands.run_drop_samples)
    _add(parsers, "doctor", "检查安装、数据、模型和索引是否正常", "doctor", commands.run_doctor)


def _add_quality(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evaluate = _add(
        parsers,
        "evaluate",
        "用已评分的数据测量匹配质量（只读文件，不动数据库）",
        "evaluate --needs data/eval/needs.csv --experts data/eval/experts.csv --qrels data/eval/qrels.csv --json",
        quality_commands.run_evaluate,
    )
    for name, text in (("needs", "需求文件"), ("experts", "专家文件"), ("qrels", "评分文件")):
        evaluate.add_argument(f"--{name}", type=Path, required=True, help=text)
    evaluate.add_argument("--works", type=Path, help="成果文件")
    evaluate.add_argument("--encoder", help="语义模型：builtin、none、模型名称或目录")
    evaluate.add_argument("--reranker", help="再用这个精读（CrossEncoder）模型调整前几位的先后：名称或目录")
    evaluate.add_argument("--json", action="store_true", help="只输出一个 JSON 对象")
    evaluate.add_argument("--run", dest="run_file", type=Path, help="把每一对的得分写入 CSV")
    evaluate.add_argument("--channels", help="只把这些通道相加，逗号隔开：lexical,dense,thesaurus")
    evaluate.add_argument("--sectors", action="store_true", help="再分领域报告")
    evaluate.add_argument("--reworded", type=Path, help="同一批需求换一种说法的文件：再报告两种说法的差距")
    evaluate.add_argument("--loso", action="store_true", help="再逐个领域留出来选通道权重")
    evaluate.add_argument("--errors", action="store_true", help="再列出最差的十条需求和差错的种类")
    _add_bench(parsers)
    thesaurus = _add_group(parsers, "thesaurus", "词库：收了什么、哪里薄弱", "thesaurus report")
    report = _add(
        thesaurus,
        "report",
        "报告词库的主题、说法、学科分布，以及与已评分数据的重合",
        "thesaurus report --needs data/eval/needs.csv --experts data/eval/experts.csv",
        quality_commands.run_thesaurus_report,
    )
    report.add_argument("--needs", type=Path, help="需求文件：查大白话与它的重合")
    report.add_argument("--experts", type=Path, help="专家文件：查术语与它的重合")
    report.add_argument("--json", action="store_true", help="只输出一个 JSON 对象")


def _add_bench(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = _add_group(parsers, "bench", "基准测试：编码速度，公开测试集上的成绩", "bench encode")
    encode = _add(
        actions,
        "encode",
        "同一次运行里比较内置模型与一个小型 Transformer 的编码速度，并测加载时间和体积",
        "bench encode",
        quality_commands.run_bench_encode,
    )
    encode.add_argument("--documents", type=_positive, default=2000, help="每轮编码多少条短文，默认 2000")
    encode.add_argument("--rounds", type=_positive, default=3, help="轮数，默认 3")
    text = _add(
        actions,
        "text",
        "在 CSL 等公开测试集上测语义模型，旁边是 BM25",
        "bench text --csl CSL目录 --sts sts-b-test.jsonl.gz",
        quality_commands.run_bench_text,
    )
    text.add_argument("--csl", type=Path, required=True, help="目录，含 ts.test.tsv 和 kg.test.tsv")
    text.add_argument("--sts", type=Path, help="句对文件，每行一个含 s1、s2、label 的 JSON 对象")
    text.add_argument("--limit", type=_positive, help="只用前多少条")
    for parser in (encode, text):
        parser.add_argument("--encoder", help="语义模型：builtin、模型名称或目录")
        parser.add_argument("--json", action="store_true", help="只输出一个 JSON 对象")


def _add_encoder(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = _add_group(parsers, "encoder", "语义模型：信息、下载、选用与训练", "encoder info")
    info = _add(actions, "info", "显示所用的语义模型", "encoder info", model_commands.run_encoder_info)
    info.add_argument("--encoder", help="语义模型：builtin、模型名称或目录")
    fetch = _add(
        actions,
        "fetch",
        "把 Hugging Face 上的模型下载到一个普通目录，可用 U 盘拷到别的电脑",
        "encoder fetch BAAI/bge-small-zh-v1.5 --out bge-small-zh",
        model_commands.run_encoder_fetch,
    )
    fetch.add_argument("name", help="模型名称")
    fetch.add_argument("--out", type=Path, required=True, help="目录，应是空的或还没有")
    fetch.add_argument("--reranker", dest="reading", action="store_true", help="这是精读（CrossEncoder）模型")
    use = _add(
        actions,
        "use",
        "选用一个语义模型：检查、重算向量、写入 settings.toml",
        "encoder use ./bge-small-zh",
        model_commands.run_encoder_use,
    )
    use.add_argument("name", nargs="?", help="builtin、none、模型名称或目录")
    use.add_argument("--query-prompt", help="查询前面加的提示语；默认用模型自带的，写空串则不加")
    use.add_argument("--document-prompt", help="资料前面加的提示语；同上")
    use.add_argument("--reset", action="store_true", help="改回内置模型，去掉提示语")
    train = _add(
        actions,
        "train",
        "训练内置语义模型",
        "encoder train --corpora 语料目录 --out 输出目录",
        model_commands.run_encoder_train,
    )
    train.add_argument("--corpora", type=Path, required=True, help="语料目录（格式见模型说明）")
    train.add_argument("--thesaurus", type=Path, help="词库目录，默认 data/thesaurus")
    train.add_argument("--statements", type=Path, help="训练语句文件，默认 data/training/pairs.jsonl")
    train.add_argument("--holdout", action="store_true", help="留出十分之一主题作验证，报告验证成绩")
    train.add_argument("--out", type=Path, required=True, help="输出目录")
    train.add_argument("--seed", type=int, default=0, help="随机种子，默认 0")
    train.add_argument("--smoke", action="store_true", help="小样本快速走通全流程")
    compare = _add(
        actions,
        "compare",
        "比较几种训练方案：留出的主题和已评分的数据上各得多少（每种约四分钟，不保存模型）",
        "encoder compare --corpora 语料目录 --needs data/eval/needs.csv --experts data/eval/experts.csv"
        " --qrels data/eval/qrels.csv",
        model_commands.run_encoder_compare,
    )
    compare.add_argument("--corpora", type=Path, required=True, help="语料目录（格式见模型说明）")
    for name, text in (("needs", "需求文件"), ("experts", "专家文件"), ("qrels", "评分文件")):
        compare.add_argument(f"--{name}", type=Path, required=True, help=text)
    compare.add_argument("--variant", action="append", default=[], help="只比较这个方案，可重复；默认全部")
    compare.add_argument("--seed", type=int, default=0, help="随机种子，默认 0")
    compare.add_argument("--smoke", action="store_true", help="小样本快速走通全流程")
    compare.add_argument("--json", action="store_true", help="只输出一个 JSON 对象")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    for stream in (
        sys.stdout,
        sys.stderr,
    ):  # a GBK console has no “↔”; a question mark is better than an error
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    args = build_parser().parse_args(argv)
    try:
        code: int = args.run(args)
    except MatcherError as error:
        print(f"出错：{error.user_message}", file=sys.stderr)
        if error.hint:
            print(f"怎么办：{error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("已中断。", file=sys.stderr)
        return 130
    except Exception as error:
        logging.getLogger(__name__).debug("unexpected", exc_info=True)
        print(f"出错：程序内部错误（{type(error).__name__}: {error}）。", file=sys.stderr)
        print("怎么办：请运行 python -m matcher doctor 检查，或把上面的信息发给维护人员。", file=sys.stderr)
        return MatcherError.exit_code
    return code
