"""doctor: check an installation and say what to do about what is wrong."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from matcher.errors import MatcherError
from matcher.services.bootstrap import Application
from matcher.store.repositories import Repositories
from matcher.text.thesaurus import load_thesaurus

PACKAGES = ("torch", "sentence-transformers", "faiss-cpu", "streamlit", "pandas", "jieba", "sqlalchemy")
MIN_FREE_MIB = 500


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    message: str


def run_checks(app: Application) -> Iterator[Check]:
    """Checks one after the other, so that a person sees them as they finish."""
    yield Check("Python", True, platform.python_version())
    missing, found = [], []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    hint = (
        f"缺少 {'、'.join(missing)}，请运行 pip install -r requirements.txt" if missing else "、".join(found)
    )
    yield Check("依赖包", not missing, hint)
    free = shutil.disk_usage(app.settings.home).free // 2**20
    yield Check(
        "磁盘空间", free >= MIN_FREE_MIB, f"剩余 {free} MiB" + ("" if free >= MIN_FREE_MIB else "，请清理")
    )
    writable = os.access(app.settings.home, os.W_OK)
    yield Check("数据目录", writable, str(app.settings.home) if writable else "不可写，请检查权限")
    yield _guarded("数据库", lambda: _database(app))
    yield _guarded("数据", lambda: _data(app))
    yield _guarded("年度数字", lambda: _year(app))
    yield _guarded("词库", lambda: f"{len(load_thesaurus(app.settings.thesaurus_paths).topics)} 个主题")
    yield _guarded("语义模型", lambda: _encoder(app))
    yield _guarded("索引", lambda: _index(app))


def _guarded(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except MatcherError as error:
        return Check(name, False, str(error))


def _database(app: Application) -> str:
    with app.database.reading() as session:
        return f"{app.database.label}，数据修订号 {Repositories(session).revision()}"


def _data(app: Application) -> str:
    records = app.engine.records()
    orphans = [work for work in records.works if work.expert_id not in records.experts]
    if orphans:
        ids = "、".join(work.work_id for work in orphans[:5])
        raise MatcherError(f"{len(orphans)} 条成果找不到所属专家（{ids}…）。", "请补充专家或删除这些成果。")
    return f"需求 {len(records.needs)}，专家 {len(records.experts)}，成果 {len(records.works)}"


def _year(app: Application) -> str:
    year = app.year.dashboard().year
    found = app.year.differences(year)
    if found:
        raise MatcherError("；".join(found) + "。", "请核对这一年的对接与操作记录。")
    return f"{year} 年签约、终止的数字与操作记录重算一致"


def _encoder(app: Application) -> str:
    if not app.engine.wants_encoder:
        return "未启用（按用词和术语匹配）"
    app.engine.wait()
    return app.engine.status().encoder


def _index(app: Application) -> str:
    snapshot = app.engine.snapshot()
    index = snapshot.experts.index
    return f"{len(index.pool.item_ids)} 个团队、{len(index.pool.facets)} 条资料，与数据一致"
