"""History and matrix weighed against one another, many questions at once as each alone."""

from __future__ import annotations

import numpy as np
import pytest

from db.advice.judging import Matrix, Questions, judge
from db.advice.learning import learn
from db.bootstrap import Core
from db.duties.queries import class_codes, duty_book
from tests.db.advice.history import BEGGING, STALLS, write_cases
from tests.db.duties.village import (
    CELLS,
    EAST,
    GONE,
    ROADS,
    SQUAD_EAST,
    SQUAD_WEST,
    STEP,
    TODAY,
    WEST,
    an,
    settle,
)  # fmt: skip


def asked(*cells: int, category: int = BEGGING, along: float = 0.5) -> Questions:
    west = np.array([each <= 104 for each in cells])
    zero = np.zeros(len(cells), dtype=np.int64)
    lon = np.array([117 + (CELLS.index(each) + along) * STEP for each in cells])
    return Questions(
        zero + category, np.where(west, WEST, EAST), zero, zero, np.array(cells, dtype=np.int64),
        lon, np.full(len(cells), 35 + STEP / 2),
    )  # fmt: skip


def codes_of(core: Core, questions: Questions) -> list[tuple[str, int, int]]:
    with core.database.read() as connection:
        book, codes = duty_book(connection), class_codes(connection)
        found = judge(learn(connection, book, codes), Matrix(connection, book, codes, TODAY), questions)
    return list(zip(found.code.tolist(), found.unit.tolist(), found.other.tolist(), strict=True))


def test_many_questions_are_answered_as_each_alone(file_village: Core) -> None:
    settle(file_village, an(SQUAD_WEST, WEST, "09"), an(SQUAD_EAST, EAST, "09"))
    write_cases(file_village, 90, 101, SQUAD_WEST)
    write_cases(file_village, 90, 106, ROADS)
    write_cases(file_village, 40, 107, SQUAD_EAST)
    write_cases(file_village, 40, 107, ROADS)
    together = codes_of(file_village, asked(*CELLS))
    assert together == [codes_of(file_village, asked(each))[0] for each in CELLS]
    assert {code for code, _unit, _other in together} >= {"cell", "disagree"}


@pytest.mark.parametrize("cell", [105, 108])
def test_other_districts_say_nothing_against_the_matrix_of_this_one(file_village: Core, cell: int) -> None:
    settle(file_village, an(SQUAD_WEST, WEST, "09"), an(SQUAD_EAST, EAST, "09"))
    write_cases(file_village, 500, 101, SQUAD_WEST)
    assert codes_of(file_village, asked(cell)) == [("rare", SQUAD_EAST, 0)]


def test_where_the_matrix_agrees_the_whole_city_is_heard(file_village: Core) -> None:
    settle(file_village, an(ROADS))
    write_cases(file_village, 500, 101, ROADS)
    assert codes_of(file_village, asked(108)) == [("city", ROADS, 0)]


def test_where_the_matrix_has_a_hole_history_answers_alone(file_village: Core) -> None:
    write_cases(file_village, 100, 106, SQUAD_EAST)
    assert codes_of(file_village, asked(106)) == [("cell", SQUAD_EAST, 0)]


def test_against_the_matrix_both_are_named(file_village: Core) -> None:
    settle(file_village, an(SQUAD_EAST, EAST, "09"))
    write_cases(file_village, 100, 106, ROADS)
    assert codes_of(file_village, asked(106)) == [("disagree", ROADS, SQUAD_EAST)]


def test_a_unit_that_is_gone_and_a_class_never_seen_have_words_of_their_own(file_village: Core) -> None:
    write_cases(file_village, 100, 106, GONE)
    assert codes_of(file_village, asked(106))[0][:2] == ("gone", GONE)
    assert codes_of(file_village, asked(106, category=STALLS)) == [("unknown", 0, 0)]


def test_no_question_has_no_answer(file_village: Core) -> None:
    assert codes_of(file_village, asked()) == []
