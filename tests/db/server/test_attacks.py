"""What somebody tries with an officer's password and a tool of his own, or a program that was changed."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import select, text

from db.cases.claims import Claim, TakeOver
from db.cases.commands.dispatch import HELPER, AddHelper, Dispatch, Reassign, involve
from db.cases.commands.handling import Handle, Receive
from db.cases.commands.intake import Accept, Register, Report, Void
from db.cases.commands.marking import TagCases
from db.cases.commands.requests import ResumeDue
from db.cases.tables import case, claim, photo, reporter, step, tag
from db.desk.tables import kept
from db.duties.tables import duty
from db.engine.bus import TWO_OFFICERS, Undo, undo_entry
from db.engine.journal import verify
from db.engine.proposals import ConfirmProposal, propose
from db.engine.tables import proposal
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Refused
from db.people.commands import SetScope
from db.people.tables import account_role, unit
from db.registers.tables import area
from tests.db.engine.kit import put_setting, write
from tests.db.server.conftest import Server
from tests.flows.bureau import CONDITIONS, COVER

pytestmark = pytest.mark.postgres


def refused(words: str) -> Any:
    return pytest.raises(psycopg.Error, match=words)


def report(server: Server, description: str = "井盖破损", **values: Any) -> int:
    """A case that 王敏 took down."""
    told = Report("hotline", COVER, description, "学府路", **values)
    return int(server.core("wangmin").bus.run(told, server.actor("wangmin")).result)


def dispatched(server: Server, unit_id: int = 2) -> int:
    """A case in the hands of a unit."""
    case_id = report(server)
    bus, who = server.core("wangmin").bus, server.actor("wangmin")
    for command in (Accept((case_id,)), Register((case_id,), CONDITIONS[1]), Dispatch((case_id,), unit_id)):
        bus.run(command, who)
    return case_id


@pytest.fixture
def reported(server: Server) -> int:
    return report(server)


# The machine itself.


@pytest.mark.parametrize(
    "statement",
    [
        "COPY journal TO PROGRAM 'cat'",
        "COPY cases FROM PROGRAM 'echo 1'",
        "COPY cases TO '/tmp/cases'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_from_bytea(0, '\\x00')",
        "SELECT lo_create(0)",
        "CREATE TEMP TABLE account AS SELECT 1 AS id",
        "CREATE TABLE account2 (id integer)",
        "CREATE SCHEMA mine",
        "CREATE EXTENSION dblink",
        "CREATE FUNCTION pg_temp.x() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER x BEFORE INSERT ON cases FOR EACH ROW EXECUTE FUNCTION jw_stamp_entry()",
        "DROP TRIGGER jw_check_moves ON cases",
        "ALTER TABLE cases DISABLE TRIGGER jw_check_moves",
        "ALTER TABLE cases ADD COLUMN x integer",
        "ALTER FUNCTION jw_may(text) OWNER TO wangmin",
        "ALTER ROLE wangmin SUPERUSER",
        "ALTER ROLE lihua PASSWORD 'Abcd-9999'",
        "GRANT jw_owner TO wangmin",
        "GRANT jw_security_admin TO wangmin",
        "CREATE ROLE x",
        "SET ROLE jw_owner",
        "SET ROLE postgres",
        "SET session_replication_role = replica",
        "SET SESSION AUTHORIZATION postgres",
        "SELECT jw_make_months_of(ARRAY['cases'], 0, 1)",
        "SELECT * FROM jw_written",
        "INSERT INTO jw_revealed VALUES (1, 1, 9e15, 0)",
        "INSERT INTO jw_table VALUES ('cases', 'x')",
        "UPDATE jw_command SET permission = 'undo'",
        "SELECT * FROM case_step_rest",
        "INSERT INTO news (seq) VALUES (1)",
        "UPDATE station SET token = 'x'",
        "DELETE FROM blob",
        "UPDATE reporter SET phone = '1'",
        "UPDATE alembic_version SET version_num = '9999'",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    ],
)
def test_neither_the_server_nor_its_guard_is_touched(server: Server, statement: str) -> None:
    with (
        server.psql("wangmin") as connection,
        pytest.raises(
            (errors.InsufficientPrivilege, errors.FeatureNotSupported, errors.DuplicateObject)
        ) as caught,
    ):
        connection.execute(statement)
    assert not isinstance(caught.value, errors.UndefinedTable)


def test_another_search_path_leads_the_guard_nowhere_else(server: Server, reported: int) -> None:
    with server.psql("lihua") as connection:
        connection.execute("SET search_path = pg_catalog")
        connection.execute("UPDATE public.cases SET state = 'closed'")
        with pytest.raises(psycopg.Error, match="without an entry"):
            connection.commit()


def test_a_check_that_is_hurried_is_a_check_all_the_same(server: Server, reported: int) -> None:
    with server.psql("lihua") as connection:
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(psycopg.Error, match="without an entry"):
            connection.execute("UPDATE cases SET description = 'x'")


def test_a_transaction_prepared_for_later_is_checked_before(server: Server, reported: int) -> None:
    with server.psql("lihua") as connection:
        connection.execute("UPDATE cases SET description = 'x'")
        with pytest.raises(psycopg.Error, match=r"without an entry|prepared transactions are disabled"):
            connection.execute("PREPARE TRANSACTION 'later'")


# Acts under false names.


def test_undo_does_what_undoing_does_and_nothing_else(server: Server, reported: int) -> None:
    core, who = server.core("wangmin"), server.actor("wangmin")
    seq = core.bus.run(Accept((reported,)), who).seq
    with pytest.raises(Refused, match="more than take back"), core.database.write(who, Undo(seq)) as unit:  # noqa: PT012
        unit.undoes = seq
        unit.update(case, {reported: {"state": "closed"}})
    with pytest.raises(Refused, match="called undo"), core.database.write(who, Undo(seq)) as unit:
        unit.update(case, {reported: {"state": "closed"}})
    with (  # noqa: PT012
        pytest.raises(Refused, match="called undo"),
        core.database.write(who, Void((reported,), "x")) as unit,
    ):
        unit.undoes = seq
        unit.update(case, {reported: {"state": "reported"}})


def test_what_another_did_is_not_undone(server: Server, reported: int) -> None:
    seq = server.core("wangmin").bus.run(Accept((reported,)), server.actor("wangmin")).seq
    core, who = server.core("lihua"), server.actor("lihua")
    with pytest.raises(Refused, match="Only"), core.database.write(who, Undo(seq)) as unit:  # noqa: PT012
        unit.undoes = seq
        unit.update(case, {reported: {"state": "reported"}})


def test_what_time_does_is_done_only_when_it_is_time(server: Server, reported: int) -> None:
    core = server.core("lihua")
    with pytest.raises(Refused, match="table of moves"), core.database.write(SYSTEM, ResumeDue()) as unit:
        unit.update(case, {reported: {"state": "closed"}})


def test_nothing_is_removed(server: Server) -> None:
    reported = report(server, reporter_name="张三丰", reporter_phone="13812345678")
    core, who = server.core("wangmin"), server.actor("wangmin")
    for table in (step, reporter):
        with server.owner.database.read() as connection:
            ids = list(connection.execute(text(f"SELECT id FROM {table.name}")).scalars())
        assert ids
        with pytest.raises(Refused), core.database.write(who, Void((reported,), "x")) as unit:
            unit.delete(table, ids)


def test_a_step_stands_as_it_was_taken(server: Server, reported: int) -> None:
    core, who = server.core("wangmin"), server.actor("wangmin")
    with server.owner.database.read() as connection:
        (first,) = connection.execute(text("SELECT id FROM case_step")).scalars()
    with (
        pytest.raises(Refused, match="as it was taken"),
        core.database.write(who, Accept((reported,))) as unit,
    ):
        unit.update(step, {first: {"note": "别人说的"}})


def test_a_handler_gives_himself_no_time(server: Server) -> None:
    case_id = dispatched(server)
    core, who = server.core("chenjing"), server.actor("chenjing")
    core.bus.run(Receive((case_id,)), who)
    for column, value in (("due_at", core.clock.now()), ("unit_id", 1), ("exempt", True)):
        with (
            pytest.raises(Refused, match="unit or the time"),
            core.database.write(who, Handle((case_id,), "已修")) as unit_of_work,
        ):
            unit_of_work.update(case, {case_id: {column: value}})
    core.bus.run(Handle((case_id,), "已修"), who)


def test_tables_belong_to_those_whose_work_they_are(server: Server, reported: int) -> None:
    core, who = server.core("zhangwei"), server.actor("zhangwei")
    for table, row in (
        (account_role, {"id": 1, "account_id": who.account_id, "role_id": _role(server, "system_admin")}),
        (tag, {"id": 1, "case_id": reported, "word": "重点"}),
        (unit, {"id": 9, "code": "9", "name": "x", "kind": "office"}),
    ):
        with (
            pytest.raises(Refused, match="may not change"),
            core.database.write(who, Report("hotline", COVER, "x", "x")) as unit_of_work,
        ):
            unit_of_work.insert(table, [row])


def _role(server: Server, code: str) -> int:
    with server.owner.database.read() as connection:
        return int(connection.execute(text("SELECT id FROM role WHERE code = :c"), {"c": code}).scalar_one())


def test_nobody_reads_by_rights_that_are_never_committed(server: Server, reported: int) -> None:
    with server.psql("zhangwei") as connection:
        for statement in (
            f"INSERT INTO account_role VALUES (1, jw_account(), {_role(server, 'leader')})",
            "DELETE FROM account_scope",
            """UPDATE role SET permissions = '["*"]'""",
            "UPDATE person SET unit_id = 2",
            "UPDATE unit SET parent_id = 2",
            "INSERT INTO setting (key, value) VALUES ('scope.hides', 'false')",
        ):
            with refused("may not change"), connection.transaction():
                connection.execute(statement)
            assert connection.execute("SELECT jw_may('people.track')").fetchone() == (False,)


def test_nobody_makes_the_own_unit_a_helper(server: Server) -> None:
    foreign = dispatched(server, unit_id=1)
    lihua = server.actor("lihua")
    server.owner.bus.run(SetScope(lihua.account_id, units=(2,)), SYSTEM)
    insert = "INSERT INTO case_unit (id, case_id, unit_id, role, since) VALUES (1, %s, 2, 'helper', 0)"
    for login in ("lihua", "chenjing"):
        with server.psql(login) as connection, refused("helper by yourself|may not change"):
            connection.execute(insert, [foreign])


# Settings.


def test_settings_belong_to_the_commands_that_set_them(server: Server, reported: int) -> None:
    with server.psql("wangmin") as connection:
        connection.execute("UPDATE setting SET value = '\"x\"' WHERE key = 'case.last_number'")
        with pytest.raises(psycopg.Error, match="No command that may"):
            connection.commit()
    core, who = server.core("wangmin"), server.actor("wangmin")
    for key in ("two_officers.above", "scope.hides", "server", "city.name"):
        with (  # noqa: PT012
            pytest.raises(Refused, match=r"may not change the setting|No command that may"),
            core.database.write(who, Accept((reported,))) as unit_of_work,
        ):
            unit_of_work.keep()
            unit_of_work.connection.execute(
                text(
                    "INSERT INTO setting (key, value) VALUES (:k, '0') ON CONFLICT (key)"
                    " DO UPDATE SET value = '0'"
                ),
                {"k": key},
            )
    with server.psql("wangmin") as connection:
        assert connection.execute("UPDATE setting SET value = '1' WHERE secret").rowcount == 0
        with refused("may not change the setting"):
            connection.execute("INSERT INTO setting (key, value, secret) VALUES ('x', '1', true)")


# Two officers.


def test_no_officer_moves_more_cases_alone_than_one_may(server: Server) -> None:
    ids = tuple(report(server, f"第{n}处") for n in range(4))
    put_setting(server.owner.database, TWO_OFFICERS, 2)
    core, who = server.core("wangmin"), server.actor("wangmin")
    with (
        pytest.raises(Refused, match="second officer"),
        core.database.write(who, Accept(ids)) as unit_of_work,
    ):
        unit_of_work.update(case, {i: {"state": "pending_register"} for i in ids})
    with (
        pytest.raises(Refused, match="second officer"),
        core.database.write(who, ConfirmProposal(1)) as unit_of_work,
    ):
        unit_of_work.update(case, {i: {"state": "pending_register"} for i in ids})


def test_a_proposal_is_decided_by_another_who_might_give_it_himself(server: Server) -> None:
    ids = tuple(report(server, f"第{n}处") for n in range(3))
    put_setting(server.owner.database, TWO_OFFICERS, 2)
    core, who = server.core("wangmin"), server.actor("wangmin")
    proposal_id = propose(core.bus, TagCases(ids, "重点"), who)
    confirmed = {"state": "confirmed", "decided_by": who.account_id, "decided_by_name": who.name}
    with (
        pytest.raises(Refused, match="another decides"),
        core.database.write(who, ConfirmProposal(proposal_id)) as unit_of_work,
    ):
        unit_of_work.update(proposal, {proposal_id: confirmed})
    collector = server.actor("zhangwei")
    other = {**confirmed, "decided_by": collector.account_id, "decided_by_name": collector.name}
    with (
        pytest.raises(Refused, match="another decides"),
        server.core("zhangwei").database.write(collector, ConfirmProposal(proposal_id)) as unit_of_work,
    ):
        unit_of_work.update(proposal, {proposal_id: other})
    second = server.actor("lihua")
    moved = server.core("lihua").bus.run(ConfirmProposal(proposal_id), second)
    assert moved.changes.touched["case_tag"]
    bus = server.core("lihua").bus
    with pytest.raises(Refused, match="second officer"):
        bus.undo(second)
    undo_id = propose(bus, bus.undo_of(Undo(moved.seq)), second)
    core.bus.run(ConfirmProposal(undo_id), who)
    with server.owner.database.read() as connection:
        assert verify(connection).whole
        assert not connection.execute(select(tag)).all()


def test_nobody_takes_back_more_cases_alone_than_one_may(server: Server) -> None:
    ids = tuple(report(server, f"第{n}处") for n in range(3))
    core, who = server.core("wangmin"), server.actor("wangmin")
    seq = core.bus.run(TagCases(ids, "重点"), who).seq
    put_setting(server.owner.database, TWO_OFFICERS, 2)
    undo = Undo(seq)
    # A program that leaves out the check, and one that confirms its own proposal.
    with (
        pytest.raises(Refused, match="second officer"),
        core.database.write(who, undo) as unit_of_work,
    ):
        undo_entry(undo, unit_of_work, who.account_id, is_confirmed=True)
    proposal_id = propose(core.bus, undo, who)
    with (
        pytest.raises(Refused, match="Only the person"),
        core.database.write(who, ConfirmProposal(proposal_id)) as unit_of_work,
    ):
        undo_entry(undo, unit_of_work, who.account_id, is_confirmed=True)
    # A proposal in the name of the one whose act it is, made up by who confirms it.
    other = server.actor("lihua")
    forged = {
        "id": 9,
        "command": "undo",
        "arguments": {"seq": seq, "leave_out": True, "operation": 0},
        "size": 3,
        "proposed_by": who.account_id,
        "proposed_by_name": who.name,
        "proposed_at": core.clock.now(),
        "state": "confirmed",
        "decided_by": other.account_id,
        "decided_by_name": other.name,
    }
    with (  # noqa: PT012
        pytest.raises(Refused, match="another decides"),
        server.core("lihua").database.write(other, ConfirmProposal(9)) as unit_of_work,
    ):
        unit_of_work.insert(proposal, [forged])
        undo_entry(undo, unit_of_work, who.account_id, is_confirmed=True)
    with server.owner.database.read() as connection:
        assert len(connection.execute(select(tag)).all()) == 3


# Claims and what people keep.


def test_a_claim_is_ones_own_and_holds_against_others(server: Server, reported: int) -> None:
    bus, leader = server.core("wangmin").bus, server.actor("wangmin")
    bus.run(Accept((reported,)), leader)
    bus.run(Register((reported,), CONDITIONS[1]), leader)
    server.core("wangmin").bus.run(Claim((reported,)), server.actor("wangmin"))
    core, who = server.core("lihua"), server.actor("lihua")
    with server.owner.database.read() as connection:
        (row_id,) = connection.execute(text("SELECT id FROM case_claim")).scalars()
    for values in ({"account_id": who.account_id, "name": who.name}, {"name": "x"}):
        with (
            pytest.raises(Refused, match="own name"),
            core.database.write(who, Claim((reported,))) as unit_of_work,
        ):
            unit_of_work.update(claim, {row_id: values})
    with server.owner.database.engine.begin() as connection:
        connection.execute(text("UPDATE case_claim SET expires_at = 0"))
    core.bus.run(Claim((reported,)), who)
    server.core("wangmin").bus.run(TakeOver((reported,), "急件"), server.actor("wangmin"))


def test_what_somebody_keeps_is_his_or_hers(server: Server, reported: int) -> None:
    core, who = server.core("lihua"), server.actor("lihua")
    other = server.actor("wangmin")
    row = {
        "id": 1,
        "kind": "filter",
        "name": "x",
        "owner_name": "王敏",
        "content": {},
        "kept_at": core.clock.now(),
    }
    with (
        pytest.raises(Exception, match="row-level security"),
        core.database.write(who, Accept((reported,))) as unit_of_work,
    ):
        unit_of_work.insert(kept, [{**row, "owner_id": other.account_id}])


# Scope.


def test_a_handler_works_only_on_what_the_own_unit_has_or_helps_with(server: Server) -> None:
    own, foreign = dispatched(server), dispatched(server, unit_id=1)
    core, who = server.core("chenjing"), server.actor("chenjing")
    core.bus.run(Receive((own,)), who)
    for work in (
        lambda u: u.update(case, {foreign: {"state": "handling"}}),
        lambda u: u.insert(photo, [_photo(foreign, core.clock.now())]),
    ):
        with (
            pytest.raises(Refused, match="beyond your scope"),
            core.database.write(who, Receive((foreign,))) as unit_of_work,
        ):
            work(unit_of_work)
    bus, leader = server.core("wangmin").bus, server.actor("wangmin")
    from db.cases.commands.dispatch import AddHelper

    bus.run(AddHelper((foreign,), 2), leader)
    core.bus.run(Receive((foreign,)), who)


def _photo(case_id: int, now: Any) -> dict[str, Any]:
    facts = {"sha256": "0" * 64, "name": "x", "mime": "image/png", "bytes": 1, "width": 1, "height": 1}
    return {"id": 1, "case_id": case_id, "phase": "before", "added_by_name": "陈静", "added_at": now, **facts}


def test_who_is_bound_to_a_unit_takes_back_what_has_left_it(server: Server) -> None:
    case_id = dispatched(server)
    lihua = server.actor("lihua")
    server.owner.bus.run(SetScope(lihua.account_id, units=(2,)), SYSTEM)
    core, who = server.core("lihua"), server.actor("lihua")
    core.bus.run(Reassign((case_id,), 1, "不属我处"), who)
    with (
        pytest.raises(Refused, match="beyond your scope"),
        core.database.write(who, Reassign((case_id,), 2, "x")) as unit_of_work,
    ):
        unit_of_work.update(case, {case_id: {"unit_id": 2}})
    core.bus.undo(who)


def test_who_is_bound_gives_cases_only_to_the_own_units_and_up(server: Server) -> None:
    case_id = dispatched(server)
    lihua = server.actor("lihua")
    write(
        server.owner.database,
        lambda u: u.insert(unit, [{"id": 3, "code": "301", "name": "供水公司", "kind": "company"}]),
    )
    server.owner.bus.run(SetScope(lihua.account_id, units=(2,)), SYSTEM)
    core, who = server.core("lihua"), server.actor("lihua")
    assert who.targets == {1, 2}
    with pytest.raises(Refused, match="neither within"):
        core.bus.run(Reassign((case_id,), 3, "不属我处"), who)
    with server.psql("lihua") as connection:
        assert connection.execute("SELECT jw_targets()").fetchone() == ([1, 2],)
    for command, change in (
        (Reassign((case_id,), 3, "x"), lambda u: u.update(case, {case_id: {"unit_id": 3}})),
        (AddHelper((case_id,), 3), lambda u: involve(u, [case_id], 3, HELPER)),
    ):
        with (
            pytest.raises(Refused, match="beyond your scope"),
            core.database.write(who, command) as unit_of_work,
        ):
            change(unit_of_work)


def test_the_list_of_duties_says_to_whom_a_district_gives(server: Server) -> None:
    lihua = server.actor("lihua")

    def fill(u: UnitOfWork) -> None:
        for i, above in ((501, None), (502, 501)):
            place = {"id": i, "kind": "district", "code": str(i), "name": str(i), "parent_id": above}
            u.insert(area, [{**place, "lon": 117.1, "lat": 35.1}])
        u.insert(unit, [{"id": 3, "code": "301", "name": "供水公司", "kind": "company"}])
        u.insert(duty, [{"id": 1, "area_id": 502, "unit_id": 3, "valid_from": date(2020, 1, 1)}])

    write(server.owner.database, fill)
    for areas, units in (((501,), ()), ((502,), ()), ((501,), (2,))):
        server.owner.bus.run(SetScope(lihua.account_id, areas, units), SYSTEM)
        with server.psql("lihua") as connection:
            (told,) = connection.execute("SELECT jw_targets()").fetchone() or ()
        assert set(told) == server.actor("lihua").targets, (areas, units)


@pytest.mark.parametrize("hides", [False, True])
def test_other_districts_are_hidden_where_the_setting_says_so(server: Server, hides: bool) -> None:
    own, foreign = dispatched(server), dispatched(server, unit_id=1)
    put_setting(server.owner.database, "scope.hides", hides)
    seen = [own] if hides else [own, foreign]
    with server.psql("chenjing") as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM cases ORDER BY id")]
        steps = {row[0] for row in connection.execute("SELECT case_id FROM case_step")}
        entries = connection.execute("SELECT count(*) FROM journal").fetchone()
    assert ids == seen
    assert steps == set(seen)
    assert (entries == (0,)) is hides
    with server.psql("wangmin") as connection:
        assert len(connection.execute("SELECT id FROM cases").fetchall()) == 2


def test_a_class_and_an_area_bind_as_the_program_has_it(server: Server) -> None:
    first = dispatched(server)
    lihua = server.actor("lihua")
    put_setting(server.owner.database, "scope.hides", True)
    for scope, sees in (
        (SetScope(lihua.account_id, prefixes=("component",)), True),
        (SetScope(lihua.account_id, prefixes=("component 01", "matter")), True),
        (SetScope(lihua.account_id, prefixes=("matter 09",)), False),
        (SetScope(lihua.account_id, units=(1,)), False),
        (SetScope(lihua.account_id, units=(1, 2), prefixes=("component",)), True),
        (SetScope(lihua.account_id), True),
    ):
        server.owner.bus.run(scope, SYSTEM)
        with server.psql("lihua") as connection:
            assert (connection.execute("SELECT id FROM cases").fetchall() == [(first,)]) is sees, scope
        # The program says the same.
        from db.cases.scope import beyond

        with server.owner.database.read() as connection:
            rows = connection.execute(case.select()).mappings().all()
            assert (not beyond(connection, server.actor("lihua"), rows)) is sees


# Telemetry.


def test_nobody_is_put_where_he_is_not(server: Server) -> None:
    with server.psql("lihua") as connection:
        for statement in (
            "INSERT INTO position (person_id, at, lon, lat) VALUES (12, 0, 117, 35)",
            "INSERT INTO track (person_id, at, lon, lat) VALUES (12, 0, 117, 35)",
            "INSERT INTO presence (session, account_id, name, case_id, at)"
            " SELECT 'x', id, '王敏', 0, 0 FROM account WHERE login = 'wangmin'",
        ):
            with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)
    with server.psql("zhangwei") as connection:
        connection.execute("INSERT INTO position (person_id, at, lon, lat) VALUES (12, 0, 117, 35)")
        connection.execute("INSERT INTO track (person_id, at, lon, lat) VALUES (12, 0, 117, 35)")
    with server.psql("lihua") as connection:
        assert connection.execute("SELECT * FROM track").fetchall() == []
    with server.psql("wangmin") as connection:
        assert len(connection.execute("SELECT * FROM track").fetchall()) == 1
