"""A modified program, or psql with an officer's password, can do no more than the officer may."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import select, text

from db.cases.commands.dispatch import Dispatch, Reassign
from db.cases.commands.intake import Accept, Register, Report, Void
from db.cases.contacts import ViewContact, view_contact
from db.cases.tables import case, contact_view, step
from db.engine.journal import verify
from db.kernel.actor import Actor
from db.kernel.refusal import Refused
from tests.db.server.conftest import PEOPLE, Server
from tests.flows.bureau import CONDITIONS, COVER

pytestmark = pytest.mark.postgres


@pytest.fixture
def reported(server: Server) -> int:
    """A case that a citizen reported by telephone, taken down by 王敏."""
    told = Report(
        "hotline", COVER, "井盖破损", "学府路", reporter_name="张三丰", reporter_phone="13812345678"
    )
    return int(server.core("wangmin").bus.run(told, server.actor("wangmin")).result)


def refused(words: str) -> Any:
    return pytest.raises(psycopg.Error, match=words)


def test_an_honest_program_works_through_the_life_of_a_case(server: Server, reported: int) -> None:
    bus, who = server.core("wangmin").bus, server.actor("wangmin")
    bus.run(Accept((reported,)), who)
    bus.run(Register((reported,), CONDITIONS[1]), who)
    bus.run(Dispatch((reported,), 2), who)
    bus.undo(who)
    bus.run(Dispatch((reported,), 2), who)
    with server.owner.database.read() as connection:
        assert connection.execute(select(case.c.state)).scalars().all() == ["pending_handle"]
        assert verify(connection).whole
        left = connection.execute(
            text("SELECT (SELECT count(*) FROM jw_written) + (SELECT count(*) FROM jw_doubtful)")
        )
        assert left.scalar() == 0


def test_a_row_changed_without_an_entry_is_not_kept(server: Server, reported: int) -> None:
    with server.psql("wangmin") as connection:
        connection.execute("UPDATE cases SET description = 'x'")
        with refused("without an entry in the journal"):
            connection.commit()


def test_an_entry_about_nothing_is_not_kept(server: Server, reported: int) -> None:
    core, who = server.core("wangmin"), server.actor("wangmin")
    with pytest.raises(Refused, match="was not made"), core.database.write(who, Accept((reported,))) as unit:
        unit._diffs["cases"].changed([reported], ["description"], [["井盖破损"]], [["x"]])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET actor_name = 'x'",
        "DELETE FROM journal",
        "TRUNCATE journal",
        "ALTER TABLE journal DISABLE TRIGGER ALL",
        "ALTER TABLE cases DISABLE ROW LEVEL SECURITY",
        "SET session_replication_role = replica",
        "SET ROLE jw_owner",
        "SET SESSION AUTHORIZATION lihua",
        "DELETE FROM jw_written",
        "INSERT INTO jw_command VALUES ('x', 'y')",
        "UPDATE contact_view SET reason = 'x'",
        "DELETE FROM contact_view",
        "CREATE FUNCTION jw_may(permission varchar) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "DELETE FROM news",
    ],
)
def test_what_keeps_the_record_is_out_of_reach(server: Server, reported: int, statement: str) -> None:
    with server.psql("wangmin") as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


def test_the_head_does_not_move_alone(server: Server, reported: int) -> None:
    with server.psql("wangmin") as connection, refused("only with an entry"):
        connection.execute("UPDATE journal_head SET seq = seq + 1")


def test_a_modified_program_cannot_skip_a_state(server: Server, reported: int) -> None:
    core, who = server.core("wangmin"), server.actor("wangmin")
    with (
        pytest.raises(Refused, match="table of moves"),
        core.database.write(who, Accept((reported,))) as unit,
    ):
        unit.update(case, {reported: {"state": "pending_close"}})


def test_a_modified_program_cannot_make_a_move_of_another_duty(server: Server, reported: int) -> None:
    core, who = server.core("lihua"), server.actor("lihua")
    with (
        pytest.raises(Refused, match="may not do this"),
        core.database.write(who, Accept((reported,))) as unit,
    ):
        unit.update(case, {reported: {"state": "pending_register"}})
    # Nor under the name of a command that the duty may run.
    with (
        pytest.raises(Refused, match="table of moves"),
        core.database.write(who, Reassign((reported,), 2, "x")) as unit,
    ):
        unit.update(case, {reported: {"state": "pending_register"}})


def test_nobody_acts_in_another_name(server: Server, reported: int) -> None:
    core = server.core("lihua")
    forged = server.actor("wangmin")
    with pytest.raises(Refused, match="own name"):
        core.bus.run(Accept((reported,)), forged)
    own = server.actor("lihua")
    half = Actor(own.account_id, PEOPLE["wangmin"][0], own.permissions)
    with pytest.raises(Refused, match="own name"):
        core.bus.run(Void((reported,), "x"), Actor(half.account_id, half.name, frozenset({"*"})))


def test_a_step_bears_the_name_of_who_took_it(server: Server, reported: int) -> None:
    core, who = server.core("wangmin"), server.actor("wangmin")
    taken = {
        "id": 1,
        "case_id": reported,
        "at": core.clock.now(),
        "verb": "accept",
        "from_state": "reported",
        "to_state": "reported",
    }
    with pytest.raises(Refused, match="own name"), core.database.write(who, Accept((reported,))) as unit:
        unit.insert(step, [{**taken, "actor_id": server.actor("lihua").account_id, "actor_name": "李华"}])


def test_an_entry_with_a_wrong_seal_is_not_taken(server: Server, reported: int) -> None:
    with server.psql("wangmin") as connection:
        head = connection.execute("SELECT seq, hash FROM journal_head").fetchone()
        assert head is not None
        with refused("seal"):
            connection.execute(
                "INSERT INTO journal (seq, at, actor_id, actor_name, station, command, arguments, changes,"
                " previous, hash)"
                " VALUES (%s, jw_now_ms(), jw_account(), '王敏', 1, 'case.accept', '{}', '{}', %s, %s)",
                (int(str(head[0])) + 1, head[1], bytes(32)),
            )


@pytest.fixture
def someone_elses(server: Server, reported: int) -> int:
    """A case whose contact 王敏 typed in so long ago that it is no longer hers to correct."""
    with server.owner.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM jw_revealed"))
    return reported


def test_a_contact_is_read_only_with_a_reason_on_record(server: Server, someone_elses: int) -> None:
    with server.psql("wangmin") as connection:
        assert connection.execute("SELECT name, phone FROM reporter").fetchall() == []
        masked = connection.execute("SELECT name, phone FROM jw_masked(%s)", [someone_elses]).fetchone()
        assert masked == ("张**", "138****5678")
    shown = view_contact(server.core("wangmin").bus, someone_elses, "回访", server.actor("wangmin"))
    assert (shown.name, shown.phone) == ("张三丰", "13812345678")
    with server.psql("lihua") as connection:
        assert connection.execute("SELECT name, phone FROM jw_masked(%s)", [someone_elses]).fetchall() == []
        assert connection.execute("SELECT name FROM reporter").fetchall() == []
    with server.owner.database.read() as connection:
        view = connection.execute(text("SELECT viewer_name, reason FROM contact_view")).one()
    assert view == ("王敏", "回访")


def test_a_reason_holds_for_five_minutes(server: Server, someone_elses: int) -> None:
    view_contact(server.core("wangmin").bus, someone_elses, "回访", server.actor("wangmin"))
    with server.owner.database.engine.begin() as connection:
        connection.execute(text("UPDATE jw_revealed SET until_at = until_at - 300000"))
    with server.psql("wangmin") as connection:
        assert connection.execute("SELECT name FROM reporter").fetchall() == []


@pytest.mark.parametrize("begin", ["SELECT 1", "SAVEPOINT before"])
def test_a_look_that_can_be_rolled_back_shows_nothing(server: Server, someone_elses: int, begin: str) -> None:
    core, who = server.core("wangmin"), server.actor("wangmin")
    with (  # noqa: PT012
        pytest.raises(ZeroDivisionError),
        core.database.write(who, ViewContact(someone_elses, "回访")) as unit,
    ):
        unit.connection.execute(text(begin))
        view = {"id": 1, "case_id": someone_elses, "viewer_id": who.account_id, "viewer_name": who.name}
        unit.insert(contact_view, [{**view, "reason": "回访", "at": unit.now}])
        head = unit.finish()
        assert head.seq > 0
        assert unit.connection.execute(text("SELECT name, phone FROM reporter")).all() == []
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "viewer,reason,refusal", [("李华", "回访", "own name"), ("王敏", "x", "with a reason")]
)
def test_a_look_bears_a_name_and_a_reason(
    server: Server, someone_elses: int, viewer: str, reason: str, refusal: str
) -> None:
    with server.psql("wangmin") as connection, refused(refusal):
        connection.execute(
            "INSERT INTO contact_view (id, case_id, viewer_id, viewer_name, reason, at)"
            " VALUES (1, %s, jw_account(), %s, %s, 0)",
            [someone_elses, viewer, reason],
        )


def test_no_step_and_no_contact_of_ones_own_opens_the_contact_of_another(
    server: Server, someone_elses: int
) -> None:
    server.core("wangmin").bus.run(Report("hotline", COVER, "路灯不亮", "学府路"), server.actor("wangmin"))
    with server.psql("lihua") as connection:
        connection.execute(
            "INSERT INTO case_step (id, case_id, at, verb, from_state, to_state, actor_id, actor_name, note)"
            " VALUES (1, %s, jw_now_ms(), 'report', '', 'reported', jw_account(), '李华', '')",
            [someone_elses],
        )
        assert connection.execute("SELECT name FROM reporter").fetchall() == []
        nameless = connection.execute("SELECT id FROM cases WHERE id <> %s", [someone_elses]).fetchone()
        assert nameless is not None
        with refused("together with its case"):
            connection.execute(
                "INSERT INTO reporter (id, case_id, name, phone) VALUES (2, %s, 'x', '1')", [nameless[0]]
            )


def test_secrets_stay_with_the_server(server: Server) -> None:
    with server.psql("wangmin") as connection:
        assert connection.execute("SELECT key FROM setting WHERE key = 'journal.key'").fetchall() == []


def test_a_number_never_changes(server: Server, reported: int) -> None:
    core, who = server.core("wangmin"), server.actor("wangmin")
    with pytest.raises(Refused, match="Number"), core.database.write(who, Accept((reported,))) as unit:
        unit.update(case, {reported: {"number": "1"}})


def test_there_is_no_password_to_steal(server: Server) -> None:
    with server.psql("zhangwei") as connection:
        assert connection.execute("SELECT DISTINCT password_hash FROM account").fetchall() == [("",)]
