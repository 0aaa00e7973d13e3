"""One at a time, many at once, and older standards: the same answer; on both databases."""

from __future__ import annotations

import numpy as np
from sqlalchemy import select

from db.bootstrap import Core
from db.duties.queries import (
    class_codes,
    coverage,
    duty_book,
    responsible,
    responsible_for,
    responsible_many,
)  # fmt: skip
from db.registers.tables import category
from tests.db.duties.village import (
    CELLS,
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


def test_the_city_answers_where_no_smaller_area_does(village: Core) -> None:
    settle(village, an(ROADS), an(SQUAD_WEST, WEST, "09", "matter"))
    with village.database.read() as connection:
        for code, areas, unit_id in (("09003", (101, WEST), SQUAD_WEST), ("09003", (None, EAST), ROADS),
                                     ("06001", (WEST,), ROADS), ("09003", (), ROADS)):  # fmt: skip
            found = responsible(connection, "matter", code, areas, TODAY)
            assert found is not None
            assert found.unit_id == unit_id


def test_the_person_is_the_one_named_or_who_leads_the_unit(village: Core) -> None:
    settle(village, an(ROADS), an(ROADS, WEST, person_id=32), an(ROADS, EAST, person_id=33))
    with village.database.read() as connection:
        found = [responsible(connection, "matter", "09003", (a,), TODAY) for a in (CITY, WEST, EAST)]
    # 33 has left.
    assert [each.person_id for each in found if each] == [31, 32, None]


def test_a_unit_that_is_gone_is_passed_by(village: Core) -> None:
    settle(village, an(ROADS), an(GONE, WEST))
    with village.database.read() as connection:
        found = responsible(connection, "matter", "09003", (WEST,), TODAY)
    assert found is not None
    assert found.unit_id == ROADS


def test_many_at_once_are_answered_as_one_by_one(village: Core) -> None:
    settle(
        village, an(ROADS, prefix="01"), an(SQUAD_WEST, WEST, "09", "matter"),
        an(SQUAD_EAST, EAST, person_id=22),
        an(ROADS, 102, "09003"), an(GONE, 103), an(SQUAD_EAST, 12, "06", "matter"),
    )  # fmt: skip
    with village.database.read() as connection:
        book = duty_book(connection)
        ids = connection.execute(select(category.c.id).order_by(category.c.id)).scalars().all()[::7]
        pairs = [(category_id, n) for category_id in ids for n in range(len(CELLS))]
        places = book.places[[n for _category, n in pairs]]
        places[::3, 0] = 0
        units, persons = responsible_many(connection, np.array([each for each, _n in pairs]), places, TODAY)
        for (category_id, n), unit_id, person_id in zip(pairs, units.tolist(), persons.tolist(), strict=True):
            one = responsible_for(connection, category_id, book.places[n].tolist(), TODAY)
            assert (unit_id, person_id) == ((one.unit_id, one.person_id or 0) if one else (0, 0))


def test_a_class_of_an_older_standard_is_answered_as_its_successor(village: Core) -> None:
    with village.database.read() as connection:
        codes = class_codes(connection)
        old = connection.execute(
            select(category.c.id, category.c.successor_id).where(category.c.successor_id.is_not(None))
        ).first()
    assert old is not None
    assert codes[old.id] == codes[old.successor_id]


def test_the_places_of_a_cell_are_all_areas_that_hold_it(village: Core) -> None:
    with village.database.read() as connection:
        book = duty_book(connection)
        assert book.places.tolist()[:3] == [
            [CITY, WEST, 11, 110, 101], [CITY, WEST, 11, 110, 102], [CITY, WEST, 12, 120, 103],
        ]  # fmt: skip
        assert coverage(connection, TODAY).pairs == 8 * len(book.classes)
