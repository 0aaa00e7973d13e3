"""Rows and journal tell the same values: what somebody tries by plain SQL, and every kind of column."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Integer,
    LargeBinary,
    Table,
    Time,
    insert,
    text,
)

from db.cases.commands.intake import Accept, Report
from db.cases.commands.marking import TagCases
from db.cases.tables import case, reporter
from db.engine.columns import Json, Moment, canonical
from db.engine.tables import metadata
from db.engine.unit_of_work import Reading
from db.kernel.actor import SYSTEM
from db.kernel.command import command_name
from db.kernel.refusal import Refused
from db.server.rights import JOURNALED
from db.server.values import UNTOLD, told
from tests.db.engine.kit import rows_of
from tests.db.server.conftest import Server
from tests.flows.bureau import COVER

pytestmark = pytest.mark.postgres

NAMED = object()
"""The rows that an entry names are those of which it tells."""


@pytest.fixture
def reported(server: Server) -> int:
    return report(server)


def report(server: Server, **values: Any) -> int:
    act = Report("hotline", COVER, "井盖破损", "学府路", **values)
    return int(server.core("wangmin").bus.run(act, server.actor("wangmin")).result)


def attempt(
    server: Server,
    statements: str | Sequence[str],
    *told: Any,
    names: Any = NAMED,
    login: str = "wangmin",
    command: type = Accept,
) -> str:
    """Write rows and append entries by hand; what the server says to it, nothing when it keeps both.

    ``told`` are the ``changes`` of each entry, as text or as what it tells.
    """
    changes = [each if isinstance(each, str) else canonical(each) for each in told]
    if names is NAMED:
        named = [{table: [row[0] for row in rows] for table, rows in json.loads(t).items()} for t in changes]
    else:
        named = names
    with closing(server.psql(login)) as connection:
        try:
            for statement in [statements] if isinstance(statements, str) else statements:
                connection.execute(statement)
            connection.execute(
                "SELECT jw_enter(array_fill(jw_now_ms(), size), array_fill(jw_account(), size),"
                " array_fill(jw_name(), size), array_fill(0, size), array_fill(%s::text, size),"
                " array_fill('{}'::text, size), %s, %s, array_fill(NULL::bigint, size),"
                " array_fill(NULL::bigint, size), 0) FROM (SELECT ARRAY[%s] AS size) s",
                (
                    command_name(command),
                    changes,
                    [None if each is None else canonical(each) for each in named],
                    len(changes),
                ),
            )
            connection.commit()
        except psycopg.Error as error:
            return str(error) if error.sqlstate == "JW001" else f"{error.sqlstate}?"
    return ""


def of_case(case_id: int, **pairs: Any) -> dict[str, Any]:
    return {"cases": [[case_id, {"version": [1, 2], **pairs}]]}


def written(*columns: str) -> str:
    return f"UPDATE cases SET {', '.join(columns)}, version = version + 1"


DONE = written("address = '龙泉路'", "priority = 2")
TOLD: dict[str, Any] = {"address": ["学府路", "龙泉路"], "priority": [0, 2]}
DUE = written("due_at = 1773626400000")
LON = written("lon = 117.25")


def test_what_is_told_as_it_was_done_is_kept(server: Server, reported: int) -> None:
    assert attempt(server, DONE, of_case(reported, **TOLD)) == ""
    row = rows_of(server.owner.database, case)[reported]
    assert (row["address"], row["priority"], row["version"]) == ("龙泉路", 2, 2)


def test_an_entry_that_tells_other_values_is_not_kept(server: Server, reported: int) -> None:
    for statement, pairs in (
        # Another value than was written, or than stood there.
        (DONE, {**TOLD, "address": ["学府路", "学府路北"]}),
        (DONE, {**TOLD, "address": ["学府路北", "龙泉路"]}),
        (DONE, {**TOLD, "address": ["龙泉路", "学府路"]}),
        (DONE, {**TOLD, "version": [1, 3]}),
        # A column that the entry does not name, or names for nothing.
        (DONE, {"address": ["学府路", "龙泉路"]}),
        (DONE, {}),
        (DONE, {**TOLD, "description": ["井盖破损", "井盖丢失"]}),
        (DONE, {**TOLD, "shade": [1, 2]}),
        (DONE, {**TOLD, "state": ["closed", "closed"]}),
        (DONE, {**TOLD, "id": [None, 7]}),
        # Other forms of it.
        (DONE, {**TOLD, "priority": [0, "2"]}),
        (DONE, {**TOLD, "priority": ["0", 2]}),
        (DONE, {**TOLD, "priority": [None, 2]}),
        (DONE, {**TOLD, "priority": [False, 2]}),
        (DONE, {**TOLD, "priority": [0, 2, 3]}),
        (DONE, {**TOLD, "priority": [0]}),
        (DONE, {**TOLD, "priority": {"0": 0, "1": 2}}),
        (DONE, {**TOLD, "priority": 2}),
        (DONE, {**TOLD, "priority": [0, [2]]}),
        (written("exempt = true"), {"exempt": [0, 1]}),
        (written("exempt = true"), {"exempt": ["false", "true"]}),
        (DUE, {"due_at": [None, "1773626400000"]}),
        (DUE, {"due_at": [None, "2026-03-16T02:00:00Z"]}),
        (DUE, {"due_at": [0, 1773626400000]}),
        (DUE, {"due_at": ["null", 1773626400000]}),
        (DUE, {"due_at": [None, 1773626400001]}),
        (LON, {"lon": [None, 117.2]}),
        (LON, {"lon": [None, 117.25000000000001]}),
        (LON, {"lon": [None, 117.25], "lat": [None, 35.1]}),
        (written("lon = 117.25", "lat = 35.1"), {"lon": [None, 117.25]}),
        (written("lon = 'NaN'"), {"lon": [None, 117.25]}),
        (written("address = ''"), {"address": ["学府路", None]}),
        (written("address = 'null'"), {"address": ["学府路", None]}),
        (written("""address = 'x","priority":[0,2]'"""), {"address": ["学府路", "x"]}),
        # No setting of the session makes two values one.
        (["SET extra_float_digits = -15", LON], {"lon": [None, 117.0]}),
    ):
        said = attempt(server, statement, of_case(reported, **pairs))
        assert "tells of another" in said or "not written as" in said, (statement, pairs, said)
    assert rows_of(server.owner.database, case)[reported]["version"] == 1
    assert attempt(server, ["SET extra_float_digits = -15", LON], of_case(reported, lon=[None, 117.25])) == ""


def test_what_is_written_otherwise_than_an_entry_is_tells_nothing(server: Server, reported: int) -> None:
    address, priority, version = '"address":["学府路","龙泉路"]', '"priority":[0,2]', '"version":[1,2]'
    whole = f"{address},{priority},{version}"
    for changes in (
        f'{{"cases":[[%s,{{"address":["学府路","北路"],{address},"priority":[0,1],{version}}}]]}}',
        f'{{"cases":[[%s,{{{address},"address":["学府路","北路"],{priority},{version}}}]]}}',
        f'{{"cases":[[%s,{{{whole}}},1]]}}',
        f'{{"cases":[[%s,{{{address},{version}}}],[%s,{{{priority}}}]]}}',
        f'{{"cases":[[%s,{{{address},{version}}}]],"cases":[[%s,{{{priority}}}]]}}',
        f'{{"cases":[[%s,{{{whole}}}]],"cases":[[%s,{{{whole}}}]]}}',
        f'{{"cases":{{"%s":{{{whole}}}}}}}',
        f'{{"Cases":[[%s,{{{whole}}}]]}}',
        f'{{"cases":[[%s,{{{whole}}}]],"setting":[[1,{{}}]]}}',
        f'{{"cases":[[%s,{{{whole}}}]],"nothing":[[1,{{"a":[1,2]}}]]}}',
        *('{"cases":[[%s,[]]]}', '{"cases":[[%s,null]]}', '{"cases":[[%s]]}', '{"cases":[%s]}'),
        *('{"cases":["x"]}', '{"cases":[["x",{}]]}', '{"cases":[[1e400,{}]]}'),
        *('{"cases=":{"rows":1,"sha256":"x"}}', '{"cases*":{"rows":1,"sha256":"x"}}'),
        *("{}", "[]", "null", "{", ""),
    ):
        said = attempt(server, DONE, changes.replace("%s", str(reported)), names=[{"cases": [reported]}])
        assert "?" not in said, (changes, said)
        assert "tells of" in said or "not written as" in said or "without an entry" in said, (changes, said)
    assert rows_of(server.owner.database, case)[reported]["version"] == 1


# Rows.


def test_a_row_is_not_told_for_another(server: Server, reported: int) -> None:
    other = report(server)
    one = f"{DONE} WHERE id = {reported}"
    assert "without an entry" in attempt(server, one, of_case(other, **TOLD))
    assert "tells of" in attempt(server, one, of_case(other, **TOLD), names=[{"cases": [reported]}])
    # Two entries that tell of each other's row: what each names would be taken back by the other.
    crossed = [{"cases": [other]}, {"cases": [reported]}]
    both = [of_case(each, **TOLD) for each in (reported, other)]
    assert "does not name" in attempt(server, DONE, *both, names=crossed)
    assert attempt(server, DONE, *both) == ""


def test_the_number_of_a_row_never_changes(server: Server, reported: int) -> None:
    server.core("wangmin").bus.run(TagCases((reported,), "汛期"), server.actor("wangmin"))
    assert "number of a row never changes" in attempt(server, "UPDATE case_tag SET id = id + 1", {})


def test_a_row_that_goes_is_told_as_it_was(server: Server, reported: int) -> None:
    server.core("wangmin").bus.run(TagCases((reported,), "汛期"), server.actor("wangmin"))
    with server.owner.database.read() as connection:
        row = dict(connection.execute(text("SELECT * FROM case_tag")).mappings().one())
    was = {name: [value, None] for name, value in row.items()}
    for lie in (
        {"word": ["重点", None]},
        {"case_id": [None, None]},
        {"version": [7, None]},
        {"x": [1, None]},
    ):
        said = attempt(server, "DELETE FROM case_tag", {"case_tag": [[row["id"], was | lie]]})
        assert "tells of another" in said, lie
    assert attempt(server, "DELETE FROM case_tag", {"case_tag": [[row["id"], was]]}) == ""


def test_a_row_that_comes_is_told_as_it_is(server: Server, reported: int) -> None:
    came = (
        "INSERT INTO case_step (id, case_id, at, verb, from_state, to_state, actor_id, actor_name, note)"
        f" VALUES (7, {reported}, 9, 'remark', 'reported', 'reported', jw_account(), jw_name(), '已联系')"
    )
    who = server.actor("wangmin")
    row = {
        **{"id": 7, "case_id": reported, "at": 9, "verb": "remark", "note": "已联系", "version": 1},
        **{"from_state": "reported", "to_state": "reported"},
        **{"actor_id": who.account_id, "actor_name": who.name},
    }
    is_now: dict[str, Any] = {name: [None, value] for name, value in row.items()}

    def step(**lie: Any) -> str:
        pairs = {name: pair for name, pair in (is_now | lie).items() if pair}
        return attempt(server, came, {"case_step": [[7, pairs]]})

    for lie in (
        *({"note": [None, "未联系"]}, {"note": None}, {"at": [None, 8]}, {"id": None}),
        *({"note": ["未联系", "已联系"]}, {"unit_id": [None, 2]}, {"unit_id": [2, None]}),
    ):
        assert "tells of another" in step(**lie), lie
    # What is null may be left out, and may be told.
    assert step(unit_id=[None, None]) == ""


# Several acts, several statements.


def test_acts_of_one_transaction_follow_one_another(server: Server, reported: int) -> None:
    steps = (written("address = '龙泉路'"), written("address = '文化路'"))

    def told(at: int, was: str, became: str) -> dict[str, Any]:
        return of_case(reported, version=[at, at + 1], address=[was, became])

    first, second = told(1, "学府路", "龙泉路"), told(2, "龙泉路", "文化路")
    for entries in (
        *((second, first), (first,), (second,), (first, first, second)),
        *((first, told(2, "龙泉路", "北路")), (first, told(2, "北路", "文化路"))),
        # It never was what lies between.
        (told(1, "学府路", "北路"), told(2, "北路", "文化路")),
    ):
        assert "tells of" in attempt(server, steps, *entries), entries
    assert attempt(server, steps, first, second) == ""
    row = rows_of(server.owner.database, case)[reported]
    assert (row["address"], row["version"]) == ("文化路", 3)


def test_one_act_may_touch_a_row_twice(server: Server, reported: int) -> None:
    there_and_back = (
        written("address = '龙泉路'", "priority = 1", "lon = 117.0"),
        written("address = '文化路'", "priority = 0"),
    )
    twice = {"version": [1, 3], "address": ["学府路", "文化路"], "lon": [None, 117.0]}
    for lie in (
        # A value that is said to have stayed, and was another.
        {"state": ["closed", "closed"]},
        {"priority": [1, 0]},
        {"version": [1, 2]},
        {"lat": [35.1, 35.1]},
    ):
        assert "tells of another" in attempt(server, there_and_back, of_case(reported, **(twice | lie))), lie
    assert attempt(server, there_and_back, of_case(reported, **twice, priority=[0, 0])) == ""


def test_no_state_is_told_in_between_to_be_put_back_by_an_undo(server: Server, reported: int) -> None:
    """An undo may put back what nobody may do anew: so nothing may be told that never was."""
    said = attempt(
        server,
        written("state = 'pending_register'"),
        {"cases": [[reported, {"state": ["reported", "closed"]}]]},
        of_case(reported, state=["closed", "pending_register"]),
    )
    assert "another state" in said


def test_what_came_and_went_need_not_be_told(server: Server, reported: int) -> None:
    came = f"INSERT INTO case_tag (id, case_id, word) VALUES (7, {reported}, '汛期')"
    both = (came, "DELETE FROM case_tag", DONE)
    assert attempt(server, both, of_case(reported, **TOLD)) == ""
    assert "without an entry" in attempt(server, came, {}, names=[{}])


def test_a_changed_program_tells_no_other_contact(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for digest in ("张三", "#" + "0" * 32, ""):
        with monkeypatch.context() as patch:
            patch.setattr(Reading, "_digest", lambda self, value, digest=digest: digest)
            with pytest.raises(Refused, match="another name in reporter"):
                report(server, reporter_name="张三", reporter_phone="13812345678")
    report(server, reporter_name="张三", reporter_phone="13812345678")
    report(server, reporter_phone="13812345678")
    assert len(rows_of(server.owner.database, reporter)) == 2
    with closing(server.psql("wangmin")) as psql, pytest.raises(psycopg.errors.InsufficientPrivilege):
        psql.execute("SELECT jw_keyed('13812345678')")


def test_a_bulk_load_tells_how_many_rows_came(server: Server, reported: int) -> None:
    came = [f"INSERT INTO case_tag (id, case_id, word) VALUES ({n}, {reported}, '{n}')" for n in (7, 8)]
    both = '{"case_tag*":{"rows":2}}'
    assert "may not do this" in attempt(server, came, both, names=[None], login="lihua", command=TagCases)
    for lie in ('{"case_tag*":{"rows":1}}', '{"case_tag*":{"rows":3}}', '{"cases*":{"rows":2}}', "{}"):
        assert "another number of rows" in attempt(server, came, lie, names=[None]), lie
    # What was added one by one is told by its values, also beside a load.
    row = {"id": 7, "case_id": reported, "version": 1}
    for word in ("8", "7"):
        pairs = {name: [None, value] for name, value in {**row, "word": word}.items()}
        changes = {"case_tag": [[7, pairs]], "case_tag*": {"rows": 1}}
        said = attempt(server, came, changes, names=[None])
        assert ("another word" in said) is (word == "8"), said
        with server.owner.database.engine.begin() as connection:
            connection.execute(text("DELETE FROM case_tag"))
    assert attempt(server, came, both, names=[None], command=TagCases) == ""
    # What is changed is named as well.
    assert "without an entry" in attempt(server, DONE, of_case(reported, **TOLD), names=[None])


# Every kind of column.


def awkward(column: Column[Any], row_id: int) -> Any:
    """A value that is written differently in more than one place, and another one in each row."""
    kind = column.type
    if isinstance(kind, Moment):
        return datetime(2026, 3, 16, 2, 0, row_id, 123_000, UTC)
    if isinstance(kind, BigInteger | Integer):
        return row_id if column.primary_key else 2_147_483_647 - row_id
    if isinstance(kind, Boolean):
        return row_id % 2 == 0
    if isinstance(kind, Float):
        return (0.1 + 0.2, 5e-324, 1e-7, 117.0, -117.12345678901234, 1e22)[row_id % 6]
    if isinstance(kind, Date):
        return date(2026, 1, 2) + timedelta(row_id)
    if isinstance(kind, Time):
        return time(8, 0, row_id, row_id % 2 * 500_000)
    if isinstance(kind, LargeBinary):
        return struct.pack("<60d", *(n / 7 for n in range(60)))
    if isinstance(kind, Json):
        return {"b": [None, 1.5, {"a": '"\u0001'}], "a": None, "井": True}
    return f'{row_id}"\\/\b\n\r\t\x01\x1f\x7f井<😀\u2028'[: getattr(kind, "length", None) or 80]


def filled(table: Table) -> Iterator[dict[str, Any]]:
    for row_id in range(1, 7):
        yield {column.name: awkward(column, row_id) for column in table.c}
    yield {column.name: None if column.nullable else awkward(column, 7) for column in table.c}


def test_every_value_is_noted_in_the_words_of_the_journal(server: Server) -> None:
    """What the server makes of a row is what the program tells of it, in every table."""
    with server.owner.database.engine.begin() as connection:
        # Past foreign keys and triggers: any values will do.
        connection.exec_driver_sql("SET LOCAL ROLE postgres")
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for name in JOURNALED:
            table = metadata.tables[name]
            kept = [column.name for column in told(table)]
            connection.exec_driver_sql(f"DELETE FROM {name}")
            connection.execute(insert(table), list(filled(table)))
            reading = Reading(connection, SYSTEM, datetime.now(UTC))
            names = reading.names(table)
            raw = reading.raw(table, list(range(1, 8)))
            cells = reading.plain_cells(table, names, list(zip(*raw.values(), strict=True)))
            theirs = dict(map(tuple, connection.exec_driver_sql(f"SELECT id, jw_plain(t) FROM {name} t")))
            assert len(theirs) == 7, name
            for values in zip(*cells, strict=True):
                row = dict(zip(names, values, strict=True))
                ours = {key: row[key] for key in kept if row[key] is not None}
                assert theirs[row["id"]] == json.loads(canonical(ours)), name


def test_what_nobody_compares_is_not_kept_by_the_server(server: Server) -> None:
    assert UNTOLD == {"account": ("password_hash",)}
    with server.owner.database.read() as connection:
        assert set(connection.execute(text("SELECT password_hash FROM account")).scalars()) == {""}
