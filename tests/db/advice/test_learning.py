"""What is counted: closed cases by class, area of every level and unit; the same as counting by hand."""

from __future__ import annotations

import numpy as np

from db.advice.learning import learn, whole_places
from db.bootstrap import Core
from db.duties.queries import class_codes, duty_book
from db.kernel.clock import to_ms
from tests.db.advice.history import BEGGING, STALLS, write_cases
from tests.db.duties.village import CITY, EAST, MORNING, ROADS, SQUAD_EAST, SQUAD_WEST, WEST


def ids(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_every_level_counts_what_lies_in_it(village: Core) -> None:
    write_cases(village, 3, 101, SQUAD_WEST)
    write_cases(village, 2, 102, SQUAD_WEST)
    write_cases(village, 4, 103, ROADS)
    write_cases(village, 8, 106, SQUAD_EAST)
    write_cases(village, 16, 101, SQUAD_EAST, category=STALLS)
    with village.database.read() as connection:
        book = duty_book(connection)
        history = learn(connection, book, class_codes(connection))
    places, classes = book.places[:1], history.classes(ids(BEGGING))
    assert history.cases == 33
    west = ids(history.units.tolist().index(SQUAD_WEST))
    hits, seen = history.counted(classes, places, west)
    assert hits[:, 0].tolist() == [5, 5, 5, 5, 3]
    assert seen[:, 0].tolist() == [17, 9, 5, 5, 3]


def test_the_smallest_area_with_enough_names_the_unit_that_leads(village: Core) -> None:
    write_cases(village, 4, 101, ROADS)
    write_cases(village, 6, 102, SQUAD_WEST)
    with village.database.read() as connection:
        book = duty_book(connection)
        history = learn(connection, book, class_codes(connection))

    def leader(fewest: int) -> int:
        found = history.leaders(history.classes(ids(BEGGING)), book.places[:1], fewest)[0]
        return int(history.units[found]) if found >= 0 else 0

    assert [leader(fewest) for fewest in (4, 5, 10, 11)] == [ROADS, SQUAD_WEST, SQUAD_WEST, 0]


def test_what_was_reported_later_is_not_known(village: Core) -> None:
    write_cases(village, 3, 101, SQUAD_WEST, days_ago=40)
    write_cases(village, 5, 101, SQUAD_WEST, days_ago=20)
    with village.database.read() as connection:
        book, codes = duty_book(connection), class_codes(connection)
        before = to_ms(MORNING) - 30 * 86_400_000
        assert learn(connection, book, codes, before).cases == 3
        assert learn(connection, book, codes, 0).cases == 0


def test_without_a_cell_the_areas_that_are_given_hold(village: Core) -> None:
    with village.database.read() as connection:
        book = duty_book(connection)
    found = whole_places(book, ids(106, 0), ids(0, 0), ids(0, 12), ids(WEST, WEST))
    # A cell knows better than what was written beside it.
    assert found.tolist() == [[CITY, EAST, 21, 210, 106], [CITY, WEST, 12, 0, 0]]
