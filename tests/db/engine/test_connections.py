"""One writer at a time, readers on any thread, news of each commit, and addresses that are checked."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from db.engine import connections
from db.engine.connections import Database, open_database
from db.engine.journal import verify
from db.engine.patience import Patience
from db.engine.schema import load_station
from db.kernel.change import Changes
from db.kernel.clock import SystemClock
from db.kernel.refusal import Refused, Unavailable
from db.registers.tables import place
from tests.db.engine.kit import WANG, Write, entries, program, rows_of, write
from tests.kit.refusals import refused

HOME = {"kind": "school", "name": "实验小学", "lon": 117.1, "lat": 35.1}

WRITER = """
import sys
from db.engine.connections import open_database
from db.engine.schema import load_station
from db.registers.tables import place
from tests.db.engine.kit import write
database = open_database(sys.argv[1])
load_station(database)
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(sys.argv[2])):
    row = {"id": 0, "kind": "x", "name": sys.argv[3], "lon": 1.0, "lat": 2.0}
    write(database, lambda unit: unit.insert(place, [{**row, "id": unit.new_id()}]))
database.close()
"""


def test_threads_that_write_at_once_lose_nothing(database: Database) -> None:
    def work(name: str) -> None:
        for _ in range(20):
            write(database, lambda u: u.insert(place, [{**HOME, "id": u.new_id(), "name": name}]))

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows_of(database, place)) == 60
    assert_unbroken(database, 60)


def test_programs_that_write_at_once_lose_nothing(database: Database, database_url: str) -> None:
    others = [program(WRITER, database_url, "25", name) for name in ("b", "c")]
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
    for other in others:
        assert other.stdin is not None
        other.stdin.write("go\n")
        other.stdin.flush()
    for _ in range(25):
        write(database, lambda u: u.insert(place, [{**HOME, "id": u.new_id()}]))
    for other in others:
        _out, errors = other.communicate(timeout=120)
        assert (other.returncode, errors) == (0, "")
    assert len(rows_of(database, place)) == 75
    assert_unbroken(database, 75)


def assert_unbroken(database: Database, count: int) -> None:
    assert [entry.seq for entry in entries(database)] == list(range(1, count + 1))
    with database.read() as connection:
        assert verify(connection).whole


def test_a_change_counted_up_by_many_is_counted_every_time(database: Database) -> None:
    write(database, lambda u: u.insert(place, [{**HOME, "id": 1, "lon": 0.0}]))

    def count_up() -> None:
        for _ in range(15):
            write(database, lambda u: u.update(place, {1: {"lon": u.rows(place, [1])[1]["lon"] + 1}}))

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows_of(database, place)[1]["lon"] == 60


def test_the_data_version_changes_with_each_commit_of_any_program(
    database: Database, database_url: str
) -> None:
    seen = [database.data_version()]
    assert database.data_version() == seen[0], "reading changes nothing"
    write(database, lambda u: u.insert(place, [{**HOME, "id": 1}]))
    seen.append(database.data_version())
    other = open_database(database_url)
    write(other, lambda u: u.insert(place, [{**HOME, "id": 2}]))
    other.close()
    seen.append(database.data_version())
    assert len(set(seen)) == 3


def test_a_reader_sees_what_was_committed_while_another_writes(database: Database) -> None:
    with database.write(WANG, Write()) as unit:
        unit.insert(place, [{**HOME, "id": 1}])
        with database.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM place")).scalar() == 0
    assert list(rows_of(database, place)) == [1]


def test_news_comes_after_the_commit_until_one_stops_listening(database: Database) -> None:
    heard: list[tuple[Changes, int]] = []
    stop = database.subscribe(lambda changes: heard.append((changes, len(rows_of(database, place)))))
    write(database, lambda u: u.insert(place, [{**HOME, "id": 1}]))
    stop()
    write(database, lambda u: u.insert(place, [{**HOME, "id": 2}]))
    assert heard == [(Changes(1, {"place": frozenset({1})}), 1)]


@pytest.mark.expects_log("a listener failed on entry 1")
def test_a_listener_that_fails_does_not_undo_the_act(database: Database) -> None:
    heard: list[Changes] = []

    def fails(_changes: Changes) -> None:
        raise RuntimeError("listener")

    database.subscribe(fails)
    database.subscribe(heard.append)
    assert write(database, lambda u: u.insert(place, [{**HOME, "id": 1}])) == 1
    assert len(heard) == 1


def test_a_bug_in_a_statement_stays_a_bug(database: Database) -> None:
    with pytest.raises(DBAPIError), database.read() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))


@pytest.mark.parametrize(
    "url, code",
    [
        ("", "not_an_address"),
        ("nonsense", "not_an_address"),
        ("sqlite://", "not_an_address"),
        ("sqlite:///:memory:", "not_an_address"),
        ("sqlite://host/file.db", "not_an_address"),
        ("postgresql://host:port/x", "not_an_address"),
        ("oracle://x/y", "unknown_database"),
        ("mysql+pymysql://x/y", "unknown_database"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        open_database(url)
    assert caught.value.code == code
    assert "{" not in caught.value.text()


def test_a_password_is_never_shown() -> None:
    with pytest.raises(Unavailable) as caught:
        open_database("postgresql://jingwei:geheim@127.0.0.1:1/x")
    assert caught.value.code == "database_lost"
    assert "geheim" not in caught.value.text() + str(caught.value)


def test_awkward_names_of_files_are_opened_as_they_are(tmp_path: Path, sqlite_template: Any) -> None:
    for name in ("经纬 50%.db", "a?b#c.db", "it's.db"):
        file = tmp_path / name
        sqlite_template.copy_to(file)
        with_url = open_database(
            f"sqlite:///{str(file).replace('?', '%3F')}" if "?" in name else f"sqlite:///{file}"
        )
        try:
            assert with_url.path is not None
        finally:
            with_url.close()


def test_a_file_is_made_with_its_folders_only_when_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "city.db"
    with pytest.raises(Unavailable) as caught:
        open_database(f"sqlite:///{file}")
    assert caught.value.code == "database_gone"
    assert not file.parent.exists()
    database = open_database(f"sqlite:///{file}", create=True)
    assert database.where == str(file)
    database.close()
    assert file.exists()


def test_a_server_is_called_by_its_place_alone() -> None:
    engine = create_engine("postgresql+psycopg://wangmin:secret@db.example:5433/city?sslmode=require")
    assert Database(engine, SystemClock()).where == "postgresql://db.example:5433/city"


@pytest.mark.parametrize(
    "address, shown",
    [
        ("postgresql+psycopg:///city?host=one,other&port=5433,5434", "postgresql://one:5433,other:5434/city"),
        ("postgresql+psycopg:///city?host=one:5433&host=other", "postgresql://one:5433,other/city"),
        ("postgresql+psycopg://one,other:5433/city", "postgresql://one:5433,other:5433/city"),
        ("postgresql+psycopg:///city?host=/run/postgresql&port=5433", "postgresql:///city"),
    ],
)
def test_a_server_of_several_is_called_by_all_places_and_a_socket_by_none(address: str, shown: str) -> None:
    assert Database(create_engine(address), SystemClock()).where == shown


def test_ports_that_are_not_as_many_as_hosts_are_refused() -> None:
    with refused("not_an_address"):
        open_database("postgresql:///city?host=one,other,third&port=5433,5434")


def test_a_server_ends_what_nobody_waits_for_and_keeps_what_the_address_asks(postgres_url: str) -> None:
    database = open_database(f"{postgres_url}&options=-c search_path=public,pg_temp", patience=Patience(8))
    try:
        with database.read() as connection:
            wanted = ("lock_timeout", "statement_timeout", "search_path")
            shown = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in wanted]
        # A pooler takes no options of the connection itself, unless the address names some.
        assert shown == ["4s", "8s", "public,pg_temp"]
    finally:
        database.close()


def test_a_file_that_vanished_is_not_replaced_by_an_empty_one(tmp_path: Path, sqlite_url: str) -> None:
    database = open_database(sqlite_url, create=True)
    database.engine.dispose()
    file = tmp_path / "test.db"
    kept = file.rename(tmp_path / "away.db")
    for attempt in (lambda: rows_of(database, place), database.data_version, lambda: write(database, print)):
        with pytest.raises(Unavailable) as caught:
            attempt()
        assert caught.value.code in {"cannot_open_file", "database_gone"}
        assert str(file) in caught.value.text()
    database.close()
    assert not file.exists()
    kept.rename(file)


def test_files_are_written_durably_and_with_foreign_keys(file_database: Database) -> None:
    with file_database.read() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "mmap_size")
        ]
    assert found == ["wal", 2, 1, 0]


def test_two_desks_make_different_ids_though_they_share_a_station(
    database: Database, database_url: str
) -> None:
    other = open_database(database_url)
    load_station(other)
    assert other.ids.station == database.ids.station
    made: list[int] = []
    for desk in (database, other) * 40:
        write(desk, lambda u: (made.append(u.new_id()), u.insert(place, [{**HOME, "id": made[-1]}])))
    other.close()
    assert made == sorted(set(made))


@pytest.mark.parametrize(
    "said, told",
    [
        (
            'connection to server at "10.1.2.3", port 5432 failed: Connection refused',
            "nothing answers there; the server may not be running",
        ),
        ('connection to server at "10.1.2.3", port 5432 failed: timeout expired', "no answer came in time"),
        (
            'failed to resolve host "nowhere": [Errno -2] Name or service not known',
            "no computer of that name is known",
        ),
        ("server closed the connection unexpectedly", "the connection was cut"),
        ("something that nobody foresaw", "something that nobody foresaw"),
    ],
)
def test_what_a_driver_says_of_the_line_is_told_in_plain_words(said: str, told: str) -> None:
    trouble = connections._trouble(psycopg.OperationalError(said), "10.1.2.3/jingwei")
    assert trouble is not None
    assert trouble.code == "database_lost"
    assert trouble.text() == f"The database 10.1.2.3/jingwei does not answer: {told}"
