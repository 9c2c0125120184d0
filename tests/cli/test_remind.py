"""``remind``: the digest of overdue 对接 on the command line and as a file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from matcher.cli import main
from matcher.config import EncoderSettings, Settings
from matcher.errors import InputError, NotFoundError
from matcher.models import Engagement, Expert, Need, Person
from matcher.services.bootstrap import open_application
from matcher.services.engaging import begin_engagement
from matcher.store.repositories import Repositories
from matcher.vocab import Role

Remind = Callable[..., tuple[int, str, str]]


@pytest.fixture
def remind(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Remind:
    """``remind(*arguments)`` over a home with one 对接 nobody touched for 30 days → (exit code, stdout, stderr)."""
    monkeypatch.delenv("MATCHER_DATABASE_URL", raising=False)
    monkeypatch.setenv("MATCHER_ENCODER", "none")
    home = tmp_path / "home"
    settings = Settings(home, f"sqlite:///{home / 'matcher.db'}", encoder=EncoderSettings("none"))

    def clock() -> datetime:
        return datetime.now(UTC) - timedelta(days=30)

    with open_application(settings, clock, samples=False) as app, app.database.session() as session:
        stored = Repositories(session, clock)
        stored.accounts.add(Person("wang", "王科长", Role.OFFICIAL), "hash", must_change=False)
        need = Need("N1", "甲企业", "轴承发烫", "轴承发烫", status="已发布")
        expert = Expert("E1", "张团队", "某大学")
        stored.needs.upsert([need])
        stored.experts.upsert([expert])
        made: Engagement = begin_engagement(stored, app.review._access, clock, need, expert, owner="wang")
        assert made.owner == "wang"

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["--home", str(home), "remind", *map(str, arguments)])
        return (code, *capsys.readouterr())

    return run


def test_it_prints_one_digest_an_owner(remind: Remind) -> None:
    code, out, _ = remind()
    assert code == 0
    assert out.splitlines() == [
        "王科长：1 项要跟进",
        "  拖得久了  甲企业 – 张团队（已推荐）：已 30 天没有跟进",
    ]
    assert remind("--owner", "wang")[1] == out


def test_it_writes_a_file_and_refuses_what_it_cannot(remind: Remind, tmp_path: Path) -> None:
    assert remind("--out", tmp_path / "提醒.csv")[0] == 0
    assert "已 30 天没有跟进" in (tmp_path / "提醒.csv").read_text(encoding="utf-8-sig")
    assert remind("--out", tmp_path / "提醒.exe")[0] == InputError.exit_code
    code, out, error = remind("--owner", "nobody")
    assert (code, out) == (NotFoundError.exit_code, "")
    assert "没有登录名为“nobody”的经办人" in error
