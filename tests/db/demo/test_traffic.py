"""The traffic of the demo city keeps the rules and the number of open cases."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db.bootstrap import Core, open_core
from db.cases.commands.closing import Close
from db.cases.tables import case, step
from db.demo.outdoors import FLEET
from db.demo.traffic import Tally, Traffic
from db.engine import journal
from db.kernel.actor import SYSTEM
from db.kernel.clock import SetClock
from db.kernel.refusal import Refused
from db.people.tables import position, vehicle_position
from tests.db.demo.conftest import NOW


@pytest.fixture
def own(tiny_file: Path, tmp_path: Path) -> Iterator[Core]:
    """A copy that a test may change."""
    shutil.copyfile(tiny_file, tmp_path / "own.db")
    core = open_core(f"sqlite:///{tmp_path / 'own.db'}", clock=SetClock(NOW))
    yield core
    core.close()


def open_cases(core: Core) -> int:
    with core.database.read() as connection:
        return connection.scalar(select(func.count()).where(case.c.closed_at.is_(None))) or 0


def test_hundreds_of_changes_keep_the_number_of_open_cases_and_the_chain(own: Core) -> None:
    traffic, tally = Traffic(own, seed=1), Tally()
    before = open_cases(own)
    for _change in range(250):
        traffic.change(1, tally)
    assert tally.refused == 0
    assert tally.changes == 250
    assert {"report", "dispatch", "close"} <= set(tally.by_verb)
    assert abs(open_cases(own) - before) < 30
    with own.database.read() as connection:
        assert journal.verify(connection).whole
        newest = connection.scalar(select(func.max(step.c.at)))
    assert newest == NOW


def test_the_same_seed_asks_for_the_same_things(own: Core, tiny_file: Path, tmp_path: Path) -> None:
    shutil.copyfile(tiny_file, tmp_path / "other.db")
    other = open_core(f"sqlite:///{tmp_path / 'other.db'}", clock=SetClock(NOW))
    try:
        mine, theirs = Traffic(own, seed=7), Traffic(other, seed=7)
        assert [mine._new_report() for _ in range(20)] == [theirs._new_report() for _ in range(20)]
    finally:
        other.close()


def test_a_case_that_another_closed_is_counted_and_let_go(own: Core) -> None:
    traffic, tally = Traffic(own, seed=1), Tally()
    with own.database.read() as connection:
        waiting = connection.scalars(select(case.c.id).where(case.c.state == "pending_close")).all()
    own.bus.run(Close(tuple(waiting)), SYSTEM)
    for _change in range(120):
        traffic.change(3, tally)
    assert tally.refused > 0
    assert tally.changes > 100


def test_people_walk_and_vehicles_drive_without_a_journal_entry(own: Core) -> None:
    traffic = Traffic(own, seed=1)
    with own.database.read() as connection:
        entries = journal.verify(connection).entries
    stop = threading.Event()

    def enough(_tally: Tally) -> None:
        stop.set()

    tally = traffic.run(0.01, stop=stop, heard=enough)
    assert tally.positions == 12 + FLEET
    with own.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(position)) == 12
        assert connection.scalar(select(func.count()).select_from(vehicle_position)) == FLEET
        assert journal.verify(connection).entries <= entries + 1


def test_traffic_is_made_only_in_a_demo_city(tmp_path: Path) -> None:
    core = open_core(f"sqlite:///{tmp_path / 'plain.db'}", create=True)
    try:
        with pytest.raises(Refused, match="not a demo city"):
            Traffic(core)
    finally:
        core.close()
