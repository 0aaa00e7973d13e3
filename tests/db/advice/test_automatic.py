"""Dispatch by advice: off by itself, above the threshold only, visible, and never what was excluded."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from db.advice.automatic import (
    Automation,
    DispatchAdvised,
    SetAutomatic,
    automation,
    dispatch_automatically,
)  # fmt: skip
from db.bootstrap import Core
from db.cases.tables import case, claim, step
from db.duties.rules import Duty
from db.kernel.actor import SYSTEM, Actor
from db.kernel.refusal import Refused
from db.people.commands import CreateAccount
from tests.db.advice.history import STALLS, write_cases
from tests.db.duties.village import CHIEF, EAST, MORNING, SQUAD_EAST, SQUAD_WEST, WEST, an, settle
from tests.db.engine.kit import entries, rows_of, write

LIMIT = {"limit_amount": 4, "limit_unit": "working_hour"}


def waiting(core: Core, cell: int, count: int = 1, **values: object) -> list[int]:
    return write_cases(core, count, cell, None, state="pending_dispatch", days_ago=0, **LIMIT, **values)  # type: ignore[arg-type]


def squads() -> tuple[Duty, Duty]:
    return an(SQUAD_WEST, WEST), an(SQUAD_EAST, EAST, person_id=22)


@pytest.fixture
def learned(village: Core) -> Core:
    settle(village, *squads())
    write_cases(village, 400, 102, SQUAD_WEST)
    write_cases(village, 400, 107, SQUAD_EAST)
    return village


def test_each_case_goes_to_its_own_unit_and_its_step_says_why(learned: Core) -> None:
    west, east = waiting(learned, 102), waiting(learned, 107)
    moved = learned.bus.run(DispatchAdvised((*west, *east), 0.97), CHIEF).result
    assert set(moved.case_ids) == {*west, *east}
    rows = rows_of(learned.database, case)
    assert [(rows[i]["unit_id"], rows[i]["holder_id"], rows[i]["state"]) for i in (*west, *east)] == [
        (SQUAD_WEST, 11, "pending_handle"), (SQUAD_EAST, 22, "pending_handle"),
    ]  # fmt: skip
    (note,) = [row["note"] for row in rows_of(learned.database, step).values() if row["case_id"] == east[0]]
    assert note.startswith("As advised (99.")
    assert "400 of 400, on shift" in note


def test_what_is_not_sure_enough_stays_with_the_reason(learned: Core) -> None:
    sure, border = waiting(learned, 102), waiting(learned, 104, along=0.95)
    moved = learned.bus.run(DispatchAdvised((*sure, *border), 0.97), CHIEF).result
    assert moved.case_ids == tuple(sure)
    assert "two units share this border" in moved.left_out[0].refusal.text()
    with pytest.raises(Refused, match="only 99"):
        learned.bus.run(DispatchAdvised(tuple(waiting(learned, 102)), 0.9999), CHIEF)


def test_nothing_goes_by_itself_until_a_supervisor_says_so(learned: Core) -> None:
    waiting(learned, 102, 3)
    assert dispatch_automatically(learned.bus, MORNING) == 0
    learned.bus.run(SetAutomatic(0.97), CHIEF)
    assert dispatch_automatically(learned.bus, MORNING) == 3
    assert dispatch_automatically(learned.bus, MORNING) == 0
    learned.bus.run(SetAutomatic(None), CHIEF)
    waiting(learned, 102)
    assert dispatch_automatically(learned.bus, MORNING) == 0


def test_what_went_by_itself_bears_the_programs_name_and_can_be_undone(learned: Core) -> None:
    (case_id,) = waiting(learned, 102)
    learned.bus.run(SetAutomatic(0.97), CHIEF)
    assert dispatch_automatically(learned.bus, MORNING) == 1
    with learned.database.read() as connection:
        who = connection.execute(select(step.c.actor_name).where(step.c.case_id == case_id)).scalar()
    assert who == SYSTEM.name
    learned.bus.undo(SYSTEM)
    assert rows_of(learned.database, case)[case_id]["state"] == "pending_dispatch"


def test_excluded_classes_never_go_by_advice(learned: Core) -> None:
    (case_id,) = waiting(learned, 102)
    learned.bus.run(SetAutomatic(0.97, ("09",)), CHIEF)
    assert dispatch_automatically(learned.bus, MORNING) == 0
    with pytest.raises(Refused, match="never dispatched by advice"):
        learned.bus.run(DispatchAdvised((case_id,), 0.97), CHIEF)


def test_what_a_person_has_in_hand_is_left_to_that_person(learned: Core) -> None:
    returned, claimed, other = waiting(learned, 102), waiting(learned, 102), waiting(learned, 107)
    learned.bus.run(CreateAccount("zhao", 11, "Passwort-2026", ()), SYSTEM)

    def hold(u: object) -> None:
        u.update(case, {returned[0]: {"dispatched_at": MORNING}})  # type: ignore[attr-defined]
        (account,) = u.connection.exec_driver_sql("select id from account").scalars()  # type: ignore[attr-defined]
        row = {"id": 1, "case_id": claimed[0], "account_id": account, "name": "赵"}
        u.insert(claim, [row | {"claimed_at": MORNING, "expires_at": MORNING}])  # type: ignore[attr-defined]

    write(learned.database, hold)
    learned.bus.run(SetAutomatic(0.97), CHIEF)
    assert dispatch_automatically(learned.bus, MORNING) == 1
    assert rows_of(learned.database, case)[other[0]]["unit_id"] == SQUAD_EAST


@pytest.mark.parametrize("threshold", [0.5, 1.2, -1.0])
def test_no_supervisor_may_set_a_careless_threshold(file_village: Core, threshold: float) -> None:
    with pytest.raises(Refused, match="95 %"):
        file_village.bus.run(SetAutomatic(threshold), CHIEF)
    with file_village.database.read() as connection:
        assert automation(connection) == Automation(None, ())


def test_only_who_may_manage_advice_sets_it(file_village: Core) -> None:
    with pytest.raises(Refused, match="may not do this"):
        file_village.bus.run(SetAutomatic(0.99), Actor(8, "李强", frozenset({"case.dispatch"})))
    with pytest.raises(Refused, match="class codes"):
        file_village.bus.run(SetAutomatic(0.99, ("09 or so",)), CHIEF)


def test_who_let_cases_go_by_themselves_stands_in_the_journal(village: Core) -> None:
    village.bus.run(SetAutomatic(0.99, ("06",)), CHIEF)
    (*_earlier, last) = entries(village.database)
    assert (last.actor_name, last.command) == (CHIEF.name, "advice.set_automatic")
    assert last.arguments == {"threshold": 0.99, "excluded": ["06"]}
    with pytest.raises(Refused):
        village.bus.undo(CHIEF)
    with village.database.read() as connection:
        assert automation(connection) == Automation(0.99, ("06",))


def test_another_class_is_not_in_the_history_and_stays(learned: Core) -> None:
    waiting(learned, 102, category=STALLS)
    learned.bus.run(SetAutomatic(0.97), CHIEF)
    assert dispatch_automatically(learned.bus, MORNING) == 0
