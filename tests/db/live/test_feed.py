"""What is committed, here or elsewhere, reaches the board; a lost database is noticed and caught up with."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, make_url, text

from db.cases.tables import case, claim, involved, order, request, tag
from db.engine.connections import Database, open_database
from db.kernel.actor import Actor
from db.kernel.clock import SetClock, to_ms
from db.kernel.language import N_
from db.kernel.refusal import Unavailable
from db.live.board import Board
from db.live.delta import Delta
from db.live.feed import Feed
from db.live.filters import Filter
from db.people.tables import account, presence, unit
from tests.db.live.city import (
    DEADLINE_SECONDS,
    NOW,
    OtherProcess,
    Write,
    case_values,
    found_city,
    load_cases,
    move_person,
    remove,
    write,
)
from tests.db.live.rows import ZONE
from tests.kit.postgres import PostgresServer

NOW_MS = to_ms(NOW)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = found_city(database_url)
    yield database
    database.close()


@pytest.fixture
def local(sqlite_url: str) -> Iterator[Database]:
    database = found_city(sqlite_url)
    yield database
    database.close()


class Room:
    """A board at the end of a feed, and everything that was told on the way."""

    def __init__(self, database: Database, clock: SetClock | None = None) -> None:
        self.feed = Feed(database, clock or SetClock(NOW))
        self.board = Board(self.feed.zone, to_ms(self.feed.clock.now()))
        self.deltas: list[Delta] = []
        self.troubles: list[Unavailable] = []
        self._news = threading.Condition()

    def told(self, delta: Delta) -> None:
        with self._news:
            self.deltas.append(delta)
            self.board.apply(delta)
            self._news.notify_all()

    def troubled(self, trouble: Unavailable) -> None:
        with self._news:
            self.troubles.append(trouble)
            self._news.notify_all()

    def wait(self, until: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
        with self._news:
            assert self._news.wait_for(until, seconds), "waited in vain"

    def has(self, *ids: int) -> bool:
        return all(self.board.store.slot_of(i) is not None for i in ids)

    def plain(self, case_id: int) -> dict[str, object]:
        slot = self.board.store.slot_of(case_id)
        assert slot is not None
        return dict(self.board.store.plain(slot))

    @contextmanager
    def watching(self) -> Iterator[Room]:
        self.feed.start(self.told, self.troubled)
        try:
            self.wait(lambda: bool(self.deltas))
            yield self
        finally:
            self.feed.stop()


def wait_for(true: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.005)


def test_the_snapshot_holds_what_is_open_and_what_ended_today(database: Database) -> None:
    yesterday = NOW - timedelta(days=1)
    write(
        database,
        (
            case,
            [
                case_values(1, unit_id=1, district_id=1, address="荆河中路 1 号", lon=117.1, lat=35.1),
                case_values(2, state="closed", handled_at=NOW - timedelta(hours=1), closed_at=NOW),
                case_values(3, state="closed", reported_at=yesterday, closed_at=yesterday),
                case_values(4, state="pending_check", due_at=NOW, soon_at=yesterday, handled_at=NOW),
                case_values(5, due_at=NOW, handled_at=NOW - timedelta(hours=1)),
            ],
        ),
    )
    room = Room(database)
    delta = room.feed.snapshot()
    room.told(delta)
    assert sorted(delta.ids.tolist()) == [1, 2, 4, 5]
    assert delta.full
    row = room.plain(1)
    assert (row["unit_id"], row["district_id"], row["community_id"]) == (1, 1, 0)
    assert (row["address"], row["lon"], row["due_at"]) == ("荆河中路 1 号", 117.1, 0)
    assert room.plain(2)["stopped_at"] == NOW_MS - 3_600_000
    assert room.plain(4)["stopped_at"] == NOW_MS
    assert room.plain(5)["stopped_at"] == 0, "sent back: its clock runs again"
    assert room.board.directory.label("unit", 1, "en") == "单位1"
    assert room.feed.fresh_at_ms == NOW_MS


def test_a_commit_of_this_process_arrives_as_a_change(database: Database) -> None:
    with Room(database).watching() as room:
        write(database, (case, [case_values(1), case_values(2)]))
        room.wait(lambda: room.has(1, 2))
        write(database, (case, [case_values(1, unit_id=2)]))
        room.wait(lambda: room.plain(1)["unit_id"] == 2)
        remove(database, case, [2])
        room.wait(lambda: not room.has(2))
        assert [delta.full for delta in room.deltas] == [True, False, False, False]
        assert room.deltas[-1].gone.tolist() == [2]
        assert [delta.seq for delta in room.deltas] == [2, 3, 4, 5]


@pytest.mark.speed
def test_a_commit_of_another_process_arrives_within_a_quarter_of_a_second(database: Database) -> None:
    write(database, (case, [case_values(1, unit_id=1)]))
    with OtherProcess(database.url) as other, Room(database).watching() as room:
        waits = []
        for case_id in (1, 7, 8, 9):
            committed = other.change(case_id)
            room.wait(lambda wanted=case_id: room.has(wanted) and room.plain(wanted)["unit_id"] == 2)
            waits.append(time.time() - committed)
        # The least of them: a machine under load may hold any one up.
        assert min(waits) < 0.25, waits


def test_a_bulk_load_arrives_as_a_new_snapshot(database: Database) -> None:
    with Room(database).watching() as room:
        load_cases(database, range(1, 2001))
        room.wait(lambda: room.has(1, 2000))
        assert room.deltas[-1].full
        assert room.board.store.total_open == 2000


def test_a_register_change_is_told_and_brings_new_names(database: Database) -> None:
    with Room(database).watching() as room:
        write(database, (unit, [{"id": 1, "name": "第一中队"}]))
        room.wait(lambda: room.board.directory.label("unit", 1, "zh_CN") == "第一中队")
        assert room.deltas[-1].registers_changed == {"unit"}
        assert len(room.deltas[-1].ids) == 0


def test_people_who_move_are_told_one_by_one(database: Database) -> None:
    move_person(database, 1, 117.1, NOW_MS)
    with Room(database).watching() as room:
        assert room.deltas[0].people_full
        assert room.board.people.lon.tolist() == [117.1]
        move_person(database, 1, 117.2, NOW_MS + 1000)
        room.wait(lambda: room.board.people.lon.tolist() == [117.2])
        assert len(room.deltas[-1].people) == 1
        assert not room.deltas[-1].people_full


def test_a_case_closed_yesterday_leaves_with_the_change_that_tells_of_it(database: Database) -> None:
    old = {"reported_at": NOW - timedelta(days=2)}
    write(database, (case, [case_values(1, **old)]))
    with Room(database).watching() as room:
        assert room.has(1)
        ended = {"state": "void", "closed_at": NOW - timedelta(days=1)}
        write(database, (case, [case_values(1, **old, **ended)]))
        room.wait(lambda: not room.has(1))


def test_many_commits_in_a_row_lose_nothing(database: Database) -> None:
    with Room(database).watching() as room:
        for case_id in range(1, 41):
            write(database, (case, [case_values(case_id)]))
        room.wait(lambda: room.has(*range(1, 41)))
        assert sum(delta.full for delta in room.deltas) == 1


def test_what_this_process_wrote_is_known_without_its_entry_in_the_journal(database: Database) -> None:
    asked: list[str] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_rest: asked.append(statement),
    )
    with Room(database).watching() as room:
        with room.feed._looking:
            asked.clear()
            write(database, (case, [case_values(1)]))
            write(
                database,
                (case, [case_values(2)]),
                (unit, [{"id": 99, "code": "T99", "name": "新队", "kind": "contractor"}]),
            )
        room.wait(lambda: room.has(1, 2))
        assert room.deltas[-1].registers_changed == {"unit"}
        assert not [statement for statement in asked if "journal.touched" in statement]


def test_what_others_wrote_between_own_acts_is_not_missed(database: Database) -> None:
    others = open_database(database.url)
    with Room(database).watching() as room:
        with room.feed._looking:
            write(database, (case, [case_values(1)]))
            write(others, (case, [case_values(2)]))
            write(database, (case, [case_values(3)]))
        room.wait(lambda: room.has(1, 2, 3))
        write(database, (case, [case_values(4)]))
        room.wait(lambda: room.has(4))
    others.close()


def test_the_feed_knows_that_it_is_fresh_though_nothing_happens(database: Database) -> None:
    clock = SetClock(NOW)
    with Room(database, clock).watching() as room:
        clock.advance(timedelta(seconds=7))
        wait_for(lambda: room.feed.fresh_at_ms == NOW_MS + 7000)
        assert room.feed.age_ms() == 0
        assert len(room.deltas) == 1


def test_a_database_that_cannot_be_read_is_told_once_and_caught_up_with(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Room(database).watching() as room:
        answers = database.data_version

        def lost() -> int:
            raise Unavailable("database_lost", N_("gone"))

        monkeypatch.setattr(database, "data_version", lost)
        room.wait(lambda: len(room.troubles) == 1)
        assert room.feed.trouble is room.troubles[0]
        write(database, (case, [case_values(1)]))
        assert not room.has(1)
        monkeypatch.setattr(database, "data_version", answers)
        room.wait(lambda: room.has(1))
        assert room.feed.trouble is None
        assert [delta.full for delta in room.deltas] == [True, False]
        assert [trouble.code for trouble in room.troubles] == ["database_lost"]


def test_recovery_is_told_though_nothing_was_missed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Room(database).watching() as room:
        answers = database.data_version

        def lost() -> int:
            raise Unavailable("database_lost", N_("gone"))

        monkeypatch.setattr(database, "data_version", lost)
        room.wait(lambda: bool(room.troubles))
        monkeypatch.setattr(database, "data_version", answers)
        room.wait(lambda: len(room.deltas) == 2)
        assert room.deltas[1].is_empty


def test_a_server_that_lets_nobody_in_is_noticed_and_caught_up_with(
    postgres: PostgresServer, postgres_url: str
) -> None:
    name = make_url(postgres_url).database
    administration = create_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
    database = found_city(postgres_url)

    def let_in(allowed: bool) -> None:
        with administration.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}'))
            ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            if not allowed:
                connection.execute(text(ends), {"name": name})

    with Room(database).watching() as room:
        let_in(False)
        room.wait(lambda: [trouble.code for trouble in room.troubles] == ["database_lost"])
        let_in(True)
        write(database, (case, [case_values(1)]))
        room.wait(lambda: room.has(1))
        assert room.feed.trouble is None
        assert sum(delta.full for delta in room.deltas) == 1
    database.close()
    administration.dispose()


def test_a_file_taken_away_is_noticed_and_caught_up_with(local: Database) -> None:
    path = local.path
    assert path is not None
    away = path.with_name("away.db")
    with Room(local).watching() as room:
        path.rename(away)
        room.wait(lambda: [trouble.code for trouble in room.troubles] == ["database_gone"])
        away.rename(path)
        room.wait(lambda: len(room.deltas) == 2)
        write(local, (case, [case_values(1)]))
        room.wait(lambda: room.has(1))
        assert not room.deltas[-1].full


def test_a_backup_put_back_is_read_as_a_whole(local: Database, tmp_path: Path) -> None:
    path = local.path
    assert path is not None
    write(local, (case, [case_values(1)]))
    _settle(path)
    backup = shutil.copyfile(path, tmp_path / "backup.db")
    with Room(local).watching() as room:
        write(local, (case, [case_values(2)]))
        room.wait(lambda: room.has(1, 2))
        _settle(path)
        backup.replace(path)
        room.wait(lambda: not room.has(2))
        assert room.deltas[-1].full
        assert room.has(1)
        write(local, (case, [case_values(3)]))
        room.wait(lambda: room.has(3))


def _settle(path: Path) -> None:
    """Move everything from the write-ahead log into the file."""
    connection = sqlite3.connect(path)
    busy, _pages, _moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.close()
    assert busy == 0


def test_a_writer_in_mid_transaction_holds_nobody_up(local: Database) -> None:
    path = local.path
    assert path is not None
    clock = SetClock(NOW)
    with Room(local, clock).watching() as room:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        clock.advance(timedelta(seconds=1))
        wait_for(lambda: room.feed.fresh_at_ms == NOW_MS + 1000)
        other.execute("ROLLBACK")
        other.close()
        assert not room.troubles


@pytest.mark.expects_log("the live feed failed")
def test_a_listener_that_breaks_gets_everything_once_more(local: Database) -> None:
    room = Room(local)
    broken = threading.Event()

    def told(delta: Delta) -> None:
        if delta.ids.tolist() == [1] and not broken.is_set():
            broken.set()
            raise ZeroDivisionError
        room.told(delta)

    room.feed.start(told, room.troubled)
    try:
        room.wait(lambda: bool(room.deltas))
        write(local, (case, [case_values(1)]))
        room.wait(lambda: room.has(1))
        assert room.deltas[-1].full
        assert [trouble.code for trouble in room.troubles] == ["feed_failed"]
    finally:
        room.feed.stop()


def test_a_stopped_feed_tells_nothing_and_may_be_started_again(local: Database) -> None:
    room = Room(local)
    room.told(room.feed.snapshot())
    with pytest.raises(RuntimeError, match="running"), room_running(room):
        room.feed.start(room.told)
    room.feed.stop()
    write(local, (case, [case_values(1)]))
    assert len(room.deltas) == 1
    with room.watching():
        room.wait(lambda: room.has(1))
        assert not room.deltas[-1].full, "it goes on where it stopped"


@contextmanager
def room_running(room: Room) -> Iterator[None]:
    room.feed.start(room.told, room.troubled)
    try:
        yield
    finally:
        room.feed.stop()


def test_the_day_of_the_snapshot_is_the_city_s_own(local: Database) -> None:
    """Half past midnight in Shanghai: what was closed an hour ago was closed yesterday."""
    late = datetime(2026, 3, 14, 16, 30, tzinfo=UTC)
    hour = timedelta(hours=1)
    write(local, (case, [case_values(1, state="closed", closed_at=late - hour), case_values(2)]))
    assert Feed(local, SetClock(late)).snapshot().ids.tolist() == [2]
    assert sorted(Feed(local, SetClock(late - hour)).snapshot().ids.tolist()) == [1, 2]


def test_claims_and_presence_come_with_the_news_and_go_by_themselves(database: Database) -> None:
    write(
        database,
        (account, [{"id": 7, "login": "wang", "person_id": 1, "password_hash": "-"}]),
        (case, [case_values(1, state="reported")]),
    )
    wang = Actor(7, "王敏", frozenset({"*"}))
    clock = SetClock(NOW)
    feed, board = Feed(database, clock), Board(ZONE, NOW_MS)
    board.apply(feed.snapshot())
    assert board.store.claims.by_case == {}
    lease = {"id": 1, "case_id": 1, "account_id": 7, "name": "王敏", "claimed_at": NOW}
    write(database, (claim, [{**lease, "expires_at": NOW + timedelta(minutes=20)}]))
    place = {"session": "a", "account_id": 7, "name": "王敏", "case_id": 1, "typing": True, "at": NOW}
    with database.write(wang, Write()) as unit_of_work:
        unit_of_work.telemetry(presence, [place])
    delta = feed._look(True)
    assert delta is not None
    news = board.apply(delta)
    assert news.presence_changed
    assert board.store.claims.by_case[1].name == "王敏"
    assert [one.typing for one in board.others_at(1, 8)] == [True]
    assert board.others_at(1, 7) == ()
    # A renewal is telemetry as well.
    with database.write(wang, Write()) as unit_of_work:
        unit_of_work.telemetry(claim, [{**lease, "expires_at": NOW + timedelta(minutes=40), "version": 1}])
    delta = feed._look(True)
    assert delta is not None
    assert delta.present is None
    board.apply(delta)
    assert board.store.claims.by_case[1].until_ms == NOW_MS + 40 * 60_000
    # Nobody says anything any more: presence is forgotten, the claim ends by the board's own clock.
    clock.advance(timedelta(seconds=46))
    feed._places_at = 0.0
    delta = feed._look(False)
    assert delta is not None
    assert board.apply(delta).presence_changed
    assert board.others_at(1, 8) == ()
    board.tick(NOW_MS + 40 * 60_000)
    assert board.store.claims.by_case == {}


def test_what_hangs_on_cases_is_read_with_them(database: Database) -> None:
    stamp = {"asked_by": 1, "asked_by_name": "张三", "asked_at": NOW, "reason": "不属我处"}
    given = {"demand": "尽快", "given_by": 1, "given_by_name": "领导", "given_at": NOW}
    rows = [case_values(i, unit_id=1, holder_id=1 if i == 2 else None) for i in (1, 2, 3)]
    write(
        database,
        (case, rows),
        (request, [{"id": 1, "case_id": 2, "kind": "postpone", "state": "pending", **stamp}]),
        (order, [{"id": 1, "case_id": 2, "kind": "supervise", **given}]),
        (tag, [{"id": 1, "case_id": 2, "word": "占道"}, {"id": 2, "case_id": 2, "word": "两会"}]),
        (involved, [{"id": 1, "case_id": 2, "unit_id": 2, "role": "helper", "since": NOW}]),
    )
    board, feed = Board(ZONE, NOW_MS), Feed(database, SetClock(NOW))
    board.apply(feed.snapshot())
    row = board.store.plain(board.store.slot_of(2) or 0)
    assert (row["requests"], row["supervised"], row["holder_id"]) == (("postpone",), True, 1)
    assert (set(row["tags"]), row["helpers"]) == ({"两会", "占道"}, (2,))
    bare = board.store.plain(board.store.slot_of(1) or 0)
    assert (bare["requests"], bare["supervised"], bare["tags"], bare["helpers"]) == ((), False, (), ())
    write(database, (case, [{**rows[2], "priority": 2}]), (tag, [{"id": 3, "case_id": 3, "word": "占道"}]))
    delta = feed._look(True)
    assert delta is not None
    assert delta.ids.tolist() == [3]
    board.apply(delta)
    board.set_filter(Filter(tags=frozenset({"占道"})))
    assert sorted(board.store.id[board.lens.rows].tolist()) == [2, 3]
    assert board.store.plain(board.store.slot_of(3) or 0)["priority"] == 2
