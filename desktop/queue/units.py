"""The rows of the board of units: what each has open, due today and overdue, and who is on shift there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.cases.rules import Light
from db.kernel.language import N_, _, language
from db.live.directory import Entry
from db.live.store import Store
from desktop.core.words import number
from desktop.widgets.rows import RIGHT, Cell, Column

COLUMNS = (
    Column("unit", N_("Unit"), 104, stretch=True, sortable=False),  # zh: 责任单位
    Column("bar", N_("Load"), 40, stretch=True, sortable=False),  # zh: 负荷
    Column("open", N_("Open"), 50, align=RIGHT, sortable=False),  # zh: 在办
    Column("due_today", N_("Today"), 50, align=RIGHT, sortable=False),  # zh: 今日到期
    Column("overdue", N_("Over"), 44, align=RIGHT, sortable=False),  # zh: 超期
    Column("on_shift", N_("Staff"), 46, align=RIGHT, sortable=False),  # zh: 在岗
)
KINDS = {
    "squad": N_("Squads"),  # zh: 中队
    "district": N_("Streets and towns"),  # zh: 街道与镇
    "office": N_("Offices"),  # zh: 机关单位
    "company": N_("Companies"),  # zh: 企业
    "centre": N_("Command centre"),  # zh: 监督指挥中心
}
"""Kinds of units in the order of the board; others come after them, by their code."""
_MOST_NAMES = 8


@dataclass(frozen=True)
class Load:
    """What a unit has in hand: open, of these due until midnight and not over yet, of these over."""

    open: int = 0
    due_today: int = 0
    overdue: int = 0
    soon: int = 0


NOTHING = Load()


def loads(store: Store) -> dict[int, Load]:
    """The load of each unit that has any open case, whatever the filter shows."""
    size = len(store.codes["unit"].ids)
    is_open = store.is_open[: store.size]
    units, lights = store.unit[: store.size], store.light[: store.size]
    due = store.runs[: store.size] & (lights != Light.OVER) & (store.due_at[: store.size] < store.day_end_ms)

    def counted(mask: NDArray[np.bool_]) -> list[int]:
        found: list[int] = np.bincount(units[mask], minlength=size).tolist()
        return found

    columns = zip(
        store.codes["unit"].ids.tolist(),
        counted(is_open),
        counted(due),
        counted(is_open & (lights == Light.OVER)),
        counted(is_open & (lights == Light.SOON)),
        strict=True,
    )
    return {unit: Load(*counts) for unit, *counts in columns if unit and counts[0]}


class UnitRows:
    """A row source: a heading for each kind (its id is negative), its units by their load under it."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._places: dict[int, int] = {}
        self._headings: dict[int, str] = {}
        self._entries: dict[int, Entry] = {}
        self.loads: Mapping[int, Load] = {}
        self.on_duty: Mapping[int, Sequence[str]] = {}
        self.why_not: Callable[[int], str] = lambda _unit_id: ""
        """Why cases may not be given to a unit; "" when they may."""
        self._most = 1

    def set_units(self, units: Iterable[Entry], loads: Mapping[int, Load], *, keep_order: bool) -> None:
        """Take in names and loads; with ``keep_order`` no row moves (a hand is over them)."""
        self._entries = {entry.id: entry for entry in units}
        self.loads = loads
        self._most = max((load.open for load in loads.values()), default=1)
        if not keep_order or set(self._entries) != {each for each in self._rows if each > 0}:
            self._lay()

    def is_unit(self, id: int) -> bool:
        """Whether a row is a unit, not a heading."""
        return id in self._entries

    def name(self, unit_id: int) -> str:
        """What a unit is called."""
        entry = self._entries.get(unit_id)
        return entry.label(language()) if entry is not None else ""

    def units(self) -> list[int]:
        """The units from top to bottom."""
        return [each for each in self._rows if each > 0]

    def _lay(self) -> None:
        kinds: dict[str, list[Entry]] = {}
        for entry in self._entries.values():
            kinds.setdefault(entry.kind, []).append(entry)
        known = list(KINDS)
        order = sorted(kinds, key=lambda kind: (known.index(kind) if kind in known else len(known), kind))
        self._rows, self._headings = [], {}
        for place, kind in enumerate(order, start=1):
            self._headings[-place] = kind
            self._rows.append(-place)
            by_load = sorted(kinds[kind], key=lambda each: (-self._load(each.id).open, each.code))
            self._rows += [entry.id for entry in by_load]
        self._places = {id: row for row, id in enumerate(self._rows)}

    def _load(self, unit_id: int) -> Load:
        return self.loads.get(unit_id, NOTHING)

    def row_count(self) -> int:
        return len(self._rows)

    def id_at(self, row: int) -> int:
        return self._rows[row]

    def row_of(self, id: int) -> int:
        return self._places.get(id, -1)

    def ids_between(self, first: int, last: int) -> list[int]:
        return self._rows[first : last + 1]

    def rows_of(self, ids: Iterable[int]) -> NDArray[np.int64]:
        return np.array([self._places.get(id, -1) for id in ids], dtype=np.int64)

    def cell(self, row: int, column_key: str) -> Cell:
        unit_id = self._rows[row]
        if unit_id in self._headings:
            kind = self._headings[unit_id]
            return Cell(_(KINDS.get(kind, kind)) if column_key == "unit" else "", tone="text3", spans=True)
        load = self._load(unit_id)
        if column_key == "unit":
            why = self.why_not(unit_id)
            # What may not be given cases is told by its sign too, not by its grey alone.
            return Cell(f"⊘ {self.name(unit_id)}", tone="text3", tip=why) if why else Cell(self.name(unit_id))
        if column_key == "bar":
            rest = load.open - load.overdue - load.soon
            return Cell("", bar=tuple(part / self._most for part in (load.overdue, load.soon, rest)))  # type: ignore[arg-type]
        if column_key == "on_shift":
            return self._on_shift(unit_id)
        count = getattr(load, column_key)
        tone = "over" if column_key == "overdue" else "text1"
        return Cell(number(count), tone=tone if count else "text3")

    def _on_shift(self, unit_id: int) -> Cell:
        names = self.on_duty.get(unit_id, ())
        told = _(", ").join(names[:_MOST_NAMES]) + ("…" if len(names) > _MOST_NAMES else "")
        # zh: 在岗：{names}
        tip = _("On shift: {names}").format(names=told) if names else _("Nobody on shift is known.")
        return Cell(number(len(names)) if names else "—", tone="text2", tip=tip)
