"""Editing records by hand: profiles and works by their teams, every record by the bureau.

Owns the use cases: open, save, add, delete, history and undo, each change with its version and its event. What texts
come to is ``editing_forms``'. Steps of a need and stages of a 对接 are not edited here: they are events of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from matcher.columns import RecordKind, clean_text, fields_of
from matcher.errors import ConflictError, HiddenError, InputError, NotFoundError
from matcher.intake.identity import bare
from matcher.models import Cooperation, Expert, Firm, Institution, Record, Work
from matcher.services import editing_forms as forms
from matcher.services import editing_rules as rules
from matcher.services.access import Access, denied, missing_expert, permits
from matcher.services.contracts import check_row
from matcher.services.editing_rules import PastChange
from matcher.services.ownership import Owners
from matcher.services.rankings import BEIJING
from matcher.store import codec
from matcher.store.database import Database
from matcher.store.records import RecordRepository
from matcher.store.repositories import Repositories
from matcher.workflow.permissions import Action

_OF_TEAMS = (RecordKind.EXPERTS, RecordKind.WORKS)


@dataclass(frozen=True, slots=True)
class Editable:
    """A record to be edited, with the version to be given back and the texts of its form."""

    record: Record
    version: int
    texts: Mapping[str, str]


class EditingService:
    """A team edits its own profiles and works, but neither name nor institution; the bureau everything."""

    def __init__(self, database: Database, clock: Callable[[], datetime], access: Access) -> None:
        self._database = database
        self._clock = clock
        self._access = access

    # ------------------------------------------------------------ reading

    @permits(Action.EDIT_PROFILE)
    def profiles(self) -> tuple[Expert, ...]:
        """The profiles the person may edit, by id."""
        with self._database.reading() as session:
            experts = Repositories(session).experts.all()
        return tuple(e for e in experts if self._access.sees_expert(e, Action.EDIT_PROFILE))

    @permits(Action.EDIT_PROFILE)
    def expert(self, expert_id: str) -> tuple[Expert, int]:
        """A profile with its version. Raises NotFoundError."""
        with self._database.reading() as session:
            stored = Repositories(session)
            found = stored.experts.get(expert_id)
            if found is None:
                raise NotFoundError(*missing_expert(expert_id))
            return self._access.expert(found, Action.EDIT_PROFILE), stored.experts.version(expert_id)

    @permits(Action.EDIT_PROFILE)
    def record(self, kind: str, record_id: str) -> Editable:
        """Any record the person may edit. Raises NotFoundError, PermissionDenied."""
        with self._database.reading() as session:
            stored = Repositories(session)
            found = self._find(stored, kind, record_id)
            return Editable(
                found, rules.table_of(stored, kind).version(record_id), forms.texts_of(found, kind)
            )

    @permits(Action.EDIT_PROFILE)
    def history(self, kind: str, record_id: str) -> tuple[PastChange, ...]:
        """What was changed in a record, the latest first. Raises NotFoundError, PermissionDenied."""
        with self._database.reading() as session:
            stored = Repositories(session)
            present = self._find(stored, kind, record_id)
            return rules.past_changes(stored, kind, record_id, present, bureau=self._access.is_bureau)

    # ------------------------------------------------------------ writing

    @permits(Action.EDIT_PROFILE)
    def save(self, kind: str, record_id: str, texts: Mapping[str, str], version: int) -> Editable:
        """Change a record to what the texts say; fields left out stay.

        Args:
            texts: by canonical column, read as an import reads its cells.
            version: as last seen.

        Raises:
            NotFoundError: no such record, as far as the person may know.
            PermissionDenied: the record or a changed field is the bureau's.
            InputError: something is missing or cannot be read; names every such field.
            ConflictError: somebody changed it since ``version``; says what.
        """
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            present, table = self._find(stored, kind, record_id), rules.table_of(stored, kind)
            began = rules.as_of(stored, kind, present, record_id, version)
            made = forms.record_of(kind, texts, began, self._today())
            self._refuse_locked(kind, texts, began)
            self._check(stored, kind, made)
            made = rules.with_old_name(made, began)
            return self._write(stored, table, kind, made, began, version, "record.edit")

    @permits(Action.EDIT_PROFILE)
    def add(self, kind: str, texts: Mapping[str, str]) -> Editable:
        """Store a new record; its id is derived from its own words. Needs are posted, not added.

        Raises:
            NotFoundError: a work for a team that is not there, as far as the person may know.
            PermissionDenied: records of this kind are the bureau's.
            InputError: something is missing or cannot be read, or there is one of this name already.
        """
        if kind != RecordKind.WORKS:
            self._access.require(Action.EDIT_RECORD)
        if kind == RecordKind.NEEDS:
            raise InputError("新的需求不在这里添加。", "请到“需求受理”里代录。")
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            made = forms.record_of(kind, texts, None, self._today())
            self._check(stored, kind, made)
            made = rules.with_id(made, rules.fresh_id(stored, kind, made))
            made = Owners.of(stored).owned(made)
            table, record_id = rules.table_of(stored, kind), rules.id_of(made)
            table.upsert([made])
            names = list(rules.SPECS[kind].to_json(made))
            stored.audit.add(self._access.actor, "record.edit", kind, record_id, {"fields": names})
            return Editable(made, table.version(record_id), forms.texts_of(made, kind))

    @permits(Action.EDIT_PROFILE)
    def delete_work(self, work_id: str, version: int) -> Work:
        """Take a work away; returns it as it was. Raises NotFoundError, ConflictError."""
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            found = self._find(stored, RecordKind.WORKS, work_id)
            if not isinstance(found, Work) or stored.works.version(work_id) != version:
                raise ConflictError("这项成果刚刚被别人改过，还没有删除。", "请看过最新内容再删。")
            stored.works.delete([work_id])
            detail = {"fields": list(codec.WORKS.to_json(found)), "deleted": found.title}
            stored.audit.add(self._access.actor, "record.edit", RecordKind.WORKS.value, work_id, detail)
        return found

    @permits(Action.EDIT_PROFILE)
    def undo(self, kind: str, record_id: str, version: int) -> Editable:
        """Put the previous content back, as a new version; undone twice, it is as before.

        A team puts back only what it may change itself.

        Raises:
            NotFoundError: no such record, as far as the person may know.
            PermissionDenied: the record is the bureau's.
            InputError: it was never changed, or the name it had is another's by now.
            ConflictError: somebody changed it since ``version``.
        """
        with self._database.session() as session:
            stored = Repositories(session, self._clock)
            present, table = self._find(stored, kind, record_id), rules.table_of(stored, kind)
            bureau = self._access.is_bureau
            earlier = (
                forms.kept_from(present, past.record, kind, bureau=bureau)
                for past in table.history(record_id)
            )
            found = next((one for one in earlier if forms.changed_fields(present, one)), None)
            if found is None:
                raise InputError("这条记录没有改动过，没有可以恢复的内容。", "需要改内容时，请直接修改。")
            self._check(stored, kind, found)
            found = rules.with_old_name(found, present)
            began = rules.as_of(stored, kind, present, record_id, version)
            return self._write(stored, table, kind, found, began, version, "record.undo")

    # ------------------------------------------------------------ parts

    def _today(self) -> date:
        return (self._clock() + BEIJING).date()

    def _find(self, stored: Repositories, kind: str, record_id: str) -> Record:
        """The stored record, if the person may edit it; else as if there were none."""
        fields_of(kind)
        if kind not in _OF_TEAMS:
            self._access.require(Action.EDIT_RECORD)
        found: Record | None = rules.table_of(stored, kind).get(record_id)
        if found is None:
            raise NotFoundError(*rules.missing(kind, record_id))
        if isinstance(found, Expert):
            return self._access.expert(found, Action.EDIT_PROFILE)
        if isinstance(found, Work) and not self._access.is_bureau:
            expert = stored.experts.get(found.expert_id)
            if expert is None or not self._access.sees_expert(expert, Action.EDIT_PROFILE):
                raise HiddenError(*rules.missing(kind, record_id))
        return found

    def _refuse_locked(self, kind: str, texts: Mapping[str, str], before: Record) -> None:
        """Raise PermissionDenied when somebody outside the bureau changes what only the bureau may."""
        if self._access.is_bureau:
            return
        shown = forms.texts_of(before, kind)
        locked = forms.LOCKED.get(RecordKind(kind), ())
        if any(clean_text(texts[name]) != shown[name] for name in locked if name in texts):
            raise denied(Action.EDIT_RECORD)

    def _check(self, stored: Repositories, kind: str, made: Record) -> None:
        """Raise for a link that leads nowhere, or a name that is taken."""
        if isinstance(made, Work | Cooperation) and made.expert_id:
            expert = stored.experts.get(made.expert_id)
            if expert is None:
                raise NotFoundError(*missing_expert(made.expert_id))
            self._access.expert(expert, Action.EDIT_PROFILE)
        if isinstance(made, Cooperation):
            check_row(stored, made, self._today())
        if isinstance(made, Firm | Institution):
            others: tuple[Firm | Institution, ...] = rules.table_of(stored, kind).all()
            before = [o for o in others if rules.id_of(o) == rules.id_of(made)]
            had = {bare(name) for one in before for name in (one.name, *one.aliases)}
            names = set(map(bare, (made.name, *made.aliases))) - had
            for other in others:
                same = [name for name in (other.name, *other.aliases) if bare(name) in names]
                if same and rules.id_of(other) != rules.id_of(made):
                    raise InputError(
                        f"“{same[0]}”已经登记过（{rules.id_of(other)} {other.name}）。",
                        "请改用另一个名称，或直接修改那一条。",
                    )

    def _write(
        self,
        stored: Repositories,
        table: RecordRepository[Any],
        kind: str,
        made: Record,
        began: Record,
        version: int,
        action: str,
    ) -> Editable:
        made = Owners.of(stored).owned(made, began)
        now = table.update(made, version, base=began)
        if now != version:
            detail = {"fields": forms.changed_fields(began, made)}
            stored.audit.add(self._access.actor, action, kind, rules.id_of(made), detail)
        return Editable(made, now, forms.texts_of(made, kind))
