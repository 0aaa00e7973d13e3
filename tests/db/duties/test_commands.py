"""Changing the matrix: from a day on, past days stay, all or nothing, with undo; on both databases."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from db.bootstrap import Core
from db.duties.commands import ClearDuties, EndDuty, ImportDuties, PaintDuties, PutDuty
from db.duties.queries import duties, responsible
from db.duties.tables import duty
from db.kernel.actor import Actor
from db.kernel.refusal import Refused, RefusedAll
from tests.db.duties.village import (
    CHIEF,
    CITY,
    EAST,
    GONE,
    ROADS,
    SQUAD_EAST,
    SQUAD_WEST,
    TODAY,
    WEST,
    an,
    settle,
)  # fmt: skip

ISO = TODAY.isoformat()


def run(core: Core, command: Any, who: Actor = CHIEF) -> Any:
    return core.bus.run(command, who).result


def keeper(core: Core, on: date, *areas: int, code: str = "09003") -> tuple[int, int | None]:
    with core.database.read() as connection:
        found = responsible(connection, "matter", code, areas, on)
    return (found.unit_id, found.person_id) if found else (0, None)


def test_a_change_ends_the_old_row_the_day_before_and_past_days_stay_answerable(village: Core) -> None:
    run(village, PutDuty("matter", "09", WEST, SQUAD_WEST, None, "2025-01-01"))
    run(village, PutDuty("matter", "09", WEST, ROADS, 32, ISO))
    assert keeper(village, TODAY - timedelta(1), WEST) == (SQUAD_WEST, 11)
    assert keeper(village, TODAY, WEST) == (ROADS, 32)
    with village.database.read() as connection:
        assert [each.valid_to for each in duties(connection)] == [TODAY - timedelta(1), None]


def test_a_stand_in_gives_back_after_its_last_day(village: Core) -> None:
    run(village, PutDuty("matter", "09", WEST, SQUAD_WEST, None, "2025-01-01"))
    run(village, PutDuty("matter", "09", WEST, ROADS, None, "2026-04-01", "2026-04-07"))
    answers = [keeper(village, date(2026, m, d), WEST)[0] for m, d in ((3, 31), (4, 1), (4, 7), (4, 8))]
    assert answers == [SQUAD_WEST, ROADS, ROADS, SQUAD_WEST]


def test_painting_many_cells_is_one_act_and_one_undo(village: Core) -> None:
    settle(village, an(ROADS))
    assert run(village, PaintDuties((101, 102, 105), "matter", "09", SQUAD_EAST, 22, ISO)) == 3
    assert keeper(village, TODAY, 101, 11, WEST) == (SQUAD_EAST, 22)
    assert keeper(village, TODAY, 103, 12, WEST) == (ROADS, 31)
    village.bus.undo(CHIEF)
    assert keeper(village, TODAY, 101, 11, WEST) == (ROADS, 31)
    with village.database.read() as connection:
        assert len(duties(connection)) == 1


def test_painting_what_stands_already_writes_nothing(village: Core) -> None:
    paint = PaintDuties((101, 102), "matter", "09", SQUAD_EAST, None, ISO)
    assert run(village, paint) == 2
    assert run(village, paint) == 0


def test_taking_away_lets_the_larger_area_answer_again(village: Core) -> None:
    settle(village, an(ROADS), an(SQUAD_EAST, 101, "09", "matter"))
    assert run(village, ClearDuties((101,), "matter", "09", ISO)) == 1
    assert keeper(village, TODAY, 101, 11, WEST)[0] == ROADS
    assert keeper(village, TODAY - timedelta(1), 101, 11, WEST)[0] == SQUAD_EAST
    with pytest.raises(Refused, match="no duty of their own"):
        run(village, ClearDuties((101,), "matter", "09", ISO))


def test_ending_holds_until_the_last_day_and_drops_what_never_began(village: Core) -> None:
    settle(village, an(ROADS, row_id=1), an(ROADS, WEST, since=TODAY + timedelta(9), row_id=2))
    run(village, EndDuty((1, 2), ISO))
    assert keeper(village, TODAY, WEST)[0] == ROADS
    assert keeper(village, TODAY + timedelta(1), WEST)[0] == 0
    with village.database.read() as connection:
        assert [row.id for row in connection.execute(select(duty))] == [1]
    with pytest.raises(Refused, match="no such duty"):
        run(village, EndDuty((1, 99), ISO))


@pytest.mark.parametrize(
    "command, codes",
    [
        (PutDuty("thing", "09", WEST, ROADS, None, ISO), ["no_such_kind"]),
        (PutDuty("matter", "99", WEST, ROADS, None, ISO), ["no_such_class"]),
        (PutDuty("component", "09", WEST, ROADS, None, ISO), ["no_such_class"]),
        (PutDuty("matter", "0%", WEST, ROADS, None, ISO), ["no_such_class"]),
        (PutDuty("matter", "09", 999, GONE, None, ISO), ["no_such_area", "no_such_unit"]),
        (PutDuty("matter", "09", WEST, ROADS, 11, ISO), ["no_such_person"]),
        (PutDuty("matter", "09", WEST, ROADS, 33, ISO), ["no_such_person"]),
        (PutDuty("matter", "09", WEST, ROADS, None, ISO, "2026-03-01"), ["ends_before"]),
        (PutDuty("matter", "09", WEST, ROADS, None, "tomorrow"), ["no_date"]),
        (PaintDuties((), "matter", "09", ROADS, None, ISO), ["no_area"]),
        (PaintDuties((101, 102, 103), "matter", "09", GONE, None, ISO), ["no_such_unit"]),
    ],
)
def test_what_does_not_exist_is_refused_with_the_whole_list(
    file_village: Core, command: Any, codes: list[str]
) -> None:
    with pytest.raises(Refused) as refusal:
        run(file_village, command)
    told = refusal.value.refusals if isinstance(refusal.value, RefusedAll) else [refusal.value]
    assert [each.code for each in told] == codes
    with file_village.database.read() as connection:
        assert duties(connection) == []


def test_only_who_may_manage_duties_changes_them(file_village: Core) -> None:
    with pytest.raises(Refused, match="may not do this"):
        run(file_village, PutDuty("matter", "09", WEST, ROADS, None, ISO), Actor(8, "李强"))


def row(line: int, area: int, unit_id: int, prefix: str = "09", first: str = ISO) -> tuple[Any, ...]:
    return (line, "matter", prefix, area, unit_id, None, first, None, "")


def test_an_import_tells_every_bad_row_and_writes_none(village: Core) -> None:
    rows = (row(2, WEST, ROADS), row(3, WEST, SQUAD_WEST), row(4, EAST, GONE), row(5, 77, ROADS, "99"))
    with pytest.raises(RefusedAll) as refusal:
        run(village, ImportDuties(rows))
    assert refusal.value.text().splitlines() == [
        "Line 4: There is no such unit, or it is no longer active.",
        "Line 5: No class begins with “99”.",
        "Line 5: There is no such area.",
        "Lines 2 and 3 are about the same class and area on the same days.",
    ]
    with village.database.read() as connection:
        assert duties(connection) == []


def test_a_complete_import_ends_what_is_not_in_it(village: Core) -> None:
    settle(village, an(ROADS, CITY), an(SQUAD_EAST, EAST, "09", "matter"))
    run(village, ImportDuties((row(2, EAST, SQUAD_WEST),), complete=True, ends_on=ISO))
    assert keeper(village, TODAY, EAST)[0] == SQUAD_WEST
    assert keeper(village, TODAY, WEST)[0] == 0
    assert keeper(village, TODAY - timedelta(1), EAST)[0] == SQUAD_EAST


def test_rows_of_one_key_follow_one_another_in_one_import(village: Core) -> None:
    settle(village, an(ROADS, WEST, "09", "matter"))
    until = ("matter", "09", WEST, SQUAD_WEST, None, "2026-04-01", "2026-04-30", "")
    run(village, ImportDuties(((2, *until), row(3, WEST, SQUAD_EAST, first="2026-05-01"))))
    answers = [keeper(village, date(2026, m, 30), WEST)[0] for m in (3, 4, 5)]
    assert answers == [ROADS, SQUAD_WEST, SQUAD_EAST]
