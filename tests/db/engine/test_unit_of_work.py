"""Whatever goes through a unit of work is counted, journaled and told; what fails leaves no trace."""

from __future__ import annotations

import itertools
from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from db.calendars.tables import calendar_day, working_window
from db.engine.connections import Database
from db.kernel.change import Changes
from db.kernel.refusal import Refused
from db.people.tables import account, account_role, person, position, role, track, unit
from db.registers.tables import place, road
from tests.db.engine.kit import LI, WANG, Write, entries, put_setting, rows_of, write

SCHOOL = {"id": 1, "kind": "school", "name": "实验小学", "lon": 117.1, "lat": 35.1}


def places(*ids: int, **values: Any) -> list[dict[str, Any]]:
    return [{**SCHOOL, "id": i, **values} for i in ids]


def changes_of(database: Database, table: str) -> dict[int, Any]:
    return dict(entries(database)[-1].changes[table])


def test_an_added_row_is_journaled_whole_with_what_the_database_filled_in(database: Database) -> None:
    assert write(database, lambda u: u.insert(place, [SCHOOL])) == 1
    row = rows_of(database, place)[1]
    diff = changes_of(database, "place")[1]
    assert {name: after for name, (_before, after) in diff.items()} == {
        name: value for name, value in row.items() if value is not None
    }
    assert all(before is None for before, _after in diff.values())
    assert row["version"] == 1
    assert entries(database)[0].touched == {"place": [1]}


def test_rows_of_different_shape_may_come_together(database: Database) -> None:
    write(
        database, lambda u: u.insert(place, [SCHOOL, {**SCHOOL, "id": 2, "note": "x"}, {**SCHOOL, "id": 3}])
    )
    assert [row["note"] for _id, row in sorted(rows_of(database, place).items())] == [None, "x", None]


def test_a_change_counts_the_version_up_and_keeps_before_and_after(database: Database) -> None:
    write(database, lambda u: u.insert(place, [SCHOOL]))
    write(database, lambda u: u.update(place, {1: {"name": "新校", "kind": "school"}}))
    assert rows_of(database, place)[1]["version"] == 2
    assert changes_of(database, "place") == {1: {"name": ["实验小学", "新校"], "version": [1, 2]}}


def test_a_change_to_the_same_value_is_none(database: Database) -> None:
    write(database, lambda u: u.insert(place, [SCHOOL]))
    assert write(database, lambda u: u.update(place, {1: {"name": "实验小学"}})) == 0
    assert rows_of(database, place)[1]["version"] == 1
    assert len(entries(database)) == 1


def test_two_changes_in_one_unit_are_one_step_from_first_to_last(database: Database) -> None:
    write(database, lambda u: u.insert(place, [SCHOOL]))
    write(database, lambda u: (u.update(place, {1: {"name": "乙"}}), u.update(place, {1: {"name": "丙"}})))
    assert changes_of(database, "place") == {1: {"name": ["实验小学", "丙"], "version": [1, 3]}}


def test_added_and_changed_in_one_unit_is_added_as_it_is_in_the_end(database: Database) -> None:
    write(database, lambda u: (u.insert(place, [SCHOOL]), u.update(place, {1: {"name": "乙", "note": "n"}})))
    diff = changes_of(database, "place")[1]
    assert diff["name"] == [None, "乙"]
    assert diff["note"] == [None, "n"]
    assert diff["version"] == [None, 2]


def test_added_and_removed_in_one_unit_is_nothing(database: Database) -> None:
    assert write(database, lambda u: (u.insert(place, [SCHOOL]), u.delete(place, [1]))) == 0
    assert rows_of(database, place) == {}
    assert entries(database) == []


def test_removed_and_added_again_in_one_unit_is_a_change(database: Database) -> None:
    write(database, lambda u: u.insert(place, [{**SCHOOL, "note": "n"}]))
    write(database, lambda u: (u.delete(place, [1]), u.insert(place, [{**SCHOOL, "name": "乙"}])))
    diff = changes_of(database, "place")[1]
    assert "id" not in diff
    assert diff["name"] == ["实验小学", "乙"]
    assert diff["note"] == ["n", None]


def test_a_removed_row_leaves_its_last_values_in_the_journal(database: Database) -> None:
    write(database, lambda u: u.insert(place, [SCHOOL]))
    write(database, lambda u: u.delete(place, [1, 404]))
    assert rows_of(database, place) == {}
    assert changes_of(database, "place")[1]["name"] == ["实验小学", None]


def test_a_row_without_version_can_be_changed_too(database: Database) -> None:
    staff(database)
    write(
        database,
        lambda u: u.insert(role, [{"id": 2, "code": "b", "name": "b", "name_en": "b", "permissions": []}]),
    )
    write(database, lambda u: u.update(account_role, {1: {"role_id": 2}}))
    assert rows_of(database, account_role)[1]["role_id"] == 2


def staff(database: Database) -> None:
    def work(u: Any) -> None:
        u.insert(unit, [{"id": 1, "code": "U1", "name": "龙泉中队", "kind": "squad"}])
        u.insert(person, [{"id": 1, "code": "P1", "name": "张三", "unit_id": 1, "post": "collector"}])
        u.insert(account, [{"id": 1, "login": "zhang", "person_id": 1, "password_hash": "$argon2id$x"}])
        u.insert(role, [{"id": 1, "code": "a", "name": "a", "name_en": "a", "permissions": ["p"]}])
        u.insert(account_role, [{"id": 1, "account_id": 1, "role_id": 1}])

    write(database, work)


def test_a_decision_made_on_an_older_version_is_refused_with_who_and_when(database: Database) -> None:
    put_setting(database, "city.zone", "Asia/Shanghai")
    write(database, lambda u: u.insert(place, places(1, 2)))
    write(database, lambda u: u.update(place, {2: {"name": "乙"}}), LI)
    with pytest.raises(Refused) as caught:
        write(
            database, lambda u: u.update(place, {1: {"name": "丙"}, 2: {"name": "丙"}}, expected={1: 1, 2: 1})
        )
    assert caught.value.code == "changed_meanwhile"
    assert caught.value.text() == "李强 changed this at 10:00 (Write); look again and decide anew."
    assert rows_of(database, place)[1]["name"] == "实验小学", "all or nothing"
    write(database, lambda u: u.update(place, {2: {"name": "丙"}}, expected={2: 2}))
    assert rows_of(database, place)[2]["version"] == 3


def test_who_was_quicker_long_ago_is_not_searched_for(database: Database) -> None:
    write(
        database,
        lambda u: u.load(place, ("id", "kind", "name", "lon", "lat", "version"), [(1, "a", "b", 1, 2, 5)]),
    )
    with pytest.raises(Refused, match="Someone else changed this"):
        write(database, lambda u: u.update(place, {1: {"name": "丙"}}, expected={1: 4}))


def test_a_change_of_a_row_that_is_gone_is_refused(database: Database) -> None:
    with pytest.raises(Refused) as caught:
        write(database, lambda u: u.update(place, {404: {"name": "x"}}))
    assert caught.value.code == "no_such_row"


def test_a_bulk_load_is_one_entry_with_number_and_digest(database: Database) -> None:
    columns = ("id", "code", "name", "kind", "active")
    rows = [(i, f"U{i}", f"单位{i}", "squad", i % 2) for i in range(1, 25_001)]
    with database.write(WANG, Write()) as work:
        assert work.load(unit, columns, iter(rows)) == 25_000
    assert work.changes == Changes(1, {}, bulk=True)
    entry = entries(database)[0]
    assert entry.touched is None
    assert entry.changes["unit*"]["rows"] == 25_000
    found = rows_of(database, unit)
    assert (len(found), found[1]["active"], found[2]["active"]) == (25_000, True, False)


def test_the_digest_of_a_load_is_the_same_for_the_same_rows_and_another_for_others(
    database: Database,
) -> None:
    columns = ("id", "name", "grade", "line")
    for first in (1, 10):
        write(
            database, lambda u, first=first: u.load(road, columns, [(first, "路", "main", b"\x00\xff\\n\t")])
        )
    one, other = (entry.changes["road*"]["sha256"] for entry in entries(database))
    assert one != other
    assert rows_of(database, road)[10]["line"] == b"\x00\xff\\n\t"


def test_a_load_takes_dates_times_empty_cells_and_awkward_text(database: Database) -> None:
    write(
        database,
        lambda u: (
            u.load(
                calendar_day, ("id", "day", "kind", "name"), [(1, "2026-05-01", "holiday", "a\tb\\N\n'\"")]
            ),
            u.load(
                working_window,
                ("id", "valid_from", "valid_to", "begins", "ends"),
                [(1, "2026-01-01", None, "08:00:00.000000", "12:00:00.000000")],
            ),
        ),
    )
    assert rows_of(database, calendar_day)[1]["day"] == date(2026, 5, 1)
    assert rows_of(database, calendar_day)[1]["name"] == "a\tb\\N\n'\""
    window = rows_of(database, working_window)[1]
    assert (window["valid_to"], window["begins"]) == (None, time(8))


def test_positions_overwrite_one_another_and_leave_no_entry(database: Database) -> None:
    staff(database)
    at = database.clock.now()
    news: list[Changes] = []
    database.subscribe(news.append)
    with database.write(WANG, Write()) as work:
        work.telemetry(position, [{"person_id": 1, "at": at, "lon": lon, "lat": 35.0} for lon in (1.0, 2.0)])
    write(database, lambda u: u.telemetry(position, [{"person_id": 1, "at": at, "lon": 3.0, "lat": 35.0}]))
    with database.read() as connection:
        assert [row.lon for row in connection.execute(select(position))] == [3.0]
    assert len(entries(database)) == 1
    assert news == [Changes(0, {"position": frozenset()})] * 2


def test_measurements_with_a_key_of_two_columns_overwrite_only_their_own_moment(database: Database) -> None:
    staff(database)
    at = database.clock.now()
    later = at + timedelta(seconds=15)
    rows = [{"person_id": 1, "at": moment, "lon": 1.0, "lat": 35.0} for moment in (at, later)]
    write(database, lambda u: u.telemetry(track, rows))
    write(database, lambda u: u.telemetry(track, [{**rows[0], "lon": 2.0}, {**rows[0], "lon": 3.0}]))
    with database.read() as connection:
        found = connection.execute(select(track.c.at, track.c.lon).order_by(track.c.at)).all()
    assert [tuple(row) for row in found] == [(at, 3.0), (later, 1.0)]


def test_news_of_rows_and_positions_written_together_name_both(database: Database) -> None:
    staff(database)
    with database.write(WANG, Write()) as work:
        work.telemetry(position, [{"person_id": 1, "at": work.now, "lon": 1.0, "lat": 2.0}])
        work.insert(place, [SCHOOL])
    assert work.changes == Changes(2, {"place": frozenset({1}), "position": frozenset()})


def test_an_error_half_way_leaves_no_trace(database: Database) -> None:
    news: list[Changes] = []
    database.subscribe(news.append)

    def work(u: Any) -> None:
        u.insert(place, [SCHOOL])
        u.load(place, ("id", "kind", "name", "lon", "lat"), [(5, "a", "b", 1.0, 2.0)])
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write(database, work)
    assert (rows_of(database, place), entries(database), news) == ({}, [], [])
    assert write(database, lambda u: u.insert(place, [SCHOOL])) == 1, "the number was not used up"


def test_an_unused_unit_writes_nothing(database: Database) -> None:
    assert write(database, lambda _u: None) == 0
    assert entries(database) == []


def test_time_stands_still_within_a_unit_and_has_whole_milliseconds(database: Database) -> None:
    database.clock.at = database.clock.at.replace(microsecond=123_987)  # type: ignore[attr-defined]
    with database.write(WANG, Write()) as work:
        assert work.now.microsecond == 123_000


def test_ids_grow_through_units_and_never_meet_those_of_another_program(database: Database) -> None:
    with database.write(WANG, Write()) as work:
        first = work.new_ids(3)
        work.insert(place, places(*first))
    # Another program of this station, whose clock is an hour behind, begins anew.
    database.use_station(work.station)
    database.ids._last_ms = 0
    with database.write(WANG, Write()) as work:
        second = [work.new_id(), work.new_id()]
        work.insert(place, places(*second))
    assert all(a < b for a, b in itertools.pairwise([*first, *second]))


def test_thousands_of_rows_are_read_in_pieces(database: Database) -> None:
    ids = list(range(1, 1702))
    write(database, lambda u: u.insert(place, places(*ids)))
    with database.write(WANG, Write()) as work:
        assert list(work.rows(place, [*ids, 9999])) == ids
        work.update(place, {i: {"name": f"n{i}"} for i in ids})
        work.delete(place, ids[1000:])
    found = rows_of(database, place)
    assert len(found) == 1000
    assert {row["version"] for row in found.values()} == {2}
