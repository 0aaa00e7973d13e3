"""Cases that were thought to lie elsewhere."""

from __future__ import annotations

import pytest

from db.bootstrap import Core
from db.cases.commands.closing import Close
from db.cases.commands.placing import MoveCases
from db.cases.foresight import Moved
from db.cases.tables import step
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Refused
from tests.db.cases.office import at_state, officer, reported, row, verbs
from tests.db.engine.kit import rows_of, write
from tests.db.registers.quarter import at, draw_quarter


@pytest.fixture
def core(core: Core) -> Core:
    """The office with the areas of a quarter around it."""
    write(core.database, lambda work: draw_quarter(work, people=False))
    return core


def test_the_areas_follow_and_the_history_says_from_where_to_where(core: Core) -> None:
    here, there = at(0.5, 0.5), at(2.5, 2.5)
    case_id = reported(core, lon=here[0], lat=here[1])
    before = row(core, case_id)
    assert before["cell_id"] == 31
    assert core.bus.run(MoveCases((case_id,), *there, "误点"), SYSTEM).result == 1
    after = row(core, case_id)
    assert (after["lon"], after["lat"]) == there
    assert [after[f"{kind}_id"] for kind in ("district", "community", "patrol", "cell")] == [11, 22, 26, 39]
    assert (after["state"], after["unit_id"], after["due_at"]) == (
        before["state"],
        before["unit_id"],
        before["due_at"],
    )
    assert after["version"] == before["version"] + 1
    assert verbs(core, case_id)[-1] == "place"
    note = next(each["note"] for each in rows_of(core.database, step).values() if each["verb"] == "place")
    assert note == "误点 (117.100500, 35.000500 → 117.102500, 35.002500)"


def test_undo_puts_it_back(core: Core) -> None:
    case_id = reported(core, lon=at(0.5, 0.5)[0], lat=at(0.5, 0.5)[1])
    core.bus.run(MoveCases((case_id,), *at(2.5, 2.5), "误点"), SYSTEM)
    core.bus.undo(SYSTEM)
    assert (row(core, case_id)["lon"], row(core, case_id)["cell_id"]) == (at(0.5, 0.5)[0], 31)


def test_a_case_without_a_position_gets_one_whatever_its_state(core: Core) -> None:
    for state in ("pending_dispatch", "handling", "closed"):
        case_id = at_state(core, state)
        core.bus.run(MoveCases((case_id,), *at(1.5, 1.5), "补点"), SYSTEM)
        assert (row(core, case_id)["cell_id"], row(core, case_id)["state"]) == (35, state)


@pytest.mark.parametrize(
    "lon, lat, reason, words",
    [
        (117.1005, 35.0005, " ", "reason is required"),
        (500.0, 35.0, "误点", "not a place on earth"),
        (float("nan"), 35.0, "误点", "not a place on earth"),
        (121.47, 31.23, "误点", "outside of the city"),
    ],
)
def test_what_cannot_be_is_refused(core: Core, lon: float, lat: float, reason: str, words: str) -> None:
    case_id = reported(core)
    with pytest.raises(Refused, match=words):
        core.bus.run(MoveCases((case_id,), lon, lat, reason), SYSTEM)


def test_a_case_that_changed_meanwhile_is_left_out_or_refused(core: Core) -> None:
    first, second = reported(core), reported(core)
    versions = (row(core, first)["version"], row(core, second)["version"])
    core.bus.run(MoveCases((first,), *at(0.5, 0.5), "误点"), SYSTEM)
    both = MoveCases((first, second), *at(1.5, 0.5), "误点", versions)
    with pytest.raises(Refused, match="changed since you looked"):
        core.bus.run(both, SYSTEM)
    found = core.bus.run(
        MoveCases((first, second), *at(1.5, 0.5), "误点", versions, leave_out=True), SYSTEM
    ).result
    assert isinstance(found, Moved)
    assert found.case_ids == (second,)
    assert [each.case_id for each in found.left_out] == [first]
    with pytest.raises(Refused, match="lies there already"):
        core.bus.run(MoveCases((second,), *at(1.5, 0.5), "误点"), SYSTEM)


def test_the_desk_may_move_cases_and_a_handler_may_not(core: Core) -> None:
    case_id = at_state(core, "pending_close")
    core.bus.run(MoveCases((case_id,), *at(0.5, 0.5), "误点"), officer(core, "duty_leader"))
    with pytest.raises(Refused, match="may not do this"):
        core.bus.run(MoveCases((case_id,), *at(1.5, 0.5), "误点"), officer(core, "handler"))
    core.bus.run(Close((case_id,)), SYSTEM)
