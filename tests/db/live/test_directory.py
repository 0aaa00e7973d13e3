"""Ids have names in both languages, in the order of their codes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.engine.connections import Database
from db.live.directory import Directory, load_directory
from db.registers.tables import area, category
from tests.db.live.city import found_city, write


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = found_city(database_url)
    yield database
    database.close()


def load(database: Database) -> Directory:
    with database.read() as connection:
        return load_directory(connection)


def test_a_name_is_given_in_the_language_asked_for(database: Database) -> None:
    write(database, (area, [{"id": 1, "name_en": "Jinghe"}]))
    names = load(database)
    assert names.label("district", 1, "zh_CN") == "荆河街道"
    assert names.label("district", 1, "en") == "Jinghe"
    assert names.label("unit", 1, "en") == "单位1", "no English name: the Chinese one"
    assert names.label("person", 1, "zh_CN") == "张三"
    assert names.label("unit", 0, "en") == ""
    assert names.label("unit", 404, "en") == "404"


def test_entries_come_in_the_order_of_their_codes(database: Database) -> None:
    place = {"lon": 117.1, "lat": 35.1, "name": "x"}
    write(
        database,
        (area, [{"id": 9, "kind": "district", "code": "D0", **place}]),
        (area, [{"id": 5, "kind": "community", "code": "C1", "parent_id": 9, **place}]),
    )
    names = load(database)
    assert [entry.id for entry in names.of("district")] == [9, 1]
    assert [entry.parent_id for entry in names.of("community")] == [9]
    assert names.order("unit") == {1: 1, 2: 2}


def test_a_major_class_is_known_by_standard_and_kind(database: Database) -> None:
    newer = {"standard": "GB/T 47678.5-2026", "kind": "matter", "major": "01", "major_name": "秩序"}
    write(database, (category, [{"id": 3, "code": "01", "name": "新类", **newer}]))
    names = load(database)
    assert names.major_of[1] != names.major_of[3]
    assert names.label("major", names.major_of[1], "zh_CN") == "市容环境"
    assert names.label("major", names.major_of[3], "zh_CN") == "秩序"
    assert [entry.major for entry in names.of("major")] == [names.major_of[1], names.major_of[3]]
