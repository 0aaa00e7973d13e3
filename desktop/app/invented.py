"""A board of invented open cases, as many as asked for, drawn from a seed: what the benches look at."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from PySide6.QtCore import QObject

from db.cases.queries import LIVE_TYPES, REQUEST_BITS, SOURCE_CODES, STATE_CODES, no_rows
from db.kernel.actor import Actor
from db.live.board import Board
from db.live.delta import Delta
from db.live.directory import Directory, Entry
from desktop.core.context import City, Context, DataAge, Freshness

ZONE = ZoneInfo("Asia/Shanghai")
NOW_MS = 1_773_460_800_000
"""2026-03-14 12:00 in Shanghai."""
HOUR_MS = 3_600_000
WEST, SOUTH, EAST, NORTH = 117.05, 35.0, 117.25, 35.15
_STAGES = {
    "reported": 0.01,
    "pending_register": 0.01,
    "pending_dispatch": 0.03,
    "pending_handle": 0.18,
    "handling": 0.55,
    "pending_check": 0.14,
    "pending_close": 0.08,
}
"""Shares of the stages among open cases, about those of a city of the peer group (DOMAIN 5)."""
_ROADS = ("荆河路", "善国路", "学院路", "平行路", "龙泉路", "解放路", "新兴路", "府前路", "大同路", "杏坛路")
_WHO = Actor(1, "bench", frozenset({"*"}), roles=("duty_leader",))


def directory(units: int = 27, categories: int = 400) -> Directory:
    """Names for every id that the cases bear."""
    return Directory(
        units={i: Entry(i, f"{i:03d}", f"第{i}中队", f"Squad {i}") for i in range(1, units + 1)},
        categories={
            i: Entry(i, f"{i:04d}", f"第{i}类", f"Class {i}", "matter", major=f"s/{i % 12:02d}")
            for i in range(1, categories + 1)
        },
        areas={
            **{i: Entry(i, f"D{i}", f"第{i}街道", f"Sub-district {i}", "district") for i in range(1, 22)},
            **{
                100 + i: Entry(
                    100 + i, f"C{i}", f"第{i}社区", f"Community {i}", "community", parent_id=1 + i % 21
                )
                for i in range(54)
            },
        },
        majors={
            f"s/{i:02d}": Entry(0, f"{i:02d}", f"第{i}大类", f"Group {i}", major=f"s/{i:02d}")
            for i in range(12)
        },
    )


def delta(count: int, seed: int = 1) -> Delta:
    """``count`` open cases at noon, all of them, with all names."""
    draw = np.random.default_rng(seed)
    known = np.array([STATE_CODES.index(code) for code in _STAGES])
    states = draw.choice(known, size=count, p=list(_STAGES.values()))
    runs = np.isin(states, [STATE_CODES.index(code) for code in ("pending_handle", "handling")])
    handed_back = np.isin(states, [STATE_CODES.index(code) for code in ("pending_check", "pending_close")])
    reported = NOW_MS - draw.integers(0, 96 * HOUR_MS, count)
    due = np.where(runs | handed_back, NOW_MS + draw.integers(-4 * HOUR_MS, 60 * HOUR_MS, count), 0)
    placed = draw.random(count) > 0.02
    values: dict[str, Any] = {
        "id": np.arange(1, count + 1) * 4096,
        "state": states,
        "source": draw.integers(0, len(SOURCE_CODES), count),
        # A few classes make most of the work.
        "category_id": 1 + np.minimum(draw.exponential(40, count), 399).astype(np.int64),
        "unit_id": np.where(due > 0, 1 + draw.integers(0, 27, count), 0),
        "district_id": 1 + draw.integers(0, 21, count),
        "community_id": 100 + draw.integers(0, 54, count),
        "patrol_id": 1_000 + draw.integers(0, 196, count),
        "cell_id": 10_000 + draw.integers(0, 3_613, count),
        "lon": np.where(placed, draw.uniform(WEST, EAST, count), np.nan),
        "lat": np.where(placed, draw.uniform(SOUTH, NORTH, count), np.nan),
        "reported_at": reported,
        "filed_at": np.where(due > 0, reported + HOUR_MS // 4, 0),
        # Of those that wait for a unit, some had one and were given back.
        "dispatched_at": np.where((due > 0) | (draw.random(count) < 0.3), reported + HOUR_MS // 2, 0),
        "due_at": due,
        "soon_at": np.where(due > 0, due - 2 * HOUR_MS, 0),
        "stopped_at": np.where(handed_back, NOW_MS - draw.integers(0, 20 * HOUR_MS, count), 0),
        "version": np.ones(count, dtype=np.int64),
        "priority": draw.integers(0, 3, count),
        "supervised": draw.random(count) < 0.01,
        "requests": np.where(draw.random(count) < 0.01, REQUEST_BITS["postpone"], 0),
        "holder_id": np.where(due > 0, 5_000 + draw.integers(0, 120, count), 0),
    }
    columns = no_rows()
    for name, kind in LIVE_TYPES.items():
        columns[name] = np.asarray(values.get(name, np.zeros(count)), dtype=kind)
    roads = draw.integers(0, len(_ROADS), count).tolist()
    doors = draw.integers(1, 400, count).tolist()
    columns["number"] = [f"20260314{serial:09d}" for serial in range(1, count + 1)]
    columns["address"] = [f"{_ROADS[road]}{door}号" for road, door in zip(roads, doors, strict=True)]
    for name in columns.keys() - {*LIVE_TYPES, "number", "address"}:
        columns[name] = ["积水" if serial % 50 == 0 and name == "tags" else "" for serial in range(count)]
    return Delta(NOW_MS, full=True, columns=columns, directory=directory())


def context(count: int, seed: int = 1, parent: QObject | None = None) -> Context:
    """A live context over a board of ``count`` open cases."""
    board = Board(ZONE, NOW_MS)
    board.apply(delta(count, seed))
    made = Context(board, _WHO, City("测试市", "Test City", is_invented=True), parent)
    made.set_age(DataAge(Freshness.LIVE, NOW_MS))
    return made
