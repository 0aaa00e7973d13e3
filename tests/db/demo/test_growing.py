"""A database to measure with: a copy, filled up to so many open cases, each with its history and clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db.bootstrap import Core, open_core
from db.cases.commands.dispatch import Reassign
from db.cases.tables import case, span, step
from db.demo.growing import chosen, copy_of, counts, grow, sqlite_version
from db.engine.journal import verify
from db.kernel.actor import SYSTEM
from db.kernel.clock import SetClock
from tests.db.demo.conftest import NOW
from tests.kit.refusals import refused


@pytest.fixture
def grown(tiny_file: Path, tmp_path: Path) -> Iterator[Core]:
    """A copy of the tiny city with three hundred open cases."""
    core = open_core(copy_of(f"sqlite:///{tiny_file}", tmp_path / "copy.db"), clock=SetClock(NOW))
    grow(core, 300)
    yield core
    core.close()


def test_the_copy_has_so_many_open_cases_and_the_city_is_not_touched(grown: Core, tiny_file: Path) -> None:
    assert counts(grown) == (1_800, 300)
    city = open_core(f"sqlite:///{tiny_file}", clock=SetClock(NOW))
    assert counts(city) == (1_620, 120)
    city.close()


def test_what_has_enough_is_left_alone(grown: Core) -> None:
    grow(grown, 200)
    assert counts(grown) == (1_800, 300)


def test_the_cases_that_came_have_steps_and_a_running_clock(grown: Core) -> None:
    with grown.database.read() as connection:
        new = select(case.c.id).where(case.c.number.like("99%")).scalar_subquery()
        for table, of_each in ((step, 4), (span, 1)):
            found = connection.execute(select(func.count()).where(table.c.case_id.in_(new))).scalar()
            assert found == 180 * of_each
        assert verify(connection).whole


def test_the_same_cases_are_chosen_each_time_and_can_be_moved(grown: Core) -> None:
    ids, units = chosen(grown, 50)
    assert (ids, units) == chosen(grown, 50)
    assert len(ids) == 50
    result = grown.bus.run(Reassign(ids, units[0], "片区调整", leave_out=True), SYSTEM).result
    assert len(result.case_ids) + len(result.left_out) == 50


def test_where_there_is_nothing_to_pattern_after_it_says_so(sqlite_url: str) -> None:
    core = open_core(sqlite_url)
    with refused("no_pattern"):
        grow(core, 10)
    core.close()


def test_a_server_is_not_copied(tmp_path: Path) -> None:
    with refused("not_a_file"):
        copy_of("postgresql://localhost/jingwei", tmp_path / "copy.db")


def test_the_library_tells_its_version() -> None:
    assert sqlite_version() >= (3, 38)
