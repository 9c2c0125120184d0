"""The index on disk: served only when it is the one of the present data, lexicon and model, and undamaged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from matcher.encoding.protocol import Encoder
from matcher.errors import IndexStaleError
from matcher.models import Expert
from matcher.retrieval.index import PoolIndex, compute_manifest
from matcher.retrieval.lexical import BM25Params, LexicalIndex
from matcher.retrieval.pool import Pool, build_expert_pool
from matcher.text.tokenise import Tokeniser

ROOT = Path(__file__).resolve().parents[2]
FILES = ("items.npz", "facets.npz", "items.faiss", "facets.faiss", "manifest.json")


@pytest.fixture
def pool(make_expert: Callable[..., Expert]) -> Pool:
    return build_expert_pool(
        [make_expert("E1", "摩擦磨损机理", "润滑"), make_expert("E2"), make_expert("E3", "海参苗种繁育")]
    )


@pytest.fixture
def encoder(make_encoder: Callable[..., Encoder]) -> Encoder:
    return make_encoder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "索 引" / "experts"


@pytest.fixture
def index(pool: Pool, small_tokeniser: Tokeniser, encoder: Encoder, folder: Path) -> PoolIndex:
    built = PoolIndex.build(pool, small_tokeniser, encoder)
    built.save(folder)
    return built


def answers(index: PoolIndex, encoder: Encoder) -> list[np.ndarray]:
    query = dict.fromkeys(("w:磨损", "磨", "参", "海参"), 1.0)
    found = [index.items.score([query]), index.facets.score([query])]
    vectors = encoder.encode_query(["海参磨损"])
    return [*found, *(v.cosines(vectors) for v in (index.item_vectors, index.facet_vectors) if v is not None)]


def refused(folder: Path, pool: Pool, index: PoolIndex) -> None:
    with pytest.raises(IndexStaleError) as caught:
        PoolIndex.load(folder, pool, index.manifest)
    assert "索引" in caught.value.user_message
    assert "重建" in caught.value.hint


def test_rows_are_items_and_facets(index: PoolIndex, pool: Pool, encoder: Encoder) -> None:
    assert (index.items.n_documents, index.facets.n_documents) == (3, 3)
    items, facets, by_item, by_facet = answers(index, encoder)
    assert (items > 0).tolist() == [[True, False, True]]
    assert (facets > 0).tolist() == [[True, False, True]]
    query = encoder.encode_query(["海参磨损"])
    documents = encoder.encode_document([facet.text for facet in pool.facets])
    np.testing.assert_allclose(by_facet, query @ documents.T, atol=1e-6)
    profiles = encoder.encode_document(["摩擦磨损机理；润滑", "", "海参苗种繁育"])
    np.testing.assert_allclose(by_item, query @ profiles.T, atol=1e-6)


def test_saved_and_loaded_is_the_same(index: PoolIndex, pool: Pool, folder: Path, encoder: Encoder) -> None:
    loaded = PoolIndex.load(folder, pool, index.manifest)
    assert loaded.manifest == index.manifest
    for one, other in zip(answers(loaded, encoder), answers(index, encoder), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_empty_pool_is_saved_and_loaded(
    small_tokeniser: Tokeniser, encoder: Encoder, folder: Path
) -> None:
    empty = build_expert_pool([])
    index = PoolIndex.build(empty, small_tokeniser, encoder)
    index.save(folder)
    assert [a.shape for a in answers(PoolIndex.load(folder, empty, index.manifest), encoder)] == [(1, 0)] * 4


def test_without_an_encoder_the_vectors_on_disk_are_not_read(
    index: PoolIndex, pool: Pool, small_tokeniser: Tokeniser, folder: Path, encoder: Encoder
) -> None:
    for name in ("items.faiss", "facets.faiss"):
        (folder / name).write_bytes(b"rubbish")
    loaded = PoolIndex.load(folder, pool, compute_manifest(pool, small_tokeniser, None, BM25Params()))
    assert loaded.item_vectors is None
    assert loaded.facet_vectors is None
    for one, other in zip(answers(loaded, encoder), answers(index, encoder), strict=False):
        np.testing.assert_array_equal(one, other)


def test_an_encoder_added_later_is_the_same_index(
    index: PoolIndex, pool: Pool, small_tokeniser: Tokeniser, encoder: Encoder
) -> None:
    later = PoolIndex.build(pool, small_tokeniser).with_encoder(encoder)
    assert later.manifest == index.manifest
    for one, other in zip(answers(later, encoder), answers(index, encoder), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("change", ["pool", "lexicon", "encoder", "k1", "b", "vectors wanted"])
def test_an_index_of_other_parts_is_refused(
    change: str,
    pool: Pool,
    small_tokeniser: Tokeniser,
    folder: Path,
    make_encoder: Callable[..., Encoder],
    make_expert: Callable[..., Expert],
) -> None:
    other_pool = build_expert_pool(
        [make_expert("E1", "摩擦磨损", "润滑"), make_expert("E2"), make_expert("E3", "海参")]
    )
    saved = PoolIndex.build(
        other_pool if change == "pool" else pool,
        Tokeniser(["油滑气刀"]) if change == "lexicon" else small_tokeniser,
        None if change == "vectors wanted" else make_encoder("other" if change == "encoder" else "hashing"),
        bm25=BM25Params(k1=2.0 if change == "k1" else 1.2, b=0.3 if change == "b" else 0.75),
    )
    saved.save(folder)
    refused(folder, pool, PoolIndex.build(pool, small_tokeniser, make_encoder()))


def test_an_index_where_a_silent_expert_moved_the_rows_is_refused(
    small_tokeniser: Tokeniser, folder: Path, make_expert: Callable[..., Expert]
) -> None:
    """Experts without any text count as rows: “E2” before “E5” makes E5 the second, “E7” after it the first."""
    PoolIndex.build(build_expert_pool([make_expert("E5", "海参"), make_expert("E7")]), small_tokeniser).save(
        folder
    )
    now = build_expert_pool([make_expert("E2"), make_expert("E5", "海参")])
    refused(folder, now, PoolIndex.build(now, small_tokeniser))


def test_no_folder_and_an_empty_folder_are_refused(index: PoolIndex, pool: Pool, folder: Path) -> None:
    refused(folder.parent / "没有", pool, index)
    (folder.parent / "空").mkdir()
    refused(folder.parent / "空", pool, index)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(name: str, index: PoolIndex, pool: Pool, folder: Path) -> None:
    (folder / name).unlink()
    refused(folder, pool, index)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_refused(
    name: str, share: float, index: PoolIndex, pool: Pool, folder: Path
) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(len(content) * share)])
    refused(folder, pool, index)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks Linux for the open files")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_refused_file_is_closed(index: PoolIndex, pool: Pool, folder: Path) -> None:
    """An open handle would keep Windows from replacing the folder, and warns at every start."""
    (folder / "items.npz").write_bytes((folder / "items.npz").read_bytes()[:200])
    refused(folder, pool, index)
    open_files = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.exists()]
    assert not [name for name in open_files if name.startswith(str(folder))]


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_byte_is_refused(name: str, index: PoolIndex, pool: Pool, folder: Path) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) * 2 // 3] ^= 0x10
    (folder / name).write_bytes(bytes(content))
    refused(folder, pool, index)


@pytest.mark.parametrize("content", ["", "null", "[]", "{}", '{"pool": 1}', "\x00", "not json"])
def test_a_manifest_that_is_none_is_refused(content: str, index: PoolIndex, pool: Pool, folder: Path) -> None:
    (folder / "manifest.json").write_text(content, encoding="utf-8")
    refused(folder, pool, index)


def test_a_manifest_of_another_format_is_refused(index: PoolIndex, pool: Pool, folder: Path) -> None:
    raw = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    path = folder / "manifest.json"
    path.write_text(json.dumps({**raw, "format": 0}), encoding="utf-8")
    refused(folder, pool, index)
    path.write_text(json.dumps({**raw, "added later": 1}), encoding="utf-8")
    refused(folder, pool, index)


@pytest.mark.parametrize("name", FILES[:4])
def test_a_file_of_another_index_is_refused(
    name: str,
    index: PoolIndex,
    pool: Pool,
    folder: Path,
    small_tokeniser: Tokeniser,
    make_encoder: Callable[..., Encoder],
    make_expert: Callable[..., Expert],
) -> None:
    """A restore that copied half of the files: same sizes, other content."""
    other = build_expert_pool(
        [make_expert("E1", "断裂", "疲劳"), make_expert("E2"), make_expert("E3", "焊接")]
    )
    foreign = folder.parent / "other"
    PoolIndex.build(other, small_tokeniser, make_encoder(dimension=32)).save(foreign)
    shutil.copy(foreign / name, folder / name)
    refused(folder, pool, index)


def test_a_reader_never_gets_a_mix_of_two_indexes(
    index: PoolIndex,
    pool: Pool,
    folder: Path,
    encoder: Encoder,
    small_tokeniser: Tokeniser,
    make_expert: Callable[..., Expert],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another process saves its newer index after the reader has read the manifest."""
    other = build_expert_pool(
        [make_expert("E1", "断裂", "疲劳"), make_expert("E2"), make_expert("E3", "焊接")]
    )
    newer = PoolIndex.build(other, small_tokeniser, encoder)
    plain_load = LexicalIndex.load.__func__  # type: ignore[attr-defined]

    def load_late(cls: type[LexicalIndex], *arguments: object) -> LexicalIndex:
        newer.save(folder)
        return plain_load(cls, *arguments)

    monkeypatch.setattr(LexicalIndex, "load", classmethod(load_late))
    try:
        loaded = PoolIndex.load(folder, pool, index.manifest)
    except IndexStaleError:
        return
    for one, expected in zip(answers(loaded, encoder), answers(index, encoder), strict=True):
        np.testing.assert_array_equal(one, expected)


def test_saving_replaces_what_was_there(
    index: PoolIndex,
    folder: Path,
    small_tokeniser: Tokeniser,
    encoder: Encoder,
    make_expert: Callable[..., Expert],
) -> None:
    (folder / "old.txt").write_text("x")
    pool = build_expert_pool([make_expert("E1", "断裂")])
    newer = PoolIndex.build(pool, small_tokeniser)
    newer.save(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["facets.npz", "items.npz", "manifest.json"]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert PoolIndex.load(folder, pool, newer.manifest).manifest == newer.manifest


def test_a_save_that_fails_leaves_nothing_behind(
    index: PoolIndex, pool: Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LexicalIndex, "save", full)
    with pytest.raises(OSError, match="No space"):
        index.save(folder)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert PoolIndex.load(folder, pool, index.manifest).manifest == index.manifest


def test_threads_saving_at_once_leave_a_loadable_index(
    index: PoolIndex, pool: Pool, folder: Path, encoder: Encoder
) -> None:
    wrong: list[BaseException] = []

    def save() -> None:
        try:
            for _ in range(15):
                index.save(folder)
        except OSError as error:
            wrong.append(error)

    writers = [threading.Thread(target=save) for _ in range(2)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        try:
            seen = answers(PoolIndex.load(folder, pool, index.manifest), encoder)
        except IndexStaleError:
            continue  # between two folders: the reader rebuilds
        for one, other in zip(seen, answers(index, encoder), strict=True):
            np.testing.assert_array_equal(one, other)
    for writer in writers:
        writer.join()
    assert wrong == []
    assert PoolIndex.load(folder, pool, index.manifest).manifest == index.manifest
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


SAVER = """
import sys
from pathlib import Path
from matcher.models import Expert
from matcher.retrieval.index import PoolIndex
from matcher.retrieval.pool import build_expert_pool
from matcher.text.tokenise import Tokeniser

pool = build_expert_pool([Expert("E1", "张三", "某大学", research_directions=("摩擦磨损", "润滑"))])
index = PoolIndex.build(pool, Tokeniser())
sys.stdin.readline()
for _ in range(60):
    index.save(Path(sys.argv[1]))
"""


def test_processes_saving_at_once_leave_a_loadable_index(
    folder: Path, make_expert: Callable[..., Expert]
) -> None:
    command = [sys.executable, "-c", SAVER, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    savers = [subprocess.Popen(command, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for saver in savers:
        saver.stdin.write("go\n")
        saver.stdin.flush()
    for saver in savers:
        _, errors = saver.communicate(timeout=60)
        assert saver.returncode == 0, errors
    pool = build_expert_pool([make_expert("E1", "摩擦磨损", "润滑")])
    expected = compute_manifest(pool, Tokeniser(), None, BM25Params())
    assert PoolIndex.load(folder, pool, expected).manifest == expected
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


class CountingTokeniser(Tokeniser):
    """Remembers what it was asked to cut."""

    def __init__(self, lexicon: tuple[str, ...]) -> None:
        super().__init__(lexicon)
        self.asked: list[str] = []

    def features(self, text: str) -> list[str]:
        self.asked.append(text)
        return super().features(text)


def test_an_edit_costs_only_what_is_new_and_gives_the_index_of_a_fresh_build(
    pool: Pool,
    small_tokeniser: Tokeniser,
    encoder: Encoder,
    make_expert: Callable[..., Expert],
    make_encoder: Callable[..., Encoder],
) -> None:
    tokeniser = CountingTokeniser(small_tokeniser.lexicon)
    told: list[tuple[str, int, int]] = []
    before = PoolIndex.build(pool, tokeniser, encoder, background=["焊接 变形"])
    assert sorted(tokeniser.asked) == sorted({*(f.text for f in pool.facets), "焊接 变形"})
    tokeniser.asked.clear()
    edited = build_expert_pool([make_expert("E1", "摩擦磨损", "全新的方向"), make_expert("E9", "润滑")])
    after = PoolIndex.build(
        edited,
        tokeniser,
        encoder,
        background=["焊接 变形"],
        previous=before,
        progress=lambda *step: told.append(step),
    )
    known = {f.text for f in pool.facets}
    assert sorted(tokeniser.asked) == sorted({f.text for f in edited.facets} - known)
    fresh = PoolIndex.build(edited, small_tokeniser, encoder, background=["焊接 变形"])
    assert after.manifest == fresh.manifest
    assert after.facets.features == fresh.facets.features
    for one, two in ((after.facets, fresh.facets), (after.items, fresh.items)):
        np.testing.assert_array_equal(one.counts.toarray(), two.counts.toarray())
    for left, right in zip(answers(after, encoder), answers(fresh, encoder), strict=True):
        np.testing.assert_array_equal(left, right)
    assert {what for what, _, _ in told} == {"分词", "生成语义向量"}
    assert all(done <= total for _, done, total in told)


def test_an_index_of_another_lexicon_or_model_lends_nothing(
    pool: Pool,
    small_tokeniser: Tokeniser,
    encoder: Encoder,
    make_expert: Callable[..., Expert],
    make_encoder: Callable[..., Encoder],
) -> None:
    before = PoolIndex.build(pool, Tokeniser(["摩擦磨损"]), make_encoder(dimension=32))
    after = PoolIndex.build(pool, small_tokeniser, encoder, previous=before)
    fresh = PoolIndex.build(pool, small_tokeniser, encoder)
    for left, right in zip(answers(after, encoder), answers(fresh, encoder), strict=True):
        np.testing.assert_array_equal(left, right)
