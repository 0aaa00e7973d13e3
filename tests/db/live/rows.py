"""Builds deltas from rows written as dictionaries, and draws random ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st

from db.cases.queries import (
    LIVE_TYPES,
    REQUEST_BITS,
    SET_COLUMNS,
    SOURCE_CODES,
    STATE_CODES,
    TEXT_COLUMNS,
    Columns,
)
from db.live.columns import DIMENSIONS
from db.live.delta import Delta
from db.live.directory import Directory, Entry

ZONE = ZoneInfo("Asia/Shanghai")
DAY = 1_773_417_600_000
"""2026-03-14 00:00 in Shanghai."""
HOUR = 3_600_000
NOON = DAY + 12 * HOUR
Row = dict[str, Any]


def case_row(case_id: int, **values: Any) -> Row:
    """An open case that was reported this morning; ``values`` say what is different."""
    row: Row = {
        "id": case_id,
        "state": "handling",
        "source": "collector",
        **{f"{name}_id": 0 for name in DIMENSIONS},
        "lon": 117.16,
        "lat": 35.08,
        "reported_at": DAY + 8 * HOUR,
        "filed_at": 0,
        "dispatched_at": 0,
        "due_at": 0,
        "soon_at": 0,
        "stopped_at": 0,
        "closed_at": 0,
        "reworks": 0,
        "version": 1,
        "priority": 0,
        "requests": 0,
        "supervised": False,
        "tags": "",
        "helpers": "",
        "number": f"N{case_id}",
        "address": "",
    }
    assert values.keys() <= row.keys(), values
    return row | values


def columns_of(rows: Iterable[Mapping[str, Any]]) -> Columns:
    """Rows as the columns of ``live_rows``."""
    listed = list(rows)
    columns: Columns = {
        name: np.array(
            [
                STATE_CODES.index(row[name])
                if name == "state"
                else SOURCE_CODES.index(row[name])
                if name == "source"
                else row[name]
                for row in listed
            ],
            dtype=kind,
        )
        for name, kind in LIVE_TYPES.items()
    }
    for name in (*TEXT_COLUMNS, *SET_COLUMNS):
        columns[name] = [row[name] for row in listed]
    return columns


def delta_of(rows: Iterable[Mapping[str, Any]], gone: Iterable[int] = (), **more: Any) -> Delta:
    """A delta with these rows."""
    return Delta(at_ms=NOON, columns=columns_of(rows), gone=np.array(list(gone), dtype=np.int64), **more)


moments = st.integers(DAY - 3 * 24 * HOUR, DAY + 3 * 24 * HOUR)


@st.composite
def any_row(draw: st.DrawFn, ids: st.SearchStrategy[int]) -> Row:
    """A case in any state, with times that fit it."""
    state = draw(st.sampled_from(STATE_CODES))
    reported = draw(st.integers(DAY - 3 * 24 * HOUR, NOON))
    due = draw(st.one_of(st.just(0), moments))
    ended = STATE_CODES.index(state) >= STATE_CODES.index("closed")
    handed_back = ended or state in ("pending_check", "pending_close")
    somewhere = draw(st.booleans())
    return case_row(
        draw(ids),
        state=state,
        source=draw(st.sampled_from(SOURCE_CODES)),
        category_id=draw(st.integers(1, 4)),
        unit_id=draw(st.integers(0, 3)),
        district_id=draw(st.integers(0, 3)),
        community_id=draw(st.integers(0, 3)),
        lon=draw(st.floats(117, 118)) if somewhere else math.nan,
        lat=draw(st.floats(35, 36)) if somewhere else math.nan,
        reported_at=reported,
        due_at=due,
        soon_at=due - draw(st.integers(0, 10)) * HOUR if due else 0,
        stopped_at=draw(st.integers(reported, NOON)) if handed_back else 0,
        closed_at=draw(st.integers(reported, NOON)) if ended else 0,
        reworks=draw(st.integers(0, 2)),
        version=draw(st.integers(1, 9)),
        holder_id=draw(st.integers(0, 3)),
        priority=draw(st.integers(0, 2)),
        requests=draw(st.sampled_from([0, 0, *REQUEST_BITS.values(), 3])),
        supervised=draw(st.booleans()),
        tags=draw(st.sampled_from(["", "", "占道", "两会\n占道"])),
        helpers=draw(st.sampled_from(["", "", "2", "1\n3"])),
        dispatched_at=draw(st.sampled_from([0, reported])),
        filed_at=draw(st.sampled_from([0, reported])),
        number=draw(st.sampled_from(["A-1", "a-2", "井盖", ""])),
        address=draw(st.text(alphabet="ab 荆河路1", max_size=4)),
    )


@st.composite
def any_delta(draw: st.DrawFn) -> Delta:
    """A change of up to a dozen of thirty cases, now and then a snapshot."""
    rows = draw(st.lists(any_row(st.integers(1, 30)), max_size=12, unique_by=lambda row: row["id"]))
    there = {row["id"] for row in rows}
    gone = [i for i in draw(st.lists(st.integers(1, 30), max_size=4, unique=True)) if i not in there]
    full = draw(st.booleans()) and draw(st.booleans())
    return delta_of(rows, [] if full else gone, full=full)


def rows_of(delta: Delta) -> dict[int, Row]:
    """The rows of a delta as dictionaries by id."""
    found: dict[int, Row] = {}
    for place, case_id in enumerate(delta.ids.tolist()):
        row: Row = {name: delta.columns[name][place] for name in LIVE_TYPES}
        row = {name: value.item() for name, value in row.items()}
        row["state"], row["source"] = STATE_CODES[row["state"]], SOURCE_CODES[row["source"]]
        found[case_id] = row | {name: delta.columns[name][place] for name in (*TEXT_COLUMNS, *SET_COLUMNS)}
    return found


class Model:
    """The store as a dictionary: what it ought to hold."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}

    def apply(self, delta: Delta, day_start_ms: int = DAY) -> None:
        if delta.full:
            self.rows.clear()
        for case_id in delta.gone.tolist():
            self.rows.pop(case_id, None)
        self.rows |= rows_of(delta)
        self.roll(day_start_ms)

    def roll(self, day_start_ms: int) -> None:
        self.rows = {
            case_id: row
            for case_id, row in self.rows.items()
            if is_open(row) or row["closed_at"] >= day_start_ms or row["reported_at"] >= day_start_ms
        }


def is_open(row: Row) -> bool:
    return STATE_CODES.index(row["state"]) < STATE_CODES.index("closed")


def is_returned(row: Row) -> bool:
    asked = is_open(row) and bool(row["requests"] & REQUEST_BITS["return"])
    again = row["state"] == "pending_dispatch" and row["dispatched_at"] > 0
    return asked or again or (row["state"] == "reported" and row["filed_at"] > 0)


def runs(row: Row) -> bool:
    return is_open(row) and row["due_at"] > 0 and row["stopped_at"] == 0


DIRECTORY = Directory(
    units={i: Entry(i, f"U{i}", f"单位{i}", f"Unit {i}") for i in (2, 1, 3)},
    categories={i: Entry(i, f"C{i}", f"类{i}", kind="matter", major=f"s/matter/0{i % 2}") for i in (3, 1, 2)},
    areas={i: Entry(i, f"D{i}", f"街道{i}", f"District {i}", "district") for i in (1, 3, 2)},
)
