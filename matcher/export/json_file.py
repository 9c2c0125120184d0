"""JSON: every number in full precision beside the one that is shown, dates in ISO form."""

from __future__ import annotations

import json
from datetime import date

from matcher.export.document import (
    Cell,
    Document,
    EvidenceRow,
    Grouping,
    PairRow,
    RunInfo,
    Sheet,
    shown_contributions,
    shown_score,
)
from matcher.export.layouts import badged, data_nature


def write_json(document: Document) -> bytes:
    """One object, UTF-8, ending with a line break.

    With pairings: ``title, subtitle, run, pairs``, where ``score`` is 0–1 in full precision and
    ``score_shown`` is 匹配度 as printed. With groups: ``title, subtitle, run, bureau, by, note,
    omitted, n_pairs, groups``, each group with its ``pairs`` and what became of them. Otherwise
    ``title, subtitle, sheets``, each row an object by column label.
    """
    body: dict[str, object] = {"title": document.title, "subtitle": list(document.subtitle_lines)}
    if document.run is not None and document.grouping is not None:
        body["run"] = _run(document.run)
        body |= _grouping(document.grouping)
    elif document.run is not None:
        body["run"] = _run(document.run)
        body["pairs"] = [_pair(row) for row in document.pairs]
    else:
        body["sheets"] = [_sheet(sheet) for sheet in document.sheets]
    text = json.dumps(body, ensure_ascii=False, indent=2, allow_nan=False)
    return (text + "\n").encode("utf-8", errors="replace")


def _grouping(grouping: Grouping) -> dict[str, object]:
    return {
        "bureau": grouping.bureau,
        "by": grouping.by,
        "note": grouping.note,
        "omitted": list(grouping.omitted),
        "n_pairs": sum(len(group.pairs) for group in grouping.groups),
        "groups": [
            {
                "name": group.name,
                "n_pairs": len(group.pairs),
                "pairs": [_followed_pair(row, with_contacts=grouping.with_contacts) for row in group.pairs],
            }
            for group in grouping.groups
        ],
    }


def _followed_pair(row: PairRow, *, with_contacts: bool) -> dict[str, object]:
    """A pairing with what became of it."""
    contacts = {"contact": row.contact, "phone": row.phone, "expert_contact": row.expert_contact}
    return {
        **_pair(row),
        "run_at": row.run_at.isoformat() if row.run_at else None,
        "problem": row.problem,
        "confidentiality": row.confidentiality,
        "decision_reason": row.decision_reason,
        "status": row.status,
        "owner": row.owner,
        **(contacts if with_contacts else {}),
    }


def _run(run: RunInfo) -> dict[str, object]:
    return {
        "run_id": run.run_id,
        "created_at": run.created_at.isoformat(),
        "encoder": run.encoder,
        "data_revision": run.data_revision,
        "filters": run.filters,
        "degraded": list(run.degraded),
    }


def _pair(row: PairRow) -> dict[str, object]:
    return {
        "rank": row.rank,
        **({"run_id": row.run_id} if row.run_id else {}),
        "need_id": row.need_id,
        "need_title": badged(row.need_title, row.is_sample_need),
        "company": badged(row.company, row.is_sample_need),
        "town": row.town,
        "sector": row.sector,
        "expert_id": row.expert_id,
        "expert_name": badged(row.expert_name, row.is_sample_expert),
        "institution": row.institution,
        "ring": row.ring,
        "score": row.score,
        "score_shown": shown_score(row.score),
        "contributions": {channel.value: part for channel, part in row.contributions.items()},
        "contributions_shown": {channel.value: part for channel, part in shown_contributions(row).items()},
        "evidence": [_evidence(item) for item in row.evidence],
        "gaps": list(row.gaps),
        "practical": list(row.practical),
        "decision": row.decision,
        "note": row.note,
        "data_nature": data_nature(row),
        "is_sample_need": row.is_sample_need,
        "is_sample_expert": row.is_sample_expert,
    }


def _evidence(item: EvidenceRow) -> dict[str, object]:
    return {
        "line_label": item.line_label,
        "line_text": item.line_text,
        "facet_kind": item.facet_kind,
        "facet_text": item.facet_text,
        "source_id": item.source_id,
        "shared": list(item.shared),
        "bridges": list(item.bridges),
        "source": item.source,
        "year": item.year,
    }


def _sheet(sheet: Sheet) -> dict[str, object]:
    labels = [column.label for column in sheet.columns]
    rows = [dict(zip(labels, map(_value, row), strict=True)) for row in sheet.rows]
    return {"title": sheet.title, "notes": list(sheet.notes), "rows": rows}


def _value(cell: Cell) -> str | float | int | None:
    return cell.isoformat() if isinstance(cell, date) else cell
