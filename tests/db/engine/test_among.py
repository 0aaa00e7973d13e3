"""One of many ids: any number of them in one statement, found by the index, on both databases."""

from __future__ import annotations

from sqlalchemy import delete, select

from db.engine.among import among, among_given
from db.engine.connections import Database
from db.registers.tables import place
from tests.db.engine.kit import rows_of, write

COUNT = 40_000
"""More than SQLite takes as bound values (32,766)."""


def filled(database: Database, count: int) -> list[int]:
    ids = list(range(1, count + 1))
    columns = ("id", "kind", "name", "lon", "lat")
    write(database, lambda u: u.load(place, columns, [(i, "school", f"第{i}小学", 117.0, 35.0) for i in ids]))
    return ids


def test_any_number_of_ids_is_one_statement(database: Database) -> None:
    ids = filled(database, COUNT)
    with database.read() as connection:
        found = connection.execute(select(place.c.id).where(among(place.c.id, ids[1:]))).scalars().all()
    assert sorted(found) == ids[1:]


def test_it_joins_other_conditions_and_has_none_of_nothing(database: Database) -> None:
    filled(database, 5)
    with database.read() as connection:
        both = among(place.c.id, [2, 3, 99]) & (place.c.name == "第3小学")
        assert connection.execute(select(place.c.id).where(both)).scalars().all() == [3]
        assert connection.execute(select(place.c.id).where(among(place.c.id, []))).all() == []
        rest = select(place.c.id).where(~among(place.c.id, [1, 2, 3]))
        assert sorted(connection.execute(rest).scalars()) == [4, 5]


def test_it_removes(database: Database) -> None:
    filled(database, 4)
    with database.engine.begin() as connection:
        connection.execute(delete(place).where(among(place.c.id, [1, 4])))
    assert sorted(rows_of(database, place)) == [2, 3]


def test_sqlite_looks_the_ids_up_and_walks_no_rows(file_database: Database) -> None:
    query = select(place).where(among(place.c.id, [1, 2]))
    with file_database.read() as connection:
        text = str(query.compile(connection))
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", ("[1, 2]",)).all()
    assert any("SEARCH place USING INTEGER PRIMARY KEY" in row[3] for row in plan)
    assert not any("SCAN place" in row[3] for row in plan)


def test_a_statement_that_is_made_once_is_given_its_ids_each_time(database: Database) -> None:
    filled(database, 5)
    asked = select(place.c.id).where(among_given(place.c.id, "ids")).order_by(place.c.id)
    with database.read() as connection:
        for ids in ([2, 3, 99], [5], []):
            found = connection.execute(asked, {"ids": ids}).scalars().all()
            assert found == [i for i in ids if i <= 5]
