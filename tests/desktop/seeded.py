"""A room without a database: a board of invented cases, a context over it, the workflow as it is shipped."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QSettings

from db.cases.queries import SOURCE_CODES
from db.cases.workflow import Clock, Move, Workflow
from db.kernel.actor import SYSTEM, Actor
from db.live.board import Board
from db.live.directory import Directory, Entry
from db.registers.reference import read_transitions
from desktop.core.context import City, Context, DataAge, Freshness
from desktop.core.preferences import Preferences
from tests.db.live.rows import DAY, HOUR, NOON, ZONE, Row, case_row, delta_of

CITY = City("滕州市", "Tengzhou", is_invented=True)
OFFICER = Actor(7, "李浩然", frozenset({"*"}), None, ("duty_leader",))
GUEST = Actor(8, "来访", frozenset({"room.view"}))
DIRECTORY = Directory(
    units={i: Entry(i, f"U{i}", f"单位{i}", f"Unit {i}") for i in range(1, 6)},
    categories={i: Entry(i, f"C{i}", f"类{i}", f"Kind {i}", "matter", major="s/01") for i in range(1, 9)},
    areas={i: Entry(i, f"D{i}", f"街道{i}", f"District {i}", "district") for i in range(1, 5)},
    majors={"s/01": Entry(0, "01", "市容环境", "Looks", major="s/01")},
)
OPEN = ("reported", "pending_register", "pending_dispatch", "pending_handle", "handling", "pending_check")
DISPATCHED = ("pending_handle", "handling", "pending_check", "closed")


def context_of(rows: Iterable[Row] = (), who: Actor = SYSTEM, *, live: bool = True) -> Context:
    """A context whose board holds these cases at noon."""
    board = Board(ZONE, NOON)
    board.apply(delta_of(rows, directory=DIRECTORY))
    context = Context(board, who, CITY)
    if live:
        context.set_age(DataAge(Freshness.LIVE, NOON))
    return context


def invented(count: int, seed: int = 1) -> list[Row]:
    """Cases drawn from a seed: all stages, some ended today, some without a clock or a position."""
    draw = random.Random(seed)
    return [_invented(draw, number) for number in range(1, count + 1)]


def _invented(draw: random.Random, number: int) -> Row:
    state = draw.choice((*OPEN, "handling", "closed", "rejected"))
    reported = NOON - draw.randrange(1, 100) * HOUR // 2
    has_clock = state in DISPATCHED
    due = NOON + draw.randrange(-30 * HOUR, 30 * HOUR) if has_clock else 0
    ended = state in ("closed", "rejected")
    values: dict[str, Any] = {
        "state": state,
        "source": draw.choice(SOURCE_CODES),
        "category_id": draw.randrange(1, 9),
        "unit_id": draw.randrange(1, 6) if has_clock else 0,
        "district_id": draw.randrange(0, 5),
        "reported_at": reported,
        "due_at": due,
        "soon_at": due - 3 * HOUR if due else 0,
        "stopped_at": NOON - HOUR if state in ("pending_check", "closed") else 0,
        "closed_at": draw.randrange(DAY, NOON) if ended else 0,
        "reworks": draw.choice((0, 0, 1)),
        "address": f"{draw.choice(('荆河路', '善国路'))}{draw.randrange(1, 99)}号",
    }
    if draw.random() < 0.1:
        values |= {"lon": float("nan"), "lat": float("nan")}
    return case_row(number, **values)


def preferences(tmp_path: Any) -> Preferences:
    """What this computer remembers, in a file of the test's own."""
    return Preferences(QSettings(str(tmp_path / "room.ini"), QSettings.Format.IniFormat))


def workflow() -> Workflow:
    """The table of moves as it is shipped."""
    return Workflow(
        Move(row.from_state, row.verb, row.to_state, row.permission, frozenset(row.needs), Clock(row.clock))
        for row in read_transitions()
    )
