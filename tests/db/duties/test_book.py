"""The proof: what has no keeper is told, in the largest words; what has one is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from db.bootstrap import Core
from db.duties.book import Coverage, DutyBook, prove
from db.duties.queries import duty_book
from tests.db.duties.village import (
    CITY,
    EAST,
    GONE,
    ROADS,
    SINCE,
    SQUAD_EAST,
    SQUAD_WEST,
    TODAY,
    WEST,
    an,
    open_village,
)  # fmt: skip


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory, sqlite_template: object) -> DutyBook:
    url = sqlite_template.copy_to(tmp_path_factory.mktemp("village") / "v.db")  # type: ignore[attr-defined]
    core: Core = open_village(url)
    with core.database.read() as connection:
        found = duty_book(connection)
    core.close()
    return found


def proof(book: DutyBook, *duties: object, on: date = TODAY) -> Coverage:
    return prove(replace(book, duties=tuple(duties)), on)  # type: ignore[arg-type]


def told(book: DutyBook, found: Coverage) -> list[str]:
    return [hole.text(book, "en") for hole in found.holes]


def test_without_a_matrix_there_is_one_hole_the_size_of_the_city(book: DutyBook) -> None:
    found = proof(book)
    assert told(book, found) == ["city1, all classes: nobody"]
    assert (found.covered, found.percent) == (0, 0.0)


def test_one_row_for_everything_covers_everything(book: DutyBook) -> None:
    found = proof(book, an(ROADS))
    assert (found.holes, found.overlaps, found.lame) == ((), (), ())
    assert found.covered == found.pairs == 8 * len(book.classes)
    assert found.percent == 100.0


def test_a_hole_is_named_by_the_largest_area_and_group_of_classes(book: DutyBook) -> None:
    majors = sorted({(each.kind, each.code[:2]) for each in book.classes} - {("matter", "09")})
    rows = [an(ROADS, prefix=major, kind=kind) for kind, major in majors]
    found = proof(book, *rows, an(SQUAD_WEST, WEST, "09", "matter"))
    assert told(book, found) == ["district20, 09 Street order: nobody"]
    assert found.pairs - found.covered == 4 * sum(each.code.startswith("09") for each in book.classes)


def test_a_unit_that_is_gone_and_a_person_who_has_left_are_holes_of_their_own(book: DutyBook) -> None:
    gone, left = an(GONE, 11, "09", "matter"), an(ROADS, 12, "09", "matter", person_id=33)
    found = proof(book, an(ROADS), gone, left)
    assert set(told(book, found)) == {
        "community11, 09 Street order: the unit is no longer active",
        "community12, 09 Street order: no active person",
    }
    assert set(found.lame) == {gone, left}


def test_two_rows_of_equal_rank_are_an_overlap_and_not_covered(book: DutyBook) -> None:
    one, other = an(SQUAD_WEST, EAST, "09003", row_id=1), an(SQUAD_EAST, EAST, "09003", row_id=2)
    found = proof(book, an(ROADS), one, other)
    assert [(each.one, each.other) for each in found.overlaps] == [(one, other)]
    assert found.pairs - found.covered == 4
    assert found.overlaps[0].text(book, "en") == "district20, 09003 Begging: 西中队 and 东中队"


def test_what_has_run_out_is_told_where_it_left_a_hole(book: DutyBook) -> None:
    ended = an(ROADS, CITY, "09", "matter", until=date(2026, 3, 1))
    replaced = an(ROADS, WEST, "06", "matter", until=date(2026, 3, 1))
    rest = [an(ROADS, prefix=p) for p in ("01", "02", "03", "04", "05", "06", "07", "08", "10")]
    found = proof(book, ended, replaced, *rest)
    assert found.run_out == (ended,)
    assert proof(book, ended, *rest, on=date(2026, 3, 1)).holes == ()


def test_every_day_is_proved_by_the_rows_of_that_day(book: DutyBook) -> None:
    rows = (an(ROADS, since=SINCE, until=date(2026, 1, 31)), an(SQUAD_WEST, since=date(2026, 3, 1)))
    assert proof(book, *rows, on=date(2026, 1, 31)).percent == 100.0
    assert proof(book, *rows, on=date(2026, 2, 10)).percent == 0.0
    assert proof(book, *rows, on=date(2026, 3, 1)).percent == 100.0


def test_a_group_of_classes_says_its_kind_only_where_both_kinds_have_it(book: DutyBook) -> None:
    assert book.class_label("component", "05", "en") == "05 Other components (components)"
    assert book.class_label("", "05", "en") == "05 Other components"
    assert book.class_label("matter", "09", "en") == "09 Street order"
    assert book.class_label("matter", "", "en") == "matters"
