"""The demo's matrix says what the list of competence says, but for the faults that are meant."""

from __future__ import annotations

from datetime import date, timedelta

from db.bootstrap import Core
from db.demo.city import City
from db.demo.duties import HANDED_OVER, HOLES, OVERLAP, draw_duties
from db.demo.matters import read_mix
from db.demo.staff import Competence, read_units, recruit
from db.duties.book import prove
from db.duties.queries import duty_book
from tests.db.demo.conftest import NOW

TODAY = NOW.date()


def test_the_proof_finds_just_the_holes_and_the_overlap_that_were_made(tiny: Core) -> None:
    with tiny.database.read() as connection:
        book = duty_book(connection)
    found = prove(book, TODAY)
    with_cells = {int(each) for each in book.places[:, 1]}
    wanted = {
        (kind, prefix, each.id)
        for kind, prefix, district in HOLES
        for each in book.areas.values()
        if each.kind == "district" and each.code == district and each.id in with_cells
    }
    assert {(hole.kind, hole.prefix, hole.area_id) for hole in found.holes} == wanted
    (overlap,) = found.overlaps
    assert (overlap.one.kind, overlap.one.prefix) == OVERLAP[:2]
    assert found.lame == ()
    (district,) = [area.id for area in book.areas.values() if area.code == OVERLAP[2]]
    missing = sum(hole.cells * hole.classes for hole in found.holes)
    assert found.pairs - found.covered == missing + int((book.places[:, 1] == district).sum())


def test_what_nobody_was_given_has_no_row_in_its_district_nor_in_the_city(city: City) -> None:
    units = read_units()
    drawn = list(draw_duties(city, units, recruit(city, units, 3)))
    towns = {town.code: n for n, town in enumerate(city.towns)}
    for kind, prefix, district in HOLES:
        rows = [each for each in drawn if (each.kind, each.prefix) == (kind, prefix)]
        assert rows
        assert not any(each.level == "city" or each.area == towns[district] for each in rows)


def test_the_matrix_and_the_list_of_competence_name_the_same_unit(tiny: Core) -> None:
    with tiny.database.read() as connection:
        book = duty_book(connection)
    units = book.allotment(TODAY).units
    competence, faulty = Competence(read_units()), {prefix for _kind, prefix, _d in HOLES} | {OVERLAP[1]}
    columns = {key: n for n, key in enumerate(book.keys)}
    for matter in read_mix().matters:
        if matter.code.startswith(tuple(faulty)):
            continue
        for row in range(0, len(book.cells), 7):
            district = book.areas[int(book.places[row, 1])]
            named = book.units[int(units[row, columns["matter", matter.code]])]
            assert named.code == competence.unit_of(matter.code, district.code), (matter.code, district.code)


def test_a_community_was_handed_over_and_both_days_are_answered(tiny: Core) -> None:
    with tiny.database.read() as connection:
        book = duty_book(connection)
    ended = [each for each in book.duties if each.valid_to is not None]
    assert [each.valid_to for each in ended] == [HANDED_OVER - timedelta(1)]

    def keeper(on: date) -> int | None:
        (found,) = [d.person_id for d in book.duties if d.key == ended[0].key and d.holds_on(on)]
        return found

    assert keeper(HANDED_OVER - timedelta(1)) != keeper(HANDED_OVER)
