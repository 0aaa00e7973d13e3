"""What is foreseen is what then happens."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from db.bootstrap import Core
from db.duties.commands import ClearDuties, PaintDuties
from db.duties.foresight import Repaint, foresee
from db.duties.queries import duty_book
from tests.db.duties.village import (
    CHIEF,
    EAST,
    ROADS,
    SQUAD_EAST,
    SQUAD_WEST,
    TODAY,
    WEST,
    an,
    settle,
)  # fmt: skip


def foreseen(
    core: Core, areas: tuple[int, ...], prefix: str, unit_id: int | None, on: date = TODAY
) -> Repaint:
    with core.database.read() as connection:
        return foresee(duty_book(connection), areas, "matter", prefix, unit_id, None, on)


def units(core: Core, prefix: str, on: date) -> Any:
    with core.database.read() as connection:
        book = duty_book(connection)
    columns = [n for n, (kind, code) in enumerate(book.keys) if kind == "matter" and code.startswith(prefix)]
    return book.allotment(on).units[:, columns]


def test_who_has_what_before_and_after_is_counted_by_cell(file_village: Core) -> None:
    settle(file_village, an(ROADS), an(SQUAD_WEST, WEST, "09", "matter"))
    found = foreseen(file_village, (12, 21), "09", SQUAD_EAST)
    assert found.moves == {(SQUAD_WEST, SQUAD_EAST): 2, (ROADS, SQUAD_EAST): 2}
    assert found.cells.tolist() == [103, 104, 105, 106]
    assert (found.changing, found.finer) == (4, 0)


def test_cells_that_keep_a_finer_rule_are_counted(file_village: Core) -> None:
    settle(file_village, an(ROADS), an(SQUAD_WEST, 101, "09", "matter"), an(SQUAD_WEST, 102, "09003"))
    found = foreseen(file_village, (11,), "09", SQUAD_EAST)
    # 101 keeps all, 102 keeps one of its classes.
    assert (found.finer, found.moves) == (2, {(ROADS, SQUAD_EAST): 1})


def test_painting_what_is_so_already_changes_nothing(file_village: Core) -> None:
    settle(file_village, an(SQUAD_WEST, WEST, "09", "matter"))
    assert foreseen(file_village, (WEST,), "09", SQUAD_WEST).moves == {}


@pytest.mark.parametrize("unit_id", [SQUAD_EAST, None])
@pytest.mark.parametrize("on", [TODAY, TODAY + timedelta(10)])
def test_what_was_foreseen_is_what_happens(file_village: Core, unit_id: int | None, on: date) -> None:
    settle(
        file_village, an(ROADS), an(SQUAD_WEST, WEST, "09", "matter"), an(SQUAD_WEST, 101, "09", "matter"),
        an(ROADS, 105, "09", "matter", since=TODAY + timedelta(5)), an(ROADS, 106, "09003"),
    )  # fmt: skip
    areas = (101, 102, 105, 106, 108)
    found = foreseen(file_village, areas, "09", unit_id, on)
    before = units(file_village, "09", on)
    day = on.isoformat()
    command: Any = ClearDuties(areas, "matter", "09", day)
    if unit_id is not None:
        command = PaintDuties(areas, "matter", "09", unit_id, None, day)
    file_village.bus.run(command, CHIEF)
    after = units(file_village, "09", on)
    changed = np.flatnonzero((before != after).any(axis=1))
    assert found.changing == len(changed)
    first = (before != after)[changed].argmax(axis=1)
    wanted: dict[tuple[int, int], int] = {}
    for row, column in zip(changed.tolist(), first.tolist(), strict=True):
        move = (int(before[row, column]), int(after[row, column]))
        wanted[move] = wanted.get(move, 0) + 1
    assert found.moves == wanted


def test_the_classes_that_are_meant_are_named(file_village: Core) -> None:
    found = foreseen(file_village, (EAST,), "10", ROADS)
    assert len(found.category_ids) == 2
