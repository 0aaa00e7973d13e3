"""What a station did comes to the server once, in its order, in the name of who did it, at its own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from db.cases.commands.dispatch import Dispatch, Reassign
from db.cases.commands.handling import Receive
from db.cases.commands.intake import Accept, Register, Report
from db.cases.commands.marking import SetPriority, TagCases
from db.cases.commands.merging import Merge
from db.cases.commands.requests import AskSuspend, Grant, ResumeDue
from db.cases.tables import case, reporter, step, tag
from db.desk.queries import own_acts
from db.engine.bus import Bus, Undo
from db.engine.outbox import DONE, DROPPED, PARKED, PARTLY, WAITING
from db.engine.tables import journal
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Unavailable
from db.sync.skew import correct, keep_time, measure
from db.sync.tray import do_again, drop, read_tray
from tests.db.sync.conftest import Pair
from tests.db.sync.test_merging import dispatched, in_step
from tests.flows.bureau import CONDITIONS, COVER, PARKS, ROADS, WATER
from tests.kit.network import Killed, Post, Server, lost
from tests.kit.refusals import refused


def reported(post: Post, text: str = "井盖丢失", **more: str) -> int:
    who = "wang" if "wang" in post.people else "sun"
    return int(post.run(Report("hotline", COVER, text, **more), who))


def entries(server: Server, command: str = "") -> list[object]:
    with server.owner.read() as connection:
        found = connection.execute(select(journal).order_by(journal.c.seq)).all()
    return [entry for entry in found if entry.operation is not None and entry.command.startswith(command)]


def states(post: Post) -> list[str]:
    return [act.state for act in post.acts().values()]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("commit", [1, 2, 3])
@pytest.mark.parametrize("kind", [Killed, lost])
def test_an_act_comes_once_wherever_it_was_cut(pair: Pair, commit: int, after: bool, kind: object) -> None:
    """A contact makes the act take the long way: sent alone, and taken over as the server made it."""
    east = pair.east
    for n in range(2):
        reported(east, f"井盖 {n}", reporter_name="张三", reporter_phone="13812345678")
    east.faults.count, east.faults.after, east.faults.kind = commit, after, kind
    with pytest.raises((Killed, Unavailable)):
        east.sync()
    east.restart()
    east.sync()
    in_step(pair)
    assert len(entries(pair.server, "case.report")) == 2
    assert states(east) == [DONE, DONE]


def test_a_second_delivery_is_known_by_its_number(pair: Pair) -> None:
    case_id = reported(pair.east)
    pair.east.run(TagCases((case_id,), "防汛"), "li")
    pair.east.sync()
    for operation in reversed(pair.east.acts()):
        pair.east.deliver_again(operation)
    assert len(entries(pair.server)) == 2


def test_a_number_made_without_a_line_is_never_changed(pair: Pair) -> None:
    east, west = reported(pair.east), reported(pair.west)
    numbers = {i: post.rows(case)[i]["number"] for i, post in ((east, pair.east), (west, pair.west))}
    assert len(set(numbers.values())) == 2
    pair.west.sync()
    in_step(pair)
    assert {i: row["number"] for i, row in pair.server.rows(case).items()} == numbers


def test_acts_wait_for_their_own_person_and_so_does_what_stands_on_them(pair: Pair) -> None:
    east = pair.east
    first, second = reported(east, "一"), reported(east, "二")
    east.sync()
    east.signed_in = {"li"}
    east.run(Accept((first,)), "wang")
    east.run(TagCases((first,), "防汛"), "li")
    east.run(TagCases((second,), "防汛"), "li")
    pushed = east.push()
    assert list(pushed.held.values()) == ["王敏", "李华"]
    assert states(east)[-3:] == [WAITING, WAITING, DONE]
    east.signed_in = {"li", "wang"}
    in_step(pair)
    assert set(states(east)) == {DONE}


def test_what_stands_on_a_refused_act_lies_in_the_tray_with_it(pair: Pair) -> None:
    case_id = dispatched(pair)
    ids = (case_id,)
    pair.east.run(Reassign(ids, PARKS, "不属"), "li")
    pair.east.sync()
    pair.west.run(Reassign(ids, WATER, "不属"), "zhao")
    pair.west.run(Reassign(ids, PARKS, "不属"), "zhao")
    in_step(pair)
    assert states(pair.west) == [PARKED, PARKED]
    with pair.west.local.read() as connection:
        laid = read_tray(connection)
    assert [each.label for each in laid] == ["Reassign cases"] * 2
    (side,) = laid[0].cases
    assert (side.who, side.verb) == ("李华", "reassign")
    assert {each.column: (each.mine, each.theirs) for each in side.contrasts}["unit_id"] == (WATER, PARKS)
    assert "李华" in laid[0].refusal.text()


def test_what_was_taken_back_here_is_not_asked_about(pair: Pair) -> None:
    ids = (dispatched(pair),)
    pair.east.run(Reassign(ids, PARKS, "不属"), "li")
    pair.east.sync()
    pair.west.run(Reassign(ids, WATER, "不属"), "zhao")
    pair.west.undo("zhao")
    in_step(pair)
    assert states(pair.west) == [DROPPED, DROPPED]


def test_an_act_that_the_server_has_is_taken_back_there(pair: Pair) -> None:
    ids = (dispatched(pair),)
    pair.west.run(Reassign(ids, WATER, "不属"), "zhao")
    pair.west.sync()
    pair.west.undo("zhao")
    in_step(pair)
    assert pair.server.rows(case)[ids[0]]["unit_id"] == ROADS
    with pair.server.owner.read() as connection:
        undone = connection.execute(select(journal.c.undoes).where(journal.c.undoes.is_not(None))).scalars()
        assert len(list(undone)) == 1


@pytest.mark.parametrize("private", [{}, {"reporter_name": "张三"}])
@pytest.mark.parametrize("as_computed", [True, False])
def test_all_that_was_done_and_taken_back_without_a_line_comes_and_goes(
    pair: Pair, private: dict[str, str], as_computed: bool
) -> None:
    """What is taken over between two undos is what this very station did: nobody touched it since."""
    case_id = reported(pair.east, **private)
    pair.east.run(Accept((case_id,)), "wang")
    pair.east.undo("wang")
    pair.east.undo("wang")
    pair.east.sync(as_computed=as_computed)
    assert states(pair.east) == [DONE] * 4
    in_step(pair)
    assert pair.server.rows(case) == {}


def test_what_somebody_else_has_taken_back_touches_nothing(pair: Pair) -> None:
    ids = (dispatched(pair),)
    pair.west.run(TagCases(ids, "防汛"), "zhao")
    pair.west.sync()
    pair.east.sync()
    pair.east.run(SetPriority(ids, 2, "医院旁"), "li")
    pair.east.sync()
    pair.west.pull()
    with refused("changed_since"):
        pair.west.undo("zhao")
    pair.east.undo("li")
    pair.east.sync()
    pair.west.pull()
    pair.west.undo("zhao")
    in_step(pair)
    assert pair.server.rows(tag) == {}
    assert set(states(pair.west)) == {DONE}


def test_what_was_refused_touches_nothing(pair: Pair) -> None:
    """An act in the tray does not stand between an older one and its undo."""
    ids = (dispatched(pair),)
    pair.west.run(TagCases(ids, "防汛"), "zhao")
    pair.west.run(Receive(ids), "roads")
    with pair.server.owner.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM transition WHERE verb = 'receive'")
    pair.west.sync()
    assert states(pair.west) == [DONE, PARKED]
    pair.west.undo("zhao")
    pair.west.sync()
    assert states(pair.west) == [DONE, PARKED, DONE]
    assert pair.server.rows(tag) == {}


def test_an_older_act_is_taken_back_by_what_it_was_not_by_its_number_here(pair: Pair) -> None:
    """Out of the list of one's own acts; entries of a station are numbered otherwise than the server's."""
    first, second = (dispatched(pair),), (dispatched(pair),)
    pair.west.run(TagCases(first, "防汛"), "zhao")
    pair.west.run(TagCases(second, "学校"), "zhao")
    pair.server.run(SetPriority(second, 2, "医院旁"), "li")
    in_step(pair)
    with pair.west.local.read() as connection:
        later, earlier = own_acts(connection, pair.west.actors["zhao"])
    with refused("changed_since"):
        pair.west.run(Undo(later.seq), "zhao")
    pair.west.run(Undo(earlier.seq, leave_out=True), "zhao")
    in_step(pair)
    assert {row["word"] for row in pair.server.rows(tag).values()} == {"学校"}
    assert set(states(pair.west)) == {DONE}
    with pair.west.local.read() as connection:
        assert [act.seq for act in own_acts(connection, pair.west.actors["zhao"])] == [later.seq]


def test_of_many_the_server_may_leave_out_some_and_that_is_told(pair: Pair) -> None:
    first, second = dispatched(pair), dispatched(pair)
    pair.east.run(Reassign((second,), PARKS, "不属"), "li")
    pair.east.sync()
    pair.west.run(Reassign((first, second), WATER, "不属", leave_out=True), "zhao")
    in_step(pair)
    rows = pair.west.rows(case)
    assert (rows[first]["unit_id"], rows[second]["unit_id"]) == (WATER, PARKS)
    assert states(pair.west) == [PARTLY]
    with pair.west.local.read() as connection:
        (laid,) = read_tray(connection)
    assert [side.case_id for side in laid.cases] == [second]
    assert laid.command.case_ids == (second,)
    with refused("not_yours"):
        do_again(Bus(pair.west.local), pair.west.actors["sun"], laid.operation, laid.command)
    do_again(Bus(pair.west.local), pair.west.actors["zhao"], laid.operation, laid.command)
    in_step(pair)
    assert pair.server.rows(case)[second]["unit_id"] == WATER
    assert states(pair.west) == [DONE, DONE]


def test_a_report_done_again_keeps_its_number(pair: Pair) -> None:
    case_id = reported(pair.east)
    number = pair.east.rows(case)[case_id]["number"]
    with pair.server.owner.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE role SET permissions = '[]' WHERE code IN ('acceptor', 'collector')"
        )
    pair.east.sync()
    assert states(pair.east) == [PARKED]
    with pair.server.owner.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE role SET permissions = '[\"case.report\"]' WHERE code IN ('acceptor', 'collector')"
        )
    operation = next(iter(pair.east.acts()))
    with pair.east.local.read() as connection:
        (laid,) = read_tray(connection)
    do_again(Bus(pair.east.local), pair.east.actors["wang"], operation, laid.command)
    pair.east.sync()
    assert pair.server.rows(case)[case_id]["number"] == number
    assert states(pair.east) == [DROPPED, DONE]


def test_dropping_stays_in_the_servers_journal(pair: Pair) -> None:
    ids = (dispatched(pair),)
    pair.east.run(Reassign(ids, PARKS, "不属"), "li")
    pair.east.sync()
    pair.west.run(Reassign(ids, WATER, "不属"), "zhao")
    pair.west.sync()
    (operation,) = pair.west.acts()
    drop(pair.west.local, pair.west.actors["zhao"], operation, "已由他人处理")
    with refused("not_in_tray"):
        drop(pair.west.local, pair.west.actors["zhao"], operation, "再次")
    in_step(pair)
    (entry,) = entries(pair.server, "sync.drop")
    assert entry.arguments["operation"] == operation
    assert entry.actor_name == "赵强"


def test_contacts_lie_on_the_server_only(pair: Pair) -> None:
    case_id = reported(pair.east, reporter_name="欧阳丹丹", reporter_phone="13912345678")
    pair.east.sync()
    assert pair.east.rows(reporter) == {}
    (act,) = pair.east.acts().values()
    assert (act.arguments["reporter_name"], act.arguments["reporter_phone"]) == ("", "")
    (row,) = pair.server.rows(reporter).values()
    assert (row["case_id"], row["name"]) == (case_id, "欧阳丹丹")


def test_two_merge_each_others_case(pair: Pair) -> None:
    first, second = dispatched(pair), dispatched(pair)
    pair.east.run(Merge((first,), second), "wang")
    pair.west.run(Merge((second,), first), "sun")
    pair.east.sync()
    in_step(pair)
    assert states(pair.west) == [PARKED]
    assert pair.server.rows(case)[second]["merged_into_id"] is None


def test_two_supervisors_in_the_same_second(pair: Pair) -> None:
    ids = (dispatched(pair),)
    pair.east.run(Reassign(ids, PARKS, "不属"), "li")
    pair.west.run(Reassign(ids, WATER, "不属"), "zhao")
    pair.west.sync()
    pair.east.sync()
    assert states(pair.west) == [DONE]
    with pair.east.local.read() as connection:
        (laid,) = [each for each in read_tray(connection) if each.refusal]
    assert "赵强" in laid.refusal.text()
    assert pair.east.rows(case)[ids[0]]["unit_id"] == WATER


def test_the_limit_runs_from_the_act_and_not_from_its_sending(pair: Pair) -> None:
    pair.east.clock.ahead = timedelta(hours=-3)
    case_id = reported(pair.east)
    ids = (case_id,)
    pair.east.run(Accept(ids), "wang")
    pair.east.run(Register(ids, CONDITIONS[2]), "chen")
    pair.east.run(Dispatch(ids, ROADS), "li")
    due = pair.east.rows(case)[case_id]["due_at"]
    pair.east.sync(as_computed=False)
    assert pair.server.rows(case)[case_id]["due_at"] == due
    at = [row["at"] for row in pair.server.rows(step).values() if row["verb"] == "dispatch"]
    assert abs(at[0] - (datetime.now(UTC) - timedelta(hours=3))) < timedelta(minutes=10)


@pytest.mark.parametrize("as_computed", [True, False])
def test_no_act_lies_in_the_servers_future(pair: Pair, as_computed: bool) -> None:
    pair.east.clock.ahead = timedelta(hours=5)
    case_id = reported(pair.east)
    pair.east.run(TagCases((case_id,), "防汛"), "li")
    pair.east.sync(as_computed=as_computed)
    in_step(pair)
    moments = [entry.at for entry in entries(pair.server)]
    assert moments == sorted(moments)
    assert moments[-1] <= datetime.now(UTC) + timedelta(seconds=5)
    assert states(pair.east) == [DONE, DONE]


def test_what_was_done_too_long_ago_is_refused_with_a_sentence_and_not_lost(pair: Pair) -> None:
    pair.east.clock.ahead = timedelta(days=-40)
    reported(pair.east)
    pair.east.clock.ahead = timedelta()
    pair.east.sync()
    (act,) = pair.east.acts().values()
    assert (act.state, act.refusal["code"]) == (PARKED, "bad_moment")
    assert pair.east.differences() == []


def test_a_clock_that_is_known_to_be_wrong_is_set_right(pair: Pair) -> None:
    east = pair.east
    east.clock.ahead = timedelta(minutes=30)
    clock = keep_time(east.local)
    with pair.server.owner.read() as connection:
        correct(east.local, measure(connection, clock))
    case_id = reported(east)
    assert abs(east.rows(case)[case_id]["reported_at"] - datetime.now(UTC)) < timedelta(seconds=20)
    east.restart()
    assert abs(keep_time(east.local).now() - datetime.now(UTC)) < timedelta(seconds=20)


def test_acts_keep_their_order_when_the_clock_is_set_back(pair: Pair) -> None:
    case_id = reported(pair.east)
    pair.east.clock.ahead = timedelta(minutes=-20)
    pair.east.run(Accept((case_id,)), "wang")
    first, second = pair.east.acts().values()
    assert first.at <= second.at


def test_an_act_that_finds_nothing_left_to_do_is_known_all_the_same(pair: Pair) -> None:
    ids = (dispatched(pair),)
    for post, who in ((pair.east, "li"), (pair.west, "zhao")):
        post.run(TagCases(ids, "防汛"), who)
    in_step(pair)
    assert states(pair.west) == [DROPPED]
    assert len(pair.server.rows(tag)) == 1
    pair.west.run(Receive(ids), "roads")
    pair.west.run(SetPriority(ids, 2, "学校旁"), "zhao")
    in_step(pair)
    assert states(pair.west) == [DROPPED, DONE, DONE]


def test_what_time_does_of_itself_is_done_at_every_station_and_once_on_the_server(pair: Pair) -> None:
    east, west = pair.east, pair.west
    west.clock.ahead = timedelta(hours=-3)
    ids = (dispatched(pair),)
    west.run(Receive(ids), "roads")
    west.run(AskSuspend(ids, "待预算", datetime.now(UTC) - timedelta(hours=1), "批文一号"), "roads")
    west.run(Grant(ids, "suspend", "同意"), "zhao")
    in_step(pair)
    assert east.rows(case)[ids[0]]["state"] == "suspended"
    west.clock.ahead = timedelta()
    for post in (east, west):
        Bus(post.local).run(ResumeDue(), SYSTEM)
        assert post.rows(case)[ids[0]]["state"] == "handling"
    in_step(pair)
    assert pair.server.rows(case)[ids[0]]["state"] == "handling"
    assert [row["verb"] for row in pair.server.rows(step).values()].count("resume") == 1
    assert PARKED not in {*states(east), *states(west)}, "nobody is asked about it"


def test_who_is_shut_out_meanwhile_finds_it_in_the_tray(pair: Pair) -> None:
    """The act was done in good faith by somebody whose account was closed before the line came back."""
    ids = (dispatched(pair),)
    pair.west.run(TagCases(ids, "防汛"), "zhao")
    with pair.server.owner.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE account SET active = false WHERE login = 'zhao'")
    pair.west.sync()
    (act,) = pair.west.acts().values()
    assert act.state == PARKED
    assert pair.server.rows(tag) == {} == pair.west.rows(tag)
