"""A reporter is masked; in plain words only with permission and reason, and every look stays on record."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from db.cases.casefile import case_file
from db.cases.contacts import (
    Contact,
    MaskedContact,
    ViewContact,
    looks,
    masked_contact,
    view_contact,
)
from db.cases.tables import case, contact_view, photo, reporter
from db.engine.bus import Bus, Undo
from db.engine.connections import Database
from db.engine.tables import journal, replica
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import SYSTEM, Actor
from db.kernel.refusal import Unavailable
from db.live.feed import Feed
from tests.db.live.city import case_values, found_city, write
from tests.kit.refusals import refused
from tests.kit.source import python_files, where

ACCEPTOR = Actor(7, "王敏", frozenset({"contact.masked", "contact.view", "undo"}))
DESK = Actor(8, "李强", frozenset({"contact.masked"}))
UNIT = Actor(9, "赵六", frozenset({"case.handle"}))
NAME, PHONE = "欧阳小娟", "13806321234"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = found_city(database_url)
    write(database, (case, [case_values(1), case_values(2)]))
    write(database, (reporter, [{"id": 20, "case_id": 1, "name": NAME, "phone": PHONE}]))
    yield database
    database.close()


def test_a_contact_is_masked_for_the_desk_and_not_there_for_others(database: Database) -> None:
    with database.read() as connection:
        assert masked_contact(connection, 1, DESK) == MaskedContact("欧**", "138****1234", False)
        assert masked_contact(connection, 1, UNIT) is None
        assert masked_contact(connection, 2, DESK) is None


def test_a_look_needs_permission_and_a_reason_and_gives_the_plain_contact(database: Database) -> None:
    bus = Bus(database)
    with refused("not_permitted"):
        bus.run(ViewContact(1, "回访"), DESK)
    for reason in ("", "  ", "x"):
        with refused("needed"):
            bus.run(ViewContact(1, reason), ACCEPTOR)
    with refused("no_contact"):
        bus.run(ViewContact(2, "回访"), ACCEPTOR)
    with database.read() as connection:
        assert looks(connection) == []
    shown = view_contact(bus, 1, " 回访\n满意度 ", ACCEPTOR)
    assert shown == Contact(NAME, PHONE)
    assert NAME not in repr(shown)
    assert PHONE not in repr(shown)
    with database.read() as connection:
        (look,) = looks(connection, case_id=1)
        assert (look.number, look.viewer_name, look.reason) == ("N1", "王敏", "回访 满意度")
        assert looks(connection, viewer_id=ACCEPTOR.account_id) == [look]
        assert looks(connection, viewer_id=DESK.account_id) == []
        assert looks(connection, case_id=2) == []


def test_a_contact_is_read_only_after_the_look_is_on_record(database: Database) -> None:
    bus = Bus(database)
    assert bus.run(ViewContact(1, "回访"), ACCEPTOR).result is None

    def full(*_rows: object) -> None:
        raise Unavailable("disk_full", "The disk is full.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UnitOfWork, "finish", full)
        with pytest.raises(Unavailable):
            view_contact(bus, 1, "再次回访", ACCEPTOR)
    with database.read() as connection:
        assert [look.reason for look in looks(connection)] == ["回访"]


def test_a_station_says_that_contacts_are_at_the_server(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(reporter.delete())
        connection.execute(replica.insert().values(id=1, server="x", token="y"))
        away = MaskedContact("", "", False, is_away=True)
        # A station's file is SQLite; on a server that row is another station's business.
        is_file = connection.dialect.name == "sqlite"
        assert masked_contact(connection, 1, DESK) == (away if is_file else None)
        assert masked_contact(connection, 1, UNIT) is None


def test_the_journal_tells_of_the_look_and_nothing_of_the_contact(database: Database) -> None:
    Bus(database).run(ViewContact(1, "回访"), ACCEPTOR)
    with database.read() as connection:
        entries = connection.execute(select(journal)).mappings().all()
    assert entries[-1]["command"] == "contact.view"
    assert entries[-1]["arguments"]["reason"] == "回访"
    for entry in entries:
        assert NAME not in repr(dict(entry))
        assert PHONE not in repr(dict(entry))


def test_a_look_cannot_be_undone_and_undo_passes_it_by(database: Database) -> None:
    bus = Bus(database)
    seq = bus.run(ViewContact(1, "回访"), ACCEPTOR).seq
    with refused("nothing_to_undo"):
        bus.undo(ACCEPTOR)
    with refused("cannot_undo"):
        bus.run(Undo(seq), ACCEPTOR)
    with database.read() as connection:
        assert connection.execute(select(contact_view)).first() is not None


def test_neither_the_case_file_nor_the_live_feed_holds_a_plain_contact(database: Database) -> None:
    with database.read() as connection:
        file = case_file(connection, 1, SYSTEM)
    assert file is not None
    assert file.contact == MaskedContact("欧**", "138****1234", False)
    delta = Feed(database).snapshot()
    for value in (file, delta, delta.columns):
        assert NAME not in repr(value)
        assert PHONE not in repr(value)


def test_one_module_alone_reads_the_reporters_table_for_people_to_see() -> None:
    reads = re.compile(r"reporter\.c\.(name|phone)|select\(reporter\b|FROM reporter", re.IGNORECASE)
    found = {where(path) for path in python_files("db", "desktop") if reads.search(path.read_text("utf-8"))}
    # The search compares a number that was typed in with those of the table, and gives back case ids only.
    assert found - {"db/search/queries.py"} == {"db/cases/contacts.py"}


def test_a_photo_row_says_nothing_of_the_reporter() -> None:
    assert not {"reporter", "contact"} & set(photo.c.keys())
