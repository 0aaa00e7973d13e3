"""What an import must respect is read from the database, or from the shipped lists when there is none yet."""

from __future__ import annotations

from pathlib import Path

from db.bootstrap import Core
from db.exchange.importing import check_file, import_checked
from db.exchange.known import known_in, known_without_database, taken_numbers
from db.exchange.mapping import Target, read_mapping
from db.kernel.actor import SYSTEM
from tests.db.exchange.kit import row, write_mapping, write_rows


def test_a_fresh_database_knows_the_shipped_classes_by_the_same_ids(core: Core, tmp_path: Path) -> None:
    with core.database.read() as connection:
        known = known_in(connection, read_mapping(write_mapping(tmp_path)))
    assert known == known_without_database()
    assert Target("GB/T 47678.5-2026", "matter", "06010") in known.categories


def test_units_and_districts_are_known_by_code_and_by_name(core: Core, tmp_path: Path) -> None:
    mapping = read_mapping(write_mapping(tmp_path))
    with check_file(write_rows(tmp_path, row(District="LONGQUAN")), mapping, core.database) as checked:
        import_checked(core.bus, SYSTEM, checked)
    with core.database.read() as connection:
        known = known_in(connection, mapping)
        other, ours = taken_numbers(connection, "Another town", "T-")
    assert set(known.units) == {"roads"}
    assert set(known.districts) == {"longquan"}
    assert known.city_area is not None
    assert known.has_city
    assert known.foreign_numbers == {"1"}
    assert known.numbers == frozenset()
    assert (other, ours) == (frozenset(), {"T-1"})
