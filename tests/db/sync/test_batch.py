"""Fast-forward comes to what doing it again comes to; what does not fit is left to the rules."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text

from db.calendars.tables import calendar_day
from db.cases.commands.dispatch import Dispatch, Reassign
from db.cases.commands.intake import Accept, Register, Report, Void
from db.cases.commands.marking import SetPriority, TagCases, UntagCases
from db.cases.commands.orders import Urge
from db.cases.tables import case
from db.desk.commands import Keep
from db.engine.connections import Database
from db.engine.journal import verify
from db.engine.outbox import DONE, WAITING
from db.engine.tables import journal
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Refused
from db.sync import batch
from db.sync.batch import fast_forward
from db.sync.incoming import mirrored
from tests.db.engine.kit import write
from tests.db.sync.conftest import Pair
from tests.flows.bureau import CONDITIONS, COVER, PARKS, ROADS, WATER
from tests.kit.network import Network, Post, Server

DEADLINE = 60.0
Ids = tuple[int, ...]
VERBS: dict[str, tuple[str, Callable[[Ids], Any]]] = {
    "accept": ("wang", Accept),
    "register": ("chen", lambda ids: Register(ids, CONDITIONS[2])),
    "dispatch": ("li", lambda ids: Dispatch(ids, ROADS)),
    "reassign": ("li", lambda ids: Reassign(ids, WATER, "不属我处")),
    "reassign back": ("li", lambda ids: Reassign(ids, PARKS, "片区调整")),
    "tag": ("li", lambda ids: TagCases(ids, "防汛")),
    "untag": ("li", lambda ids: UntagCases(ids, "防汛")),
    "hurry": ("li", lambda ids: SetPriority(ids, 1, "学校旁")),
    "urge": ("chen", lambda ids: Urge(ids, "请尽快")),
    "void": ("wang", lambda ids: Void(ids, "重复")),
}
DEED = st.tuples(st.sampled_from(["report", "secret", "undo", *VERBS]), st.integers(0, 5), st.booleans())


def do(post: Post, cases: list[int], deed: tuple[str, int, bool]) -> None:
    """One act, on one case or two; what the rules refuse here is not done."""
    verb, which, more = deed
    with suppress(Refused):
        if verb in {"report", "secret"}:
            name = "张三丰" if verb == "secret" else ""
            told = Report("hotline", COVER, f"井盖 {len(cases)}", "学府路", reporter_name=name)
            cases.append(int(post.run(told, "wang")))
        elif verb == "undo":
            post.undo("wang" if more else "li")
        elif cases:
            ids = (cases[which % len(cases)], *([cases[0]] if more and which % len(cases) else []))
            login, command = VERBS[verb]
            post.run(command(ids), login)


def told(server: Server) -> list[Any]:
    """The journal, apart from what it looks like inside."""
    with server.owner.read() as connection:
        assert verify(connection).whole
        query = select(
            *(journal.c.operation, journal.c.command, journal.c.actor_name, journal.c.station),
            *(journal.c.at, journal.c.touched),
        )
        return [
            (*row[:-1], {table: ids for table, ids in row.touched.items() if ids})
            for row in connection.execute(
                query.where(journal.c.operation.is_not(None)).order_by(journal.c.seq)
            )
        ]


@contextmanager
def alike(
    network: Network, folder: Path, deeds: list[tuple[str, int, bool]]
) -> Iterator[list[tuple[Server, Post]]]:
    """Two servers, each with the same station that has done the same without a line."""
    for name in ("one", "other"):
        (folder / name).mkdir(parents=True)
    with (
        network.copy_to(folder / "one") as (one, posts),
        network.copy_to(folder / "other") as (other, others),
    ):
        cases: list[int] = []
        for deed in [("report", 0, False), ("report", 0, False), *deeds]:
            do(posts["east"], cases, deed)
        posts["east"].close()
        others["east"].close()
        shutil.copyfile(posts["east"].path, others["east"].path)
        for post in (posts["east"], others["east"]):
            post.restart()
        yield [(one, posts["east"]), (other, others["east"])]


@settings(
    max_examples=8, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(deeds=st.lists(DEED, max_size=25))
def test_it_comes_to_what_doing_it_again_comes_to(
    network: Network, tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, int, bool]]
) -> None:
    with alike(network, tmp_path_factory.mktemp("alike"), deeds) as ((one, east), (other, west)):
        pushed = east.push()
        again = west.push(as_computed=False)
        assert pushed.parked == again.parked == {}
        assert told(one) == told(other)
        for table in mirrored():
            assert one.rows(table) == other.rows(table), table.name
        east.pull()
        west.pull()
        assert east.differences() == west.differences() == []
        assert {act.state for act in (*east.acts().values(), *west.acts().values())} == {DONE}


def waiting(post: Post) -> list[int]:
    return [each for each, act in post.acts().items() if act.state == WAITING]


def forward(pair: Pair) -> list[int]:
    return fast_forward(pair.east.local, pair.east.way("wang"), waiting(pair.east))


def report(pair: Pair, **more: str) -> int:
    return int(pair.east.run(Report("hotline", COVER, "井盖丢失", **more), "wang"))


def test_many_acts_go_in_one_transaction(pair: Pair) -> None:
    commits: list[int] = []
    way = pair.east.way("wang")
    for _each in range(20):
        pair.east.run(Accept((report(pair),)), "wang")
    event.listen(way.engine, "commit", lambda _connection: commits.append(1))
    assert len(forward(pair)) == 40
    assert len(commits) == 1
    assert {row["state"] for row in pair.server.rows(case).values()} == {"pending_register"}
    pair.east.pull()
    assert pair.east.differences() == []


def test_a_case_that_another_has_changed_is_left_to_the_rules(pair: Pair) -> None:
    first, second, third = (report(pair) for _each in range(3))
    pair.east.sync()
    pair.west.sync()
    pair.west.run(TagCases((second,), "防汛"), "zhao")
    pair.west.run(SetPriority((second,), 2, "医院旁"), "zhao")
    pair.west.sync()
    for case_id in (first, second, third):
        pair.east.run(Accept((case_id,)), "wang")
    # Those before it go; it and what comes after keep their order.
    assert forward(pair) == sorted(pair.east.acts())[-3:-2]
    assert forward(pair) == []
    pair.east.sync()
    assert pair.east.differences() == []
    assert {row["state"] for row in pair.server.rows(case).values()} == {"pending_register"}


def test_a_rule_that_is_newer_is_asked_again(pair: Pair) -> None:
    day = next(iter(pair.server.rows(calendar_day).values()))
    report(pair)
    write(
        pair.server.owner,
        lambda unit: unit.update(calendar_day, {day["id"]: {"name": "调休"}}),
        SYSTEM,
    )
    assert forward(pair) == []
    pair.east.pull()
    assert len(forward(pair)) == 1


def test_a_setting_that_is_another_is_asked_again(pair: Pair) -> None:
    report(pair)
    with pair.server.owner.engine.begin() as connection:
        connection.execute(text("INSERT INTO setting (key, value, secret) VALUES ('x.y', '7', false)"))
    assert forward(pair) == []


@pytest.mark.parametrize("private", [{"reporter_name": "张三丰"}, {"reporter_phone": "13812345678"}])
def test_what_a_citizen_told_of_himself_goes_by_the_rules(pair: Pair, private: dict[str, str]) -> None:
    report(pair, **private)
    assert forward(pair) == []
    assert len(pair.east.push().settled) == 1


def test_an_undo_goes_by_the_rules(pair: Pair) -> None:
    case_id = report(pair)
    pair.east.run(Accept((case_id,)), "wang")
    pair.east.undo("wang")
    assert len(forward(pair)) == 2
    assert forward(pair) == []
    assert len(pair.east.push().settled) == 1


def test_rows_of_acts_that_wait_for_somebody_else_are_left_alone(pair: Pair) -> None:
    mine, theirs = report(pair), report(pair)
    pair.east.sync()
    for case_id in (mine, theirs):
        pair.east.run(Accept((case_id,)), "wang")
    blocked = {("cases", theirs)}
    sent = fast_forward(pair.east.local, pair.east.way("wang"), waiting(pair.east), blocked)
    assert sent == sorted(pair.east.acts())[-2:-1]


def test_an_answer_that_was_lost_brings_nothing_twice(pair: Pair) -> None:
    report(pair)
    # Known at the server, not here: the program was killed between the two commits.
    pair.east.faults.count, pair.east.faults.after = 1, True
    with pytest.raises(BaseException, match=r"^$"):
        forward(pair)
    pair.east.restart()
    pair.east.faults.after = False
    assert len(waiting(pair.east)) == 1
    pair.east.sync()
    assert len(told(pair.server)) == 1
    assert waiting(pair.east) == []


def test_one_that_the_server_refuses_stops_only_itself(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    for _each in range(7):
        report(pair)
    send, bad = batch._send, waiting(pair.east)[4]

    def refusing(local: Database, server: Database, acts: Any) -> list[int]:
        if any(act.operation == bad for act in acts):
            raise Refused("bad_moment", "no")
        return send(local, server, acts)

    monkeypatch.setattr(batch, "_send", refusing)
    sent = [*forward(pair), *forward(pair)]
    assert sent == [each for each in sorted(pair.east.acts()) if each < bad]
    assert forward(pair) == []


def test_what_a_column_keeps_as_json_arrives_as_it_was(pair: Pair) -> None:
    pair.east.run(Keep("filter", "雨天", {"text": '"\\', "lights": [2, 0]}), "wang")
    assert len(forward(pair)) == 1
    pair.east.pull()
    assert pair.east.differences() == []


def test_the_head_of_the_journal_is_taken_when_all_rows_are_written(pair: Pair) -> None:
    report(pair)
    door = pair.east.way("wang")
    with pair.server.postgres.connect() as watching, psycopg.connect(plain(pair, "wang")) as other:
        other.execute("SELECT * FROM journal_head FOR UPDATE")
        sending = ThreadPoolExecutor(1)
        sent = sending.submit(fast_forward, pair.east.local, door, waiting(pair.east))
        # Whoever holds the head holds nobody up before that.
        assert waits_in(watching, pair.server.name) == "SELECT jw_enter"
        other.rollback()
        assert len(sent.result(DEADLINE)) == 1
        sending.shutdown()
    assert len(told(pair.server)) == 1


def test_acts_on_a_young_server_are_not_planned_for_tables_that_stay_empty(pair: Pair) -> None:
    """Plans are kept: one that reads a small table whole would still do so when it has grown."""
    asked = "SELECT jw_demand_standing('{}', 0, 0, '{}', '[]', '{}', jw_settings_mark('{}'))"
    with pair.east.way("wang").engine.begin() as connection:
        connection.exec_driver_sql(asked)
        told = connection.exec_driver_sql("EXPLAIN SELECT FROM journal WHERE operation = 1").scalars()
        assert not any("Seq Scan" in line for line in told)


def test_whoever_decides_anew_waits_for_acts_that_are_on_their_way(pair: Pair) -> None:
    case_id = report(pair)
    pair.east.sync()
    pair.east.run(Accept((case_id,)), "wang")
    with pair.server.postgres.connect() as watching, psycopg.connect(plain(pair, "wang")) as other:
        # So far an act goes before it takes the head.
        other.execute("SELECT pg_advisory_xact_lock_shared(19033)")
        deciding = ThreadPoolExecutor(1)
        decided = deciding.submit(pair.server.run, SetPriority((case_id,), 1, "学校旁"), "zhao")
        assert "journal_head" in waits_in(watching, pair.server.name)
        other.rollback()
        decided.result(DEADLINE)
        deciding.shutdown()
    assert forward(pair) == []
    pair.east.sync()
    assert pair.east.differences() == []


def test_stations_that_send_at_once_make_one_chain(pair: Pair) -> None:
    cases = [report(pair) for _each in range(6)]
    pair.east.sync()
    pair.west.sync()
    for turn, case_id in enumerate(cases):
        post, login = (pair.east, "wang") if turn % 2 else (pair.west, "sun")
        post.run(Accept((case_id,)), login)
    with ThreadPoolExecutor(2) as both:
        sent = [
            both.submit(fast_forward, post.local, post.way(login), waiting(post))
            for post, login in ((pair.east, "wang"), (pair.west, "sun"))
        ]
        assert [len(each.result(DEADLINE)) for each in sent] == [3, 3]
    assert len(told(pair.server)) == 12
    pair.east.sync()
    pair.west.sync()
    assert pair.east.differences() == pair.west.differences() == []


def plain(pair: Pair, login: str) -> str:
    """A person's way in for the driver alone."""
    return pair.server.url(login).replace("+psycopg", "")


def waits_in(watching: psycopg.Connection[Any], name: str) -> str:
    """How the statement begins that waits for a lock in a database, once there is one."""
    deadline = monotonic() + DEADLINE
    while monotonic() < deadline:
        found = watching.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'", [name]
        ).fetchone()
        if found is not None:
            return str(found[0]).split("(")[0] if str(found[0]).startswith("SELECT jw") else str(found[0])
    raise AssertionError("nobody waits")
