"""A hundred thousand cases and more as columns, drawn from a seed: for tests that measure."""

from __future__ import annotations

import numpy as np

from db.cases.queries import Columns, no_rows
from db.live.board import Board
from db.live.delta import Delta
from tests.db.live.rows import HOUR, NOON, ZONE

ROADS = ("荆河中路", "善国北路", "龙泉南路", "平行路", "解放东路", "学院西路", "府前路", "新兴路")
SPOTS = ("路口西侧", "菜市场门前", "小区北门", "学校东墙外")
FIRST_ID = 1 << 50


def crowd(count: int, seed: int = 1) -> Columns:
    """So many cases, nine of ten open; a third of the clocks not running yet."""
    draw = np.random.default_rng(seed)
    state = np.where(draw.random(count) < 0.9, draw.integers(0, 7, count), 7).astype(np.uint8)
    reported = NOON - draw.integers(0, 240 * HOUR, count)
    due = np.where(state >= 3, NOON + draw.integers(-48 * HOUR, 96 * HOUR, count), 0)
    stopped = np.where(state >= 5, NOON - draw.integers(0, 10 * HOUR, count), 0)
    spans = {"category_id": 250, "district_id": 21, "community_id": 400, "patrol_id": 800, "cell_id": 3600}
    columns = {name: np.zeros(count, dtype=np.asarray(empty).dtype) for name, empty in no_rows().items()}
    return {
        **columns,
        **{name: draw.integers(1, span + 1, count) for name, span in spans.items()},
        "id": np.arange(FIRST_ID, FIRST_ID + count),
        "state": state,
        "source": draw.integers(0, 8, count).astype(np.uint8),
        "unit_id": np.where(state >= 3, draw.integers(1, 81, count), 0),
        "lon": 117 + draw.random(count) * 0.3,
        "lat": 35 + draw.random(count) * 0.3,
        "reported_at": reported,
        "due_at": due,
        "soon_at": np.where(due > 0, due - 2 * HOUR, 0),
        "stopped_at": stopped,
        "closed_at": np.where(state == 7, stopped, 0),
        "number": [f"TZ20260314{place:07d}" for place in range(count)],
        "address": [
            f"{ROADS[road]}{door}号{SPOTS[spot]}"
            for road, door, spot in draw.integers(0, (8, 999, 4), (count, 3)).tolist()
        ],
    }


def crowded_board(columns: Columns) -> Board:
    """A board that shows them."""
    board = Board(ZONE, NOON)
    board.apply(Delta(at_ms=NOON, full=True, columns=columns))
    return board


def picked(columns: Columns, places: np.ndarray) -> Columns:
    """Some of the rows."""
    return {
        name: [values[i] for i in places] if isinstance(values, list) else values[places]
        for name, values in columns.items()
    }
