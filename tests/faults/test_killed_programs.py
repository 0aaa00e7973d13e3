"""A program that is killed while it writes leaves whole entries and a chain that holds; others go on."""

from __future__ import annotations

import time

from db.engine.connections import open_database
from db.engine.journal import verify
from db.engine.schema import load_station
from db.registers.tables import place
from tests.db.engine.kit import entries, program, rows_of, write
from tests.db.engine.test_connections import HOME, WRITER


def test_a_killed_writer_leaves_nothing_half_done(database_url: str) -> None:
    database = open_database(database_url)
    load_station(database)
    victim = program(WRITER, database_url, "1000000", "victim")
    assert victim.stdout is not None
    assert victim.stdin is not None
    victim.stdout.readline()
    victim.stdin.write("go\n")
    victim.stdin.flush()
    deadline = time.monotonic() + 120
    while len(entries(database)) < 20:
        assert victim.poll() is None
        assert time.monotonic() < deadline
    victim.kill()
    victim.communicate()
    written = write(database, lambda u: u.insert(place, [{**HOME, "id": u.new_id()}]))
    assert written == len(entries(database)) == len(rows_of(database, place)) > 20
    with database.read() as connection:
        assert verify(connection).whole
    database.close()
