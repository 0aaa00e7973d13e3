"""What comes from the server: complete, in one piece, and no more than a station is to have."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from db.cases.commands.dispatch import Reassign
from db.cases.commands.intake import Report
from db.cases.commands.marking import TagCases
from db.cases.tables import case, reporter, step, tag
from db.engine.outbox import DONE, PARKED, WAITING
from db.engine.tables import journal, journal_head, setting
from db.kernel.change import Changes
from db.people.tables import position, unit
from db.sync.incoming import MONTH_MS
from db.sync.news import NEWS, gather, horizon
from db.sync.rejoin import rejoin
from db.sync.tray import read_tray
from tests.db.engine.kit import put_setting, rows_of
from tests.db.sync.conftest import Pair
from tests.db.sync.test_merging import dispatched, in_step
from tests.flows.bureau import COVER, PARKS, WATER
from tests.kit.network import Server
from tests.kit.refusals import refused

WRITERS, EACH = 20, 15


def as_owner(server: Server, *statements: Any) -> None:
    with server.owner.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_row_comes_with_what_it_points_to(pair: Pair) -> None:
    """Whoever committed a newer unit may still be below the horizon when the case that has it is read."""
    ids = (dispatched(pair),)
    as_owner(pair.server, insert(unit).values(id=77, code="U77", name="新设单位", kind="office"))
    pair.server.run(Reassign(ids, 77, "不属"), "li")
    pair.west.pull()
    assert pair.west.rows(case)[ids[0]]["unit_id"] == 77
    assert pair.west.rows(unit)[77]["name"] == "新设单位"


def test_cases_leave_the_window_with_everything_and_come_back_with_everything(pair: Pair) -> None:
    case_id = dispatched(pair)
    assert pair.west.rows(step)
    long_ago = datetime.now(UTC) - timedelta(milliseconds=5 * MONTH_MS)
    as_owner(pair.server, update(case).where(case.c.id == case_id).values(closed_at=long_ago))
    with pair.west.local.engine.begin() as connection:
        connection.execute(update(case).where(case.c.id == case_id).values(closed_at=long_ago))
    pair.west.pull()
    assert pair.west.rows(case) == pair.west.rows(step) == {}
    as_owner(pair.server, update(case).where(case.c.id == case_id).values(closed_at=None))
    pair.server.run(TagCases((case_id,), "防汛"), "li")
    pair.west.pull()
    assert pair.west.differences() == []
    assert len(pair.west.rows(step)) == len(pair.server.rows(step))


def test_what_is_taken_back_on_the_server_goes_here_too(pair: Pair) -> None:
    case_id = int(pair.east.run(Report("hotline", COVER, "井盖丢失"), "wang"))
    pair.east.sync()
    pair.west.sync()
    pair.west.run(TagCases((case_id,), "防汛"), "zhao")
    pair.east.undo("wang")
    pair.east.sync()
    pair.west.sync()
    assert pair.west.rows(case) == {}
    assert [act.state for act in pair.west.acts().values()] == [PARKED]
    in_step(pair)


def test_settings_follow_the_server(pair: Pair) -> None:
    put_setting(pair.server.owner, "city.name", "临江市")
    put_setting(pair.west.local, "city.gone", 1)
    pair.west.pull()
    with pair.west.local.read() as connection:
        found = {row.key: row.value for row in connection.execute(select(setting))}
    assert found["city.name"] == "临江市"
    assert "city.gone" not in found
    assert found["station"] != 0


def test_newest_positions_come_along(pair: Pair) -> None:
    now = datetime.now(UTC)
    as_owner(pair.server, insert(position).values(person_id=1, at=now, lon=121.5, lat=31.2))
    pair.west.pull()
    with pair.west.local.read() as connection:
        assert connection.execute(select(position.c.lon)).scalars().all() == [121.5]


def test_the_feed_hears_of_every_row_that_changes(pair: Pair) -> None:
    ids = (dispatched(pair),)
    heard: list[Changes] = []
    pair.west.local.subscribe(heard.append)
    pair.west.run(TagCases(ids, "防汛"), "zhao")
    pair.east.run(Reassign(ids, WATER, "不属"), "li")
    pair.east.sync()
    before = {name: rows_of(pair.west.local, table) for name, table in (("cases", case), ("case_tag", tag))}
    heard.clear()
    pair.west.pull()
    after = {name: rows_of(pair.west.local, table) for name, table in (("cases", case), ("case_tag", tag))}
    told = {(name, i) for changes in heard for name, rows in changes.touched.items() for i in rows}
    changed = {
        (name, i)
        for name in before
        for i in before[name].keys() | after[name].keys()
        if before[name].get(i) != after[name].get(i)
    }
    assert changed
    assert changed <= told
    heard.clear()
    pair.west.pull()
    assert heard == [], "nothing new, nothing said"


def test_an_act_that_meets_the_news_is_done_again_on_top_of_it(pair: Pair) -> None:
    ids = (dispatched(pair),)
    pair.west.run(TagCases(ids, "防汛"), "zhao")
    (before,) = pair.west.rows(tag)
    pair.east.run(Reassign(ids, WATER, "不属"), "li")
    pair.east.sync()
    came = pair.west.pull().rebased
    assert len(came.again) == 1
    assert pair.west.rows(case)[ids[0]]["unit_id"] == WATER
    assert list(pair.west.rows(tag)) == [before], "with the id that it had"
    assert [act.state for act in pair.west.acts().values()] == [WAITING]
    in_step(pair)


def test_what_can_no_longer_be_is_told_before_it_is_sent(pair: Pair) -> None:
    ids = (dispatched(pair),)
    pair.west.run(Reassign(ids, PARKS, "不属"), "zhao")
    pair.east.run(Reassign(ids, WATER, "不属"), "li")
    pair.east.sync()
    pair.west.pull()
    assert pair.west.rows(case)[ids[0]]["unit_id"] == WATER
    with pair.west.local.read() as connection:
        (laid,) = read_tray(connection)
    assert "李华" in laid.refusal.text()


def test_twenty_writers_out_of_order_and_no_row_is_lost(pair: Pair) -> None:
    """Beside it a cursor by ``seq > last`` over the same table, which loses rows."""
    as_owner(
        pair.server,
        text("CREATE TABLE serial_news (id bigint GENERATED ALWAYS AS IDENTITY, who integer, n integer)"),
    )
    with pair.server.owner.read() as connection:
        since = horizon(connection)
    written: set[int] = set()
    seen: set[int] = set()
    naive: set[int] = set()
    done, overtaken = threading.Event(), threading.Event()
    gates = [threading.Event() for _ in range(WRITERS)]

    def tell(connection: Connection, who: int, n: int) -> int:
        connection.execute(text("INSERT INTO serial_news (who, n) VALUES (:who, :n)"), {"who": who, "n": n})
        number = who * EACH + n
        connection.execute(
            text("INSERT INTO news (seq, touched) VALUES (:seq, :touched)"),
            {"seq": number + 1, "touched": f'{{"cases": [{number}]}}'},
        )
        return number

    def write(who: int) -> None:
        for n in range(EACH):
            with pair.server.owner.engine.begin() as connection:
                number = tell(connection, who, n)
                # Every third waits for a later one to be through: numbers given first, committed last.
                if who % 3 == 0 and n % 2 == 0:
                    gates[(who + 1) % WRITERS].wait(0.05)
            written.add(number)
            gates[who].set()

    def look() -> None:
        nonlocal since
        last = 0
        while True:
            over = done.is_set()
            with pair.server.owner.read() as connection:
                until = horizon(connection)
                rows_told = [tuple(row) for row in connection.exec_driver_sql(NEWS, (since,))]
                news = gather(rows_told, until, lambda _operations: frozenset())
                since = news.until
                seen.update(news.touched.get("cases", ()))
                rows = connection.execute(
                    text("SELECT id, who, n FROM serial_news WHERE id > :last ORDER BY id"), {"last": last}
                ).all()
            if rows:
                last = rows[-1].id
                naive.update(row.who * EACH + row.n for row in rows)
                overtaken.set()
            if over:
                return

    reader = threading.Thread(target=look)
    reader.start()
    writers = [threading.Thread(target=write, args=(who,)) for who in range(WRITERS)]
    with pair.server.owner.engine.begin() as connection:
        # One at least, whatever the threads do: its number is given first, and it is committed last.
        written.add(tell(connection, WRITERS, 0))
        for writer in writers:
            writer.start()
        assert overtaken.wait(60)
    for writer in writers:
        writer.join()
    done.set()
    reader.join()
    assert len(written) == WRITERS * EACH + 1
    assert seen == written
    assert naive < written, "the naive cursor loses none: the writers were not out of order"


def test_a_restored_server_is_noticed_and_gets_back_what_it_lost(pair: Pair) -> None:
    """Two acts of the east and one of the west are lost; the west has one that waits besides."""
    kept = dispatched(pair)
    with pair.server.owner.read() as connection:
        head = connection.execute(select(journal_head)).one()
        known = {table.name: connection.execute(select(table)).mappings().all() for table in (case, step)}
    lost_case = int(pair.east.run(Report("hotline", COVER, "污水外溢", reporter_name="张三"), "wang"))
    number = pair.east.rows(case)[lost_case]["number"]
    pair.east.run(TagCases((kept,), "防汛"), "li")
    pair.east.sync()
    pair.west.sync()
    pair.west.run(TagCases((kept,), "学校"), "zhao")
    pair.west.sync()
    pair.east.sync()
    pair.west.run(TagCases((lost_case,), "夜间"), "zhao")
    put_back(pair.server, head, known)
    for post in (pair.east, pair.west):
        before = {table.name: post.rows(table) for table in (case, step, tag)}
        with refused("other_history"):
            post.sync()
        assert {table.name: post.rows(table) for table in (case, step, tag)} == before, "nothing is changed"

    found = rejoin(pair.east.local, pair.east.way("li"))
    assert (found.lost, found.bare, found.rebased.parked) == (2, 1, {})
    pair.east.sync()
    found = rejoin(pair.west.local, pair.west.way("zhao"))
    assert found.lost == 1
    in_step(pair)
    assert pair.server.rows(case)[lost_case]["number"] == number
    assert {row["word"] for row in pair.server.rows(tag).values()} == {"防汛", "学校", "夜间"}
    assert {act.state for post in (pair.east, pair.west) for act in post.acts().values()} == {DONE}


def put_back(server: Server, head: Any, known: dict[str, Any]) -> None:
    """The server as it was, as from a backup."""
    later = [row["id"] for row in known["case_step"]]
    as_owner(
        server,
        delete(tag),
        delete(reporter),
        text(
            "DELETE FROM case_words WHERE case_id NOT IN (SELECT case_id FROM case_step WHERE id = ANY(:ids))"
        ).bindparams(ids=later),
        text(
            "DELETE FROM case_timer WHERE case_id NOT IN (SELECT case_id FROM case_step WHERE id = ANY(:ids))"
        ).bindparams(ids=later),
        delete(step).where(step.c.id.not_in(later)),
        delete(case).where(case.c.id.not_in([row["id"] for row in known["cases"]])),
        *(update(case).where(case.c.id == row["id"]).values(dict(row)) for row in known["cases"]),
        delete(journal).where(journal.c.seq > head.seq),
        text("DELETE FROM news WHERE seq > :seq").bindparams(seq=head.seq),
        update(journal_head).values(seq=head.seq, hash=head.hash),
    )


def test_old_acts_are_forgotten_and_undecided_ones_never(pair: Pair) -> None:
    ids = (dispatched(pair),)
    pair.east.run(TagCases(ids, "防汛"), "li")
    pair.east.clock.ahead = timedelta(days=15)
    pair.east.pull()
    assert [act.state for act in pair.east.acts().values()] == [WAITING]
