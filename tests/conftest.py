"""Shared by all areas: hypothesis settings, the hashing fake, record factories, databases, a thesaurus, sample data."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings

from matcher.encoding.protocol import Encoder
from matcher.models import Expert, Need, Work
from matcher.ranking.scorer import Scorer, ScoringParams
from matcher.retrieval.expansion import Expander
from matcher.retrieval.index import PoolIndex
from matcher.retrieval.pool import build_expert_pool
from matcher.text.thesaurus import Thesaurus, Topic, load_thesaurus, merge_topics
from matcher.text.tokenise import Tokeniser

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"

# The same examples at every run: a red test stays red until it is mended. `--hypothesis-profile soak` looks further.
settings.register_profile("matcher", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=2000)
settings.load_profile("matcher")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes stay out of the names of tests: nobody can read them, and a packed file holds the time of its making,
    so that two processes would not agree on the names.
    """
    return argname if isinstance(val, bytes) else None


def _load(name: str) -> ModuleType:
    """A helper module by its place below tests/, which is no package."""
    spec = importlib.util.spec_from_file_location(
        f"tests_{name.replace('/', '_')}", ROOT / "tests" / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make_encoder() -> Callable[..., Encoder]:
    """``HashingEncoder(name="hashing", dimension=64)``."""
    return _load("encoding/fakes").HashingEncoder


@pytest.fixture(scope="session", autouse=True)
def shared_word_tools() -> Iterator[None]:
    """Applications over equal thesauri share tokeniser and expander, as threads of one process do.

    Each application would otherwise spend four seconds on cutting the same thirty thousand terms.
    """
    from matcher.services import engine, evaluating

    expanders: dict[tuple[str, str], Expander] = {}
    tokeniser = lru_cache(maxsize=4)(Tokeniser)

    def expander(thesaurus: Thesaurus, words: Tokeniser, **options: Any) -> Expander:
        if any(options.values()):
            return Expander(thesaurus, words, **options)
        key = thesaurus.fingerprint, words.fingerprint
        if key not in expanders:
            expanders[key] = Expander(thesaurus, words)
        return expanders[key]

    with pytest.MonkeyPatch.context() as patch:
        for module in (engine, evaluating):
            patch.setattr(module, "Tokeniser", tokeniser)
            patch.setattr(module, "Expander", expander)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """One real PostgreSQL server for the session: a ``Server`` of tests/contract/postgres.py."""
    with _load("contract/postgres").running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own."""
    with postgres_server.empty_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; the test runs once on each kind."""
    if request.param == "sqlite":
        folder = tmp_path / "数据 库"
        folder.mkdir()
        return f"sqlite:///{folder / 'matcher.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def make_need() -> Callable[..., Need]:
    def make(need_id: str = "N1", title: str = "", problem: str = "", **fields: object) -> Need:
        return Need(need_id, "示例企业", title, problem, **fields)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def make_expert() -> Callable[..., Expert]:
    def make(expert_id: str = "E1", *directions: str, **fields: object) -> Expert:
        given = {"name": "张三", "institution": "某大学", "research_directions": directions, **fields}
        return Expert(expert_id, **given)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def small_thesaurus() -> Thesaurus:
    return merge_topics(
        [
            Topic("摩擦学", "汽车机电", ("磨得快", "轴承发烫"), ("摩擦磨损", "自润滑涂层"), ("轴承",), ("机械工程",)),
            Topic("海参育苗", "海洋生物", ("海参化皮", "苗种死得多"), ("病害防控", "苗种繁育"), ("海参",), ("水产养殖",)),
            Topic("机器视觉", "电子信息", ("看不清划痕", "漏检"), ("表面缺陷检测", "图像识别"), ("相机",), ("自动化",)),
        ]
    )  # fmt: skip


@pytest.fixture(scope="session")
def small_tokeniser(small_thesaurus: Thesaurus) -> Tokeniser:
    return Tokeniser(small_thesaurus.lexicon)


@pytest.fixture(scope="session")
def small_expander(small_thesaurus: Thesaurus, small_tokeniser: Tokeniser) -> Expander:
    return Expander(small_thesaurus, small_tokeniser)


@pytest.fixture(scope="session")
def make_scorer(small_tokeniser: Tokeniser, small_expander: Expander) -> Callable[..., Scorer]:
    def make(
        experts: Iterable[Expert],
        works: Iterable[Work] = (),
        encoder: Encoder | None = None,
        params: ScoringParams | None = None,
    ) -> Scorer:
        index = PoolIndex.build(build_expert_pool(experts, works), small_tokeniser, encoder)
        return Scorer(index, small_tokeniser, small_expander, encoder, params)

    return make


@dataclass(frozen=True)
class Sample:
    """The shipped sample records."""

    needs: tuple[Need, ...]
    experts: tuple[Expert, ...]
    works: tuple[Work, ...]


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split("；") if part.strip())


@pytest.fixture(scope="session")
def sample() -> Sample:
    texts: Sequence[str] = ("need_id", "company", "title", "problem", "key_tech", "goal", "sector", "town")
    needs = (
        Need(**{k: row[k] for k in texts}, keywords=_parts(row["keywords"])) for row in _rows("needs.csv")
    )
    lists = ("disciplines", "research_directions", "achievements", "keywords")
    plain = ("expert_id", "name", "institution", "department", "ring", "industry_experience", "source")
    experts = (
        Expert(**{k: row[k] for k in plain}, **{k: _parts(row[k]) for k in lists})  # type: ignore[arg-type]
        for row in _rows("experts.csv")
    )
    works = (
        Work(
            row["work_id"], row["expert_id"], row["kind"], row["title"], None, row["abstract"], row["source"]
        )
        for row in _rows("works.csv")
    )
    return Sample(tuple(needs), tuple(experts), tuple(works))


@pytest.fixture(scope="session")
def shipped_thesaurus() -> Thesaurus:
    return load_thesaurus([DATA / "thesaurus"])


@pytest.fixture(scope="session")
def shipped_tokeniser(shipped_thesaurus: Thesaurus) -> Tokeniser:
    return Tokeniser(shipped_thesaurus.lexicon)


@pytest.fixture(scope="session")
def shipped_expander(shipped_thesaurus: Thesaurus, shipped_tokeniser: Tokeniser) -> Expander:
    return Expander(shipped_thesaurus, shipped_tokeniser)
