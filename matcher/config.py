"""Settings: where things lie and the few numbers an office may change.

Owns reading ``settings.toml`` in the home folder and the environment. Parameters reach the layers below as small
frozen dataclasses; nothing below imports this module.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matcher.errors import InputError
from matcher.ranking.scorer import ScoringParams
from matcher.vocab import Channel

ROOT = Path(__file__).resolve().parent.parent
NO_ENCODER = "none"
"""The encoder name that switches the dense channel off."""


@dataclass(frozen=True, slots=True)
class Targets:
    """年度目标 of the plan 威文政发〔2024〕6号: projects signed a year, and in all over the plan's years."""

    yearly: int = 20
    total: int = 60
    first_year: int = 2024
    last_year: int = 2026


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Which embedding model: ``builtin``, ``none``, a hub name or a local path; prompts as that model wants them."""

    name: str = "builtin"
    query_prompt: str | None = None
    document_prompt: str | None = None
    offline: bool = False

    def named(self, name: str) -> EncoderSettings:
        """Settings for a model of another name; prompts belong to the model they were written for."""
        return self if name == self.name else EncoderSettings(name, offline=self.offline)


@dataclass(frozen=True, slots=True)
class RerankerSettings:
    """Optional re-reading of the first ``top`` results by a CrossEncoder; no ``name``, no re-reading.

    ``weight`` is the share of the re-read score in the order of those results, 0–1.
    """

    name: str = ""
    top: int = 20
    weight: float = 0.5


@dataclass(frozen=True, slots=True)
class WorkflowSettings:
    """The bureau's own rules of the working day.

    Attributes:
        mask_candidates: firms see candidate teams without name and institution until the bureau has accepted one.
        remind_days: a 对接 nobody touched for this many days is mentioned, in three degrees.
        session_hours: a session nobody uses ends after this.
        lockout_attempts: wrong passwords in a row that lock an account.
        lockout_minutes: for how long.
        max_upload_mib: largest file of a 对接.
    """

    mask_candidates: bool = False
    remind_days: tuple[int, int, int] = (9, 21, 45)
    session_hours: float = 8.0
    lockout_attempts: int = 5
    lockout_minutes: float = 15.0
    max_upload_mib: float = 10.0


@dataclass(frozen=True)
class Settings:
    """All settings of one installation.

    Attributes:
        home: folder of database, index and the bureau's own thesaurus files.
        database_url: SQLAlchemy URL; SQLite in ``home`` by default.
        data: folder of the sample data and the shipped thesaurus.
        encoder_from_environ: ``MATCHER_ENCODER`` names the model, whatever ``settings.toml`` says.
    """

    home: Path
    database_url: str
    data: Path = ROOT / "data"
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    targets: Targets = field(default_factory=Targets)
    scoring: ScoringParams = field(default_factory=ScoringParams)
    reranker: RerankerSettings = field(default_factory=RerankerSettings)
    workflow: WorkflowSettings = field(default_factory=WorkflowSettings)
    encoder_from_environ: bool = False

    @property
    def thesaurus_paths(self) -> tuple[Path, ...]:
        """Shipped topics, then the bureau's own (``home/thesaurus/*.jsonl``), which may extend them."""
        own = self.home / "thesaurus"
        return (self.data / "thesaurus", own) if own.is_dir() else (self.data / "thesaurus",)


_SECTIONS: dict[str, tuple[str, ...]] = {
    "database": ("url",),
    "encoder": ("name", "query_prompt", "document_prompt", "offline"),
    "reranker": ("name", "top", "weight"),
    "workflow": (
        "mask_candidates",
        "remind_days",
        "session_hours",
        "lockout_attempts",
        "lockout_minutes",
        "max_upload_mib",
    ),
    "targets": ("yearly", "total", "first_year", "last_year"),
    "ranking": ("lexical", "dense", "thesaurus", "best_facets", "facet_share", "evidence_threshold"),
}


def _read_toml(path: Path) -> dict[str, dict[str, object]]:
    if not path.exists():
        return {}
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(
            f"设置文件 {path.name} 读不懂：{error}", "请按 TOML 格式改正，或先删除它。"
        ) from error
    for section, values in raw.items():
        known = _SECTIONS.get(section)
        if known is None or not isinstance(values, dict):
            raise InputError(f"设置文件里没有“{section}”这一节。", f"可用的有：{'、'.join(_SECTIONS)}。")
        for key in values:
            if key not in known:
                raise InputError(f"设置“{section}.{key}”不存在。", f"这一节可用的有：{'、'.join(known)}。")
    return raw


def _number(
    section: Mapping[str, object], key: str, default: float, *, low: float = 0.0, high: float = math.inf
) -> float:
    value = section.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        allowed = f"不小于 {low:g} 的数" if high == math.inf else f"{low:g}–{high:g} 之间的数"
        raise InputError(f"设置“{key}”应是{allowed}，现在是“{value}”。", "请改正设置文件。")
    return float(value)


def _flag(section: Mapping[str, object], key: str) -> bool:
    value = section.get(key, False)
    if not isinstance(value, bool):
        raise InputError(f"设置“{key}”应是 true 或 false，现在是“{value}”。", "请改正设置文件。")
    return value


def _text(section: Mapping[str, object], key: str) -> str | None:
    value = section.get(key)
    return None if value is None else str(value)


def _workflow(section: Mapping[str, object]) -> WorkflowSettings:
    base = WorkflowSettings()
    days: Any = section.get("remind_days", list(base.remind_days))
    whole = isinstance(days, list) and all(isinstance(d, int) and not isinstance(d, bool) for d in days)
    if not whole or len(days) != len(base.remind_days) or not 0 < days[0] < days[1] < days[2]:
        raise InputError(f"设置“remind_days”应是三个从小到大的天数，现在是“{days}”。", "例如 [9, 21, 45]。")
    return WorkflowSettings(
        _flag(section, "mask_candidates"),
        (days[0], days[1], days[2]),
        _number(section, "session_hours", base.session_hours, low=0.1, high=720),
        int(_number(section, "lockout_attempts", base.lockout_attempts, low=2, high=100)),
        _number(section, "lockout_minutes", base.lockout_minutes, low=1, high=1440),
        _number(section, "max_upload_mib", base.max_upload_mib, low=0.1, high=200),
    )


def load_settings(home: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    The environment wins over ``settings.toml``: ``MATCHER_HOME``, ``MATCHER_DATABASE_URL``, ``MATCHER_ENCODER``.

    Args:
        home: home folder; default ``MATCHER_HOME``, else ``var`` beside the program.
        environ: environment; default the process's.

    Raises:
        InputError: unknown section or key, or a value of the wrong kind.
    """
    environ = os.environ if environ is None else environ
    home = home or Path(environ.get("MATCHER_HOME") or ROOT / "var")
    raw = _read_toml(home / "settings.toml")
    encoder, targets, ranking = raw.get("encoder", {}), raw.get("targets", {}), raw.get("ranking", {})
    reranker = raw.get("reranker", {})
    defaults, base, reading = Targets(), ScoringParams(), RerankerSettings()
    weights = {
        channel: _number(ranking, channel.value, base.weights.get(channel, 0.0)) for channel in Channel
    }
    if sum(weights.values()) <= 0:
        raise InputError("三个通道的权重不能全为 0。", "请改正设置文件的 ranking 一节。")
    url = environ.get("MATCHER_DATABASE_URL") or _text(raw.get("database", {}), "url")
    if "?" in str(home) and not url:
        raise InputError(f"数据目录“{home}”的名字里有“?”。", "请换一个没有“?”的文件夹。")
    chosen = EncoderSettings(
        _text(encoder, "name") or "builtin",
        _text(encoder, "query_prompt"),
        _text(encoder, "document_prompt"),
        _flag(encoder, "offline"),
    )
    return Settings(
        home=home,
        database_url=url or f"sqlite:///{home / 'matcher.db'}",
        encoder=chosen.named(environ.get("MATCHER_ENCODER") or chosen.name),
        targets=Targets(
            int(_number(targets, "yearly", defaults.yearly, low=1)),
            int(_number(targets, "total", defaults.total, low=1)),
            int(_number(targets, "first_year", defaults.first_year, low=1)),
            int(_number(targets, "last_year", defaults.last_year, low=1)),
        ),
        scoring=ScoringParams(
            weights,
            int(_number(ranking, "best_facets", base.best_facets, low=1)),
            _number(ranking, "facet_share", base.facet_share, high=1.0),
            _number(ranking, "evidence_threshold", base.evidence_threshold),
        ),
        reranker=RerankerSettings(
            _text(reranker, "name") or "",
            int(_number(reranker, "top", reading.top, low=1)),
            _number(reranker, "weight", reading.weight, high=1.0),
        ),
        workflow=_workflow(raw.get("workflow", {})),
        encoder_from_environ=bool(environ.get("MATCHER_ENCODER")),
    )
