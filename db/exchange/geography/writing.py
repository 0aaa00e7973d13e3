"""Writes what a check of map data has found, in one transaction: new rows, changed ones, and those that
ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import shapely

from db.engine import settings
from db.engine.bus import Bus, handles
from db.engine.unit_of_work import UnitOfWork
from db.exchange.geography.checking import Checked, Draft, Report, mark_of
from db.exchange.importing import place_of_list
from db.exchange.reading import Progress, keep_on
from db.kernel.actor import Actor
from db.kernel.command import Reach, command
from db.kernel.language import N_, _
from db.kernel.refusal import Refused

LISTED = 5_000
"""Up to so many new rows stand in the journal one by one and can be undone; more only as a digest of the
whole.
"""
_WORD_EVERY = 2_000


@dataclass(frozen=True)
class Batch:
    """The drafts to write, and whom to tell how far it is."""

    checked: Checked
    progress: Progress | None = None


@command("registers.import", permission="import.run", label=N_("Import map data"), reach=Reach.SERVER)
@dataclass(frozen=True)
class ImportGeography:
    """Map data of a file; the journal names file, digest and counts, and each changed row."""

    file: str
    sha256: str
    kind: str
    datum: str
    mapping: str
    rows: int
    new: int
    changed: int
    ended: int
    batch: Batch
    private_fields: ClassVar[frozenset[str]] = frozenset({"batch"})


def import_of(checked: Checked, progress: Progress | None = None) -> ImportGeography:
    """The command that writes what a check has found."""
    report = checked.report
    return ImportGeography(
        file=checked.path.name,
        sha256=checked.file.sha256,
        kind=checked.register.kind,
        datum=checked.file.frame.name,
        mapping=checked.mapping.file,
        rows=report.rows,
        new=report.new,
        changed=report.changed,
        ended=report.ended,
        batch=Batch(checked, progress),
    )


def import_checked(
    bus: Bus,
    actor: Actor,
    checked: Checked,
    problems: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Report, Path | None]:
    """Write what was checked, after the list of problems, so that a full disk stops it before anything is
    written.

    Returns the counts and where the list is; ``None`` when there was nothing to list. Raises ``Refused`` (not
    permitted, cancelled, the register changed meanwhile), ``Unavailable``.
    """
    if not checked.report.taken:
        return checked.report, list_geography_problems(checked, problems)
    listed = place_of_list(checked.path, checked.problems, problems)
    with checked.problems.saving(listed) if listed is not None else nullcontext():
        report: Report = bus.run(import_of(checked, progress), actor).result
    return report, listed


def list_geography_problems(checked: Checked, wanted: Path | None = None) -> Path | None:
    """Write the list of problems to ``wanted``, or beside the file; ``None`` when there are none."""
    path = place_of_list(checked.path, checked.problems, wanted)
    if path is not None:
        checked.problems.save(path)
    return path


@handles(ImportGeography)
def _import(command: ImportGeography, unit: UnitOfWork) -> Report:
    checked, progress = command.batch.checked, command.batch.progress
    if mark_of(unit.connection, checked.register) != checked.mark:
        raise Refused(
            "register_changed", N_("The register has changed since the file was checked; check it once more.")
        )
    table = checked.register.table
    new = [draft for draft in checked.drafts if not draft.id]
    changed = [draft for draft in checked.drafts if draft.id]
    total = len(checked.drafts) + len(checked.ended)
    _add(unit, checked, new, total, progress)
    keep_on(progress, len(new), total, _("Writing"))
    unit.update(table, {draft.id: draft.values for draft in changed}, {d.id: d.version for d in changed})
    keep_on(progress, len(new) + len(changed), total, _("Writing"))
    ending = _ending(unit, checked)
    unit.update(table, {row_id: ending for row_id, _version in checked.ended}, dict(checked.ended))
    if checked.register.kind == "city":
        _name_city(unit, checked)
    return replace(checked.report)


def _add(unit: UnitOfWork, checked: Checked, new: list[Draft], total: int, progress: Progress | None) -> None:
    table, kind = checked.register.table, checked.register.kind
    own = {"kind": kind} if checked.register.is_area else {}
    ids = unit.new_ids(len(new))
    if len(new) <= LISTED:
        unit.insert(table, [{"id": i, **own, **draft.values} for i, draft in zip(ids, new, strict=True)])
        return
    columns = ("id", *own, *dict.fromkeys(name for draft in new for name in draft.values))

    def rows() -> Iterator[tuple[Any, ...]]:
        for done, (row_id, draft) in enumerate(zip(ids, new, strict=True)):
            if done % _WORD_EVERY == 0:
                keep_on(progress, done, total, _("Writing"))
            row = {"id": row_id, **own, **draft.values}
            yield tuple(_raw(row.get(name)) for name in columns)

    unit.load(table, columns, rows())


def _raw(value: Any) -> Any:
    """A value as a bulk load wants it."""
    return value.isoformat() if isinstance(value, date) else value


def _ending(unit: UnitOfWork, checked: Checked) -> dict[str, Any]:
    """What marks a row of this register as one that is no more."""
    today = unit.now.astimezone(settings.zone_of(unit.connection)).date()
    if checked.register.kind == "component":
        return {"state": "removed"}
    return {"valid_to": today} if checked.register.kind == "rule" else {"ended_on": today}


def _name_city(unit: UnitOfWork, checked: Checked) -> None:
    """The first outline of a city names a database that has none."""
    if settings.get(unit.connection, "city.name") or not checked.drafts:
        return
    values = checked.drafts[0].values
    if "outline" not in values or "name" not in values:
        return
    west, south, east, north = shapely.from_wkb(values["outline"]).bounds
    settings.put(unit, "city.name", values["name"])
    settings.put(unit, "city.name_en", values.get("name_en", ""))
    settings.put(unit, "city.bounds", [round(west, 5), round(south, 5), round(east, 5), round(north, 5)])
