"""What of a journal entry can still be taken back, and what cannot because something newer has touched it.

Values are compared, not versions: what was changed and put back since is as the entry left it. Rows hang
together: all that an entry did about one case goes back or stays, as one. A table that is marked ``whole``
(with the column by which people name its rows) is the middle of such a group, the rows that point to it are
its parts; they must not have been touched at all by a newer act that still stands. A table marked ``passing``
is passed by.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import RowMapping, Table
from sqlalchemy.exc import IntegrityError

from db.engine import settings
from db.engine.columns import Codec, to_ours
from db.engine.journal import standing_touches
from db.engine.outbox import is_station
from db.engine.tables import metadata
from db.engine.unit_of_work import Diff, Reading, UnitOfWork
from db.kernel.command import command_label
from db.kernel.language import N_, _
from db.kernel.moved import LeftOut
from db.kernel.refusal import Refused

Group = int | None
"""The id of the whole row that something belongs to; ``None``: to the entry itself."""

CANNOT = N_("This cannot be undone.")
_CHANGED = N_("It cannot be undone: something newer has touched it since.")


@dataclass(frozen=True)
class Undoable:
    """The newest act that somebody can take back, and how much of it."""

    seq: int
    label: str
    at: datetime
    size: int
    """How many cases it was about; rows, when it was about none."""
    back: int
    lost: tuple[LeftOut, ...]
    """What cannot be taken back any more, each with who did what since."""
    second_officer: bool = False
    """Somebody else has to confirm it: more cases go back than one officer may move."""


@dataclass(frozen=True)
class Recall:
    """An entry read again, with what became of its rows since."""

    diffs: dict[Table, dict[int, Diff]]
    groups: dict[Table, dict[int, Group]]
    lost: dict[Group, LeftOut]
    fault: Refused | None
    """Why nothing of it can be taken back."""

    @property
    def wholes(self) -> frozenset[int]:
        """The whole rows that it was about."""
        return frozenset(
            group for each in self.groups.values() for group in each.values() if group is not None
        )

    @property
    def size(self) -> int:
        return len(self.wholes) or sum(map(len, self.diffs.values()))

    def standing(self, table: Table) -> dict[int, Diff]:
        """The rows of a table that can be taken back."""
        if not self.lost:
            return self.diffs[table]
        groups = self.groups[table]
        return {i: diff for i, diff in self.diffs[table].items() if groups[i] not in self.lost}

    def restored(self, table: Table) -> dict[int, dict[str, Any]]:
        """The values that its rows get back, by row; those that the act added have none."""
        back = _back(table)
        return {
            row_id: {
                name: back[name](pair[0]) if name in back and pair[0] is not None else pair[0]
                for name, pair in diff.items()
            }
            for row_id, diff in self.standing(table).items()
            if not _was_added(diff)
        }


def recall(reading: Reading, entry: RowMapping) -> Recall:
    """Hold the rows of an entry against how they stand now; nothing is written."""
    seq, changes = int(entry["seq"]), entry["changes"]
    # A row goes before the row that it points to, and comes back after it.
    diffs = {
        table: dict(changes[table.name])
        for table in metadata.sorted_tables
        if table.name in changes and not table.info.get("passing")
    }
    groups: dict[Table, dict[int, Group]] = {}
    changed: dict[Group, tuple[Table, int]] = {}
    for table, of_table in diffs.items():
        groups[table] = _compare(reading, table, of_table, changed)
    for table, of_table in diffs.items():
        if not table.info.get("whole"):
            continue
        current = reading.raw(table, list(of_table))
        version = reading.names(table).index("version")
        moved_on = {i for i, row in current.items() if row[version] != of_table[i]["version"][1]}
        for row_id in standing_touches(reading.connection, seq, table, moved_on):
            changed.setdefault(row_id, (table, row_id))
    fault = None
    if None in changed:
        fault = _changed_since(*changed[None])
    elif any(_restores_private(table, of_table) for table, of_table in diffs.items()):
        # The journal keeps private values only as digests, so there is nothing to restore them from.
        fault = Refused("cannot_undo", CANNOT)
    lost = _told(reading, seq, {group for group in changed if group is not None})
    return Recall(diffs, groups, lost, fault)


def take_back(unit: UnitOfWork, found: Recall) -> None:
    """Put back what is not lost: remove what was added, restore what was changed or removed."""
    for table in reversed(found.diffs):
        ids = [row_id for row_id, diff in found.standing(table).items() if _was_added(diff)]
        try:
            unit.delete(table, sorted(ids, reverse=True))
        except IntegrityError as error:
            # A newer row points to it.
            raise _changed_since(table, max(ids)) from error
    for table in found.diffs:
        restored: list[dict[str, Any]] = []
        changed: dict[int, dict[str, Any]] = {}
        for row_id, before in found.restored(table).items():
            if "id" in before:
                restored.append(before)
            else:
                before.pop("version", None)
                changed[row_id] = before
        unit.insert(table, restored)
        unit.update(table, changed)


def _compare(
    reading: Reading, table: Table, diffs: Mapping[int, Diff], changed: dict[Group, tuple[Table, int]]
) -> dict[int, Group]:
    """The group of each row; groups with a value that is no longer as the entry left it enter ``changed``."""
    current = reading.raw(table, list(diffs))
    names = reading.names(table)
    nothing = (None,) * len(names)
    owner = _owner(table)
    groups: dict[int, Group] = {}
    shapes: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row_id, diff in diffs.items():
        shapes[tuple(diff)].append(row_id)
    for columns, alike in shapes.items():
        rows = [current.get(row_id, nothing) for row_id in alike]
        of_names = dict(zip(names, zip(*rows, strict=True), strict=True))
        pairs = dict(
            zip(columns, zip(*[diffs[row_id].values() for row_id in alike], strict=True), strict=True)
        )
        if table.info.get("whole"):
            of_rows: Sequence[Group] = alike
        elif owner is None:
            of_rows = [None] * len(alike)
        elif owner in columns:
            of_rows = [before if after is None else after for before, after in pairs[owner]]
        else:
            of_rows = of_names[owner]
        groups.update(zip(alike, of_rows, strict=True))
        if len(current) < len(diffs):
            looked = [
                i
                for i, row_id in enumerate(alike)
                if row_id in current or not _is_left_to_the_server(reading, table, diffs[row_id])
            ]
            alike, rows = [alike[i] for i in looked], [rows[i] for i in looked]
            of_rows = [of_rows[i] for i in looked]
            if not alike:
                continue
        for name in columns:
            # Column by column: mostly all rows are as they were left, and that is one look.
            (now,) = reading.plain_cells(table, (name,), [of_names[name]])
            left = [after for _before, after in pairs[name]]
            if name != "version" and list(now) != left:
                for group, row_id, is_now, was_left in zip(of_rows, alike, now, left, strict=True):
                    if is_now != was_left:
                        changed.setdefault(group, (table, row_id))
    return groups


def _told(reading: Reading, seq: int, groups: set[int]) -> dict[Group, LeftOut]:
    """Of each group that is lost, who did what since."""
    lost: dict[Group, LeftOut] = {}
    if not groups:
        return lost
    (table,) = _wholes()
    zone = settings.zone_of(reading.connection)
    touches = standing_touches(reading.connection, seq, table, groups)
    rows = reading.rows(table, sorted(groups))
    for group in sorted(groups):
        number = str(rows[group][table.info["whole"]]) if group in rows else ""
        touch = touches.get(group)
        if touch is None:
            refusal = Refused("changed_since", _CHANGED, table=table.name, id=group, number=number)
        else:
            refusal = Refused(
                "changed_since",
                N_("{number}: touched since by {who} at {when}: {what}."),
                table=table.name,
                id=group,
                number=number,
                who=touch.actor_name,
                when=settings.clock_in(zone, touch.at, reading.now),
                what=_(command_label(touch.command)),
            )
        lost[group] = LeftOut(group, number, refusal)
    return lost


def _wholes() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.info.get("whole")]


@cache
def _owner(table: Table) -> str | None:
    """The column of a table that points to a whole one."""
    for column in table.c:
        if any(key.column.table.info.get("whole") for key in column.foreign_keys):
            return str(column.name)
    return None


@cache
def _back(table: Table) -> dict[str, Codec]:
    """What turns a value of the journal into one of ours, by column; those that are the same are left out."""
    return {column.name: code for column in table.c if (code := to_ours(column))}


def _restores_private(table: Table, diffs: Mapping[int, Diff]) -> bool:
    private = {column.name for column in table.c if column.info.get("private")}
    return bool(private) and any(
        not _was_added(diff) and not private.isdisjoint(diff) for diff in diffs.values()
    )


def _is_left_to_the_server(reading: Reading, table: Table, diff: Diff) -> bool:
    """Whether an added row may lie on the server alone: a citizen's contact, once a station has sent it."""
    has_private = any(column.info.get("private") for column in table.c)
    return has_private and _was_added(diff) and is_station(reading.connection)


def _was_added(diff: Diff) -> bool:
    return "id" in diff and diff["id"][0] is None


def _changed_since(table: Table, row_id: int) -> Refused:
    return Refused("changed_since", _CHANGED, table=table.name, id=row_id)
