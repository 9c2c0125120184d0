"""Benchmark of speed: documents a second beside a small transformer, seconds of loading, bytes shipped.

Owns the conditions of the measuring: one run, the same texts, threads and batches, alternating rounds. Quality is
measured elsewhere (``text_benchmark``, ``evaluating``).
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from matcher.config import NO_ENCODER, ROOT, Settings
from matcher.encoding.loading import BUILTIN_DIR, load_model
from matcher.encoding.protocol import Progress
from matcher.encoding.sentence_transformer import SentenceTransformerEncoder
from matcher.errors import EncoderError, InputError
from matcher.evaluation.peer import PEER, build_peer
from matcher.models import Expert, Work
from matcher.retrieval.pool import build_expert_pool
from matcher.services.evaluating import read_records

MIN_RATIO = 20.0
MAX_LOAD_SECONDS = 1.0
MAX_BYTES = 40 * 2**20
WARM_UP = 64
_LOAD_TIMEOUT = 300
_LOADING = """
import sys, time
from sentence_transformers import SentenceTransformer
from matcher.encoding.sentence_transformer import load_encoder
started = time.perf_counter()
encoder = load_encoder(sys.argv[1], cache_dir=sys.argv[2], offline=True)
loaded = time.perf_counter()
encoder.encode_document(["轴承磨损"])
print(loaded - started, time.perf_counter() - loaded)
"""


@dataclass(frozen=True)
class EncodeBench:
    """Speed of a model beside the peer, in one process, on the same texts, with the same threads and batches.

    Attributes:
        encoder: name of the model.
        n_documents: texts encoded in a round.
        n_rounds: alternating rounds; speeds are medians over them.
        n_threads: of torch, for both.
        speed: documents a second.
        peer_speed: the same of the peer.
        ratios: speed by peer speed in each round.
        load_seconds: loading in a fresh process, once the libraries are imported.
        first_seconds: the first text in that process.
        n_bytes: of the shipped directory, whichever model is measured.
    """

    encoder: str
    n_documents: int
    n_rounds: int
    n_threads: int
    speed: float
    peer_speed: float
    ratios: tuple[float, ...]
    load_seconds: float
    first_seconds: float
    n_bytes: int

    @property
    def ratio(self) -> float:
        return self.speed / self.peer_speed

    @property
    def checks(self) -> dict[str, bool]:
        """Whether each limit is kept."""
        return {
            "ratio": self.ratio >= MIN_RATIO,
            "load_seconds": self.load_seconds <= MAX_LOAD_SECONDS,
            "bytes": self.n_bytes <= MAX_BYTES,
        }

    def as_json(self) -> dict[str, object]:
        return {
            "encoder": self.encoder,
            "documents": self.n_documents,
            "rounds": self.n_rounds,
            "threads": self.n_threads,
            "documents_per_second": round(self.speed, 1),
            "peer": PEER,
            "peer_documents_per_second": round(self.peer_speed, 1),
            "ratio": round(self.ratio, 1),
            "ratio_range": [round(min(self.ratios), 1), round(max(self.ratios), 1)],
            "load_seconds": round(self.load_seconds, 3),
            "first_seconds": round(self.first_seconds, 3),
            "bytes": self.n_bytes,
            "limits": {"ratio": MIN_RATIO, "load_seconds": MAX_LOAD_SECONDS, "bytes": MAX_BYTES},
            "ok": self.checks,
        }


def measure_encoding(
    settings: Settings, n_documents: int = 2_000, n_rounds: int = 3, progress: Progress | None = None
) -> EncodeBench:
    """Encode facets of the sample experts with the settings' model and with the peer, on the CPU.

    Args:
        settings: which model, and where the sample data lie.
        n_documents: texts a round; the facets are repeated in order when there are fewer.
        n_rounds: rounds, each model once a round.
        progress: told the rounds done.

    Raises:
        InputError: the settings name no model, or the sample data cannot be read.
        EncoderError: the model cannot be loaded.
    """
    import torch

    name = settings.encoder.name
    if name == NO_ENCODER:
        raise InputError("没有选用语义模型，没有可测的速度。", "请用 --encoder 指定模型，如 builtin。")
    texts = _documents(settings, n_documents)
    model = load_model(name, cache_dir=settings.home / "models", offline=settings.encoder.offline or None)
    ours = SentenceTransformerEncoder(model.to("cpu"), name)
    peer = SentenceTransformerEncoder(build_peer(), PEER)
    seconds: tuple[list[float], list[float]] = ([], [])
    for encoder in (ours, peer):
        encoder.encode_document(texts[:WARM_UP])
    for done in range(n_rounds):
        for encoder, taken in zip((ours, peer), seconds, strict=True):
            started = time.perf_counter()
            encoder.encode_document(texts)
            taken.append(time.perf_counter() - started)
        if progress:
            progress(done + 1, n_rounds)
    load_seconds, first_seconds = measure_loading(settings)
    return EncodeBench(
        name,
        len(texts),
        n_rounds,
        torch.get_num_threads(),
        len(texts) / statistics.median(seconds[0]),
        len(texts) / statistics.median(seconds[1]),
        tuple(theirs / own for own, theirs in zip(*seconds, strict=True)),
        load_seconds,
        first_seconds,
        sum(path.stat().st_size for path in BUILTIN_DIR.rglob("*") if path.is_file()),
    )


def _documents(settings: Settings, n_documents: int) -> list[str]:
    experts = [r for r in read_records("experts", settings.data / "experts.csv") if isinstance(r, Expert)]
    works = [r for r in read_records("works", settings.data / "works.csv") if isinstance(r, Work)]
    facets = [facet.text for facet in build_expert_pool(experts, works).facets]
    if not facets:
        raise InputError("示例数据里没有专家，没有可编码的文字。", "请恢复 data 目录。")
    return [facets[number % len(facets)] for number in range(n_documents)]


def measure_loading(settings: Settings) -> tuple[float, float]:
    """Seconds to load the model and to encode a first text, in a fresh process that has imported the libraries.

    Raises:
        EncoderError: it cannot be loaded there.
    """
    command = [sys.executable, "-c", _LOADING, settings.encoder.name, str(settings.home / "models")]
    try:
        done = subprocess.run(  # noqa: S603 # this interpreter, this program's own code
            command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=_LOAD_TIMEOUT
        )
        load, first = map(float, done.stdout.split())
    except (subprocess.SubprocessError, ValueError) as error:
        raise EncoderError(
            "另起一个进程加载模型时出错。", "请运行 python -m matcher doctor 检查。"
        ) from error
    return load, first
