"""Advice in the village: who, how sure, and every reason for saying nothing; on both databases."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from db.advice.queries import advise, prepare
from db.advice.rules import Advice
from db.bootstrap import Core
from db.people.tables import unit
from tests.db.advice.history import BEGGING, STALLS, write_cases
from tests.db.duties.village import (
    EAST,
    GONE,
    MORNING,
    ROADS,
    SQUAD_EAST,
    SQUAD_WEST,
    WEST,
    an,
    settle,
)  # fmt: skip


def asked(core: Core, case_id: int) -> Advice:
    with core.database.read() as connection:
        return advise(connection, [case_id], MORNING)[case_id]


def new_case(core: Core, cell: int, along: float = 0.5, category: int = BEGGING) -> int:
    return write_cases(
        core, 1, cell, None, state="pending_dispatch", category=category, along=along, days_ago=0
    )[0]


def settle_squads(core: Core) -> None:
    settle(core, an(SQUAD_WEST, WEST, "09"), an(SQUAD_EAST, EAST, "09", person_id=22))


def test_history_and_matrix_together_name_the_unit_the_person_and_the_reason(village: Core) -> None:
    settle_squads(village)
    write_cases(village, 200, 106, SQUAD_EAST)
    write_cases(village, 3, 107, SQUAD_EAST, state="handling")
    found = asked(village, new_case(village, 106))
    assert (found.unit_id, found.person_id) == (SQUAD_EAST, 22)
    assert found.precision > 0.99
    assert found.reason.text() == "same cell and kind 200 of 200, on shift, 3 open"


def test_a_cell_without_history_is_helped_by_its_district(village: Core) -> None:
    settle_squads(village)
    write_cases(village, 60, 106, SQUAD_EAST)
    found = asked(village, new_case(village, 108))
    assert (found.unit_id, found.reason.code) == (SQUAD_EAST, "district")


def test_near_another_units_area_it_does_not_say_which(village: Core) -> None:
    settle_squads(village)
    write_cases(village, 100, 104, SQUAD_WEST)
    inside, at_the_edge = (asked(village, new_case(village, 104, along)) for along in (0.5, 0.9))
    assert inside.unit_id == SQUAD_WEST
    assert (at_the_edge.unit_id, at_the_edge.leaning) == (None, SQUAD_WEST)
    assert at_the_edge.reason.text() == "two units share this border: 西中队 and 东中队"


def test_seen_too_seldom_it_leans_on_the_matrix_and_says_nothing(village: Core) -> None:
    settle_squads(village)
    write_cases(village, 3, 102, SQUAD_WEST)
    found = asked(village, new_case(village, 102))
    assert (found.unit_id, found.leaning, found.precision) == (None, SQUAD_WEST, 0.0)
    assert found.reason.text() == "seen only 3 times"


def test_history_against_the_matrix_is_told_and_not_decided(village: Core) -> None:
    settle_squads(village)
    write_cases(village, 100, 102, ROADS)
    found = asked(village, new_case(village, 102))
    assert (found.unit_id, found.reason.text()) == (None, "history says 市政处, the duty matrix 西中队")


def test_a_divided_history_is_told(village: Core) -> None:
    settle_squads(village)
    write_cases(village, 60, 102, SQUAD_WEST)
    write_cases(village, 40, 102, ROADS)
    found = asked(village, new_case(village, 102))
    assert found.unit_id is None
    assert found.reason.text() == "history is divided: 西中队 60 of 100"


def test_of_another_class_nothing_is_known(village: Core) -> None:
    write_cases(village, 100, 102, SQUAD_WEST)
    found = asked(village, new_case(village, 102, category=STALLS))
    assert (found.unit_id, found.leaning, found.reason.code) == (None, None, "unknown")


def test_a_unit_that_is_no_longer_active_is_never_advised(village: Core) -> None:
    write_cases(village, 100, 102, GONE)
    assert asked(village, new_case(village, 102)).unit_id is None


def test_only_the_unit_that_closed_a_case_counts(village: Core) -> None:
    settle_squads(village)
    write_cases(village, 50, 102, SQUAD_WEST)
    write_cases(village, 500, 102, ROADS, state="handling")
    write_cases(village, 500, 102, ROADS, state="forced", closed_at=MORNING)
    assert asked(village, new_case(village, 102)).reason.text().endswith(" 50 of 50, on shift, 0 open")


def test_a_change_of_the_matrix_is_heard_at_once_and_history_the_next_day(village: Core) -> None:
    settle_squads(village)
    write_cases(village, 50, 102, SQUAD_WEST)
    case_id = new_case(village, 102)
    assert asked(village, case_id).unit_id == SQUAD_WEST
    settle(village, an(ROADS, 102, "09003", "matter"))
    assert asked(village, case_id).reason.code == "disagree"
    write_cases(village, 500, 102, ROADS)
    assert asked(village, case_id).reason.code == "disagree"
    with village.database.read() as connection:
        prepare(connection, MORNING + timedelta(days=1))
    assert asked(village, case_id).unit_id == ROADS


def test_a_unit_put_out_of_service_is_heard_at_once(village: Core) -> None:
    settle_squads(village)
    write_cases(village, 50, 102, SQUAD_WEST)
    case_id = new_case(village, 102)
    assert asked(village, case_id).unit_id == SQUAD_WEST
    with village.database.engine.begin() as connection:
        connection.execute(update(unit).where(unit.c.id == SQUAD_WEST).values(active=False, version=2))
    assert asked(village, case_id).unit_id is None


def test_a_case_without_a_position_or_a_cell_is_answered_by_its_district(village: Core) -> None:
    settle_squads(village)
    write_cases(village, 100, 106, SQUAD_EAST)
    (case_id,) = write_cases(
        village, 1, 106, None, state="pending_dispatch",
        lon=None, lat=None, cell_id=None, patrol_id=None, community_id=None,
    )  # fmt: skip
    found = asked(village, case_id)
    assert (found.unit_id, found.reason.code) == (SQUAD_EAST, "district")


def test_cases_that_are_not_there_are_not_answered(village: Core) -> None:
    with village.database.read() as connection:
        assert advise(connection, [12345], MORNING) == {}
        assert advise(connection, [], MORNING) == {}
