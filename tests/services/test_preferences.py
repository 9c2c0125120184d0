"""Choices written into settings.toml: what else the file holds, and how it is written, stays as it was."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from matcher.config import EncoderSettings, load_settings
from matcher.errors import InputError
from matcher.services import preferences
from matcher.services.preferences import FILE, save_encoder

CHOSEN = EncoderSettings("lab/model", "查询：", None)
WRITTEN = '# 本局设置\n[encoder]\nname = "builtin"\n\n[targets]\nyearly = 25 # 加码\n'


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_line_ends_and_byte_order_mark_stay(tmp_path: Path, mark: bytes, end: str) -> None:
    (tmp_path / FILE).write_bytes(mark + WRITTEN.replace("\n", end).encode())
    save_encoder(tmp_path, CHOSEN)
    raw = (tmp_path / FILE).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") == bool(mark)
    text = raw.removeprefix(mark).decode()
    assert text.count("\n") == text.count(end) > 5
    assert ("\r" in text) == ("\r" in end)
    assert "# 加码" in text
    assert load_settings(tmp_path, {}).encoder == CHOSEN
    save_encoder(tmp_path, CHOSEN)
    assert (tmp_path / FILE).read_bytes() == raw


def test_a_new_file_is_plain(tmp_path: Path) -> None:
    save_encoder(tmp_path / "new", CHOSEN)
    raw = (tmp_path / "new" / FILE).read_bytes()
    assert tomllib.loads(raw.decode())["encoder"]["name"] == "lab/model"
    assert b"\r" not in raw


def test_the_text_is_on_the_disk_before_it_takes_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, put = os.fsync, os.replace

    def synced(handle: int) -> None:
        order.append(f"fsync {os.fstat(handle).st_size > 0}")
        fsync(handle)

    def replaced(draft: str, path: Path) -> None:
        order.append("replace")
        put(draft, path)

    monkeypatch.setattr(preferences.os, "fsync", synced)
    monkeypatch.setattr(preferences.os, "replace", replaced)
    save_encoder(tmp_path, CHOSEN)
    assert order == ["fsync True", "replace"]


@pytest.mark.parametrize(
    "content", ['encoder = "x"\n', '[[encoder]]\nname = "x"\n', "encoder = 3\n", "[broken"]
)
def test_a_file_without_such_a_section_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        save_encoder(tmp_path, CHOSEN)
    assert caught.value.hint
    assert (tmp_path / FILE).read_text("utf-8") == content
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    "content",
    ['encoder = { name = "x" }\n', 'encoder.name = "x"\n', '[encoder]\nname = "x"\n[a]\n[encoder.b]\n'],
)
def test_every_spelling_of_the_section_is_written(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    save_encoder(tmp_path, CHOSEN)
    section = tomllib.loads((tmp_path / FILE).read_text("utf-8"))["encoder"]
    assert (section["name"], section["query_prompt"]) == ("lab/model", "查询：")
