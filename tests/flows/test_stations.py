"""Three stations and a server: whatever is done, cut, lost, sent twice or killed, one truth comes of it.

``JINGWEI_STATIONS=200`` in the environment takes so many walks, other ones each time.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from db.cases.commands.dispatch import Dispatch, Reassign
from db.cases.commands.intake import Accept, Register, Report
from db.cases.commands.marking import SetPriority, TagCases, UntagCases
from db.cases.commands.orders import Urge
from db.cases.rules import STATES
from db.cases.tables import case
from db.engine.journal import verify
from db.engine.outbox import DONE, DROPPED, PARKED, PARTLY, WAITING
from db.engine.tables import journal
from db.kernel.clock import to_ms
from db.kernel.refusal import Refused, Unavailable
from db.search.index import is_ready, rebuild
from db.sync.incoming import mirrored
from db.sync.rebase import MOOT
from tests.flows.bureau import CONDITIONS, COVER, PARKS, ROADS, WATER, command_of
from tests.kit.network import Killed, Network, lost
from tests.kit.postgres import PostgresServer

WALKS = int(os.environ.get("JINGWEI_STATIONS", "0"))
POSTS = {
    "north": ("wang", "li", "roads"),
    "middle": ("sun", "zhao", "water"),
    "south": ("chen", "li", "sun"),
}
# What leads on from each state, mostly; the rest is refused by the rules, and that is part of the walk.
FITTING = {
    "reported": ("accept", "accept", "send_verify"),
    "pending_verify": ("verify_true",),
    "pending_register": ("register",),
    "pending_dispatch": ("dispatch", "dispatch", "split"),
    "pending_handle": ("receive", "reassign", "urge"),
    "handling": ("handle", "reassign", "ask_return", "ask_postpone", "supervise"),
    "pending_check": ("pass_check", "fail_check"),
    "pending_close": ("close",),
    "merged": ("unmerge",),
}
ANYTIME = ("void", "merge", "grant_return", "grant_postpone", "refuse_postpone", "answer_order", "add_helper")

posts = st.sampled_from(list(POSTS))
people = st.integers(0, 2)
places = st.integers(0, 40)
units = st.sampled_from([ROADS, WATER, PARKS])


class Stations(RuleBasedStateMachine):
    """Three stations in a copy of a network; each may be cut off, killed, and have a wrong clock."""

    network: ClassVar[Network]
    seen: ClassVar[Counter[str]] = Counter()
    """What became of the acts of all walks: a walk in which nothing is parked proves little."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="jw-stations-")
        self._copy = self.network.copy_to(Path(self._folder.name))
        self.server, self.posts = self._copy.__enter__()
        self.numbers: dict[int, str] = {}
        self.acts: set[int] = set()

    def teardown(self) -> None:
        try:
            self.come_together()
            self.look()
        finally:
            self._copy.__exit__(None, None, None)
            self._folder.cleanup()

    @initialize(skews=st.lists(st.integers(-40_000, 40_000), min_size=3, max_size=3))
    def begin(self, skews: list[int]) -> None:
        """Four cases that all know, two of them wanted by two supervisors, and clocks that are wrong."""
        north, south = self.posts["north"], self.posts["south"]
        for text in ("井盖丢失", "路灯不亮", "污水外溢", "占道经营"):
            self.report("north", text)
        *late, _new = north.rows(case)
        north.run(Accept(tuple(late)), "wang")
        north.sync()
        south.sync()
        for case_id in late:
            south.run(Register((case_id,), CONDITIONS[2]), "chen")
        south.run(Dispatch(tuple(late[:2]), ROADS), "li")
        self._note_acts("north")
        self._note_acts("south")
        for name, skew in zip(("south", "middle", "north"), skews, strict=True):
            self.posts[name].sync()
            self.posts[name].clock.ahead = timedelta(milliseconds=skew)
        self._do("south", Reassign(tuple(late[:1]), PARKS, "不属我处"), "li")
        self._do("middle", Reassign(tuple(late[:2]), WATER, "不属我处", leave_out=True), "zhao")

    # What people do.

    @rule(post=posts, text=st.sampled_from(["井盖破损", "污水外溢", "占道经营"]))
    def report(self, post: str, text: str) -> None:
        here = self.posts[post]
        who = next(each for each in here.people if each in ("wang", "sun", "li"))
        case_id = self._do(post, Report("hotline", COVER, text, reporter_name="张三"), who)
        if case_id is not None:
            self.numbers[case_id] = here.rows(case)[case_id]["number"]

    @rule(
        post=posts,
        acts=st.lists(st.tuples(people, places, st.integers(0, 20), units), min_size=1, max_size=4),
    )
    def move_on(self, post: str, acts: list[tuple[int, int, int, int]]) -> None:
        """Some cases go on, mostly by who may and as they should."""
        for who, place, verb, unit_id in acts:
            cases = self._cases(post)
            chosen = cases[place % len(cases)]
            verbs = (*FITTING.get(chosen["state"], ()) * 3, *ANYTIME)
            given = {"unit_id": unit_id, "other": cases[(place + 1) % len(cases)]["id"], "condition": 2}
            now = self.posts[post].clock.now()
            command = command_of(verbs[verb % len(verbs)], (chosen["id"],), now, given)
            for person in (*POSTS[post][who:], *POSTS[post]):
                if self._do(post, command, person) is not None:
                    break

    @rule(post=posts, acts=st.lists(st.tuples(people, places, st.integers(0, 6)), min_size=1, max_size=4))
    def mark(self, post: str, acts: list[tuple[int, int, int]]) -> None:
        """What leads nowhere: tags, priorities, reminders."""
        for who, place, mark in acts:
            cases = self._cases(post)
            ids = (cases[place % len(cases)]["id"],)
            marks = [TagCases(ids, "防汛"), UntagCases(ids, "防汛"), TagCases(ids, "学校"), Urge(ids, "快")]
            marks += [SetPriority(ids, n, "学校旁") for n in (0, 1, 2)]
            self._do(post, marks[mark], POSTS[post][who])

    @rule(post=posts, who=people, leave_out=st.booleans(), unit=units)
    def many_cases(self, post: str, who: int, leave_out: bool, unit: int) -> None:
        ids = tuple(row["id"] for row in self._cases(post))[:8]
        for command in (
            Accept(ids, leave_out=leave_out),
            Reassign(ids, unit, "不属我处", leave_out=leave_out),
            TagCases(ids, "整治", leave_out=leave_out),
        ):
            if ids and self._do(post, command, POSTS[post][who]) is not None:
                return

    @rule(post=posts, who=people)
    def take_back(self, post: str, who: int) -> None:
        with suppress(Refused):
            self.posts[post].undo(POSTS[post][who])
        self._note_acts(post)

    @rule(place=places)
    def somebody_at_the_server(self, place: int) -> None:
        rows = list(self.server.rows(case).values())
        if rows:
            chosen = rows[place % len(rows)]
            verb = FITTING.get(chosen["state"], ("urge",))[0]
            command = command_of(verb, (chosen["id"],), self.posts["north"].clock.now(), {})
            for login in ("zhao", "chen", "wang"):
                with suppress(Refused):
                    self.server.run(command, login)
                    return

    # What the line does, and the power.

    @rule(post=posts, as_computed=st.booleans())
    def one_turn(self, post: str, as_computed: bool) -> None:
        self.posts[post].sync(as_computed=as_computed)

    @rule(post=posts)
    def only_send(self, post: str) -> None:
        self.posts[post].push()

    @rule(post=posts)
    def only_take_over(self, post: str) -> None:
        self.posts[post].pull()

    @rule(post=posts, commit=st.integers(1, 6), after=st.booleans(), dead=st.booleans())
    def fail_in_between(self, post: str, commit: int, after: bool, dead: bool) -> None:
        """The line is cut, or the program killed, at some commit of a turn, here or on the server."""
        here = self.posts[post]
        here.faults.count, here.faults.after, here.faults.kind = commit, after, Killed if dead else lost
        try:
            here.sync()
        except (Killed, Unavailable) as trouble:
            self.seen[type(trouble).__name__] += 1
        here.faults.count = 0
        if dead:
            here.restart()

    @rule(post=posts, who=people)
    def come_or_go(self, post: str, who: int) -> None:
        self.posts[post].signed_in ^= {POSTS[post][who]}

    @rule(post=posts, place=places)
    def deliver_again(self, post: str, place: int) -> None:
        """Old acts arrive once more, in any order."""
        here = self.posts[post]
        known = [i for i, act in here.acts().items() if act.state in (DONE, PARTLY)]
        if known:
            here.signed_in |= set(here.people)
            here.deliver_again(known[place % len(known)])

    @rule(post=posts, skew=st.integers(-40_000, 40_000))
    def set_the_clock(self, post: str, skew: int) -> None:
        self.posts[post].clock.ahead = timedelta(milliseconds=skew)

    # What must be true of it.

    def come_together(self) -> None:
        """Everybody is there, the line stands, and each has its turn until nothing is left to tell."""
        for post in self.posts.values():
            post.faults.count = 0
            post.signed_in |= set(post.people)
        for _round in range(3):
            for post in self.posts.values():
                post.sync()

    def look(self) -> None:
        sent: dict[int, str] = {}
        for name, post in self.posts.items():
            assert post.differences() == [], name
            acts = post.acts()
            states = Counter(act.state for act in acts.values())
            self.seen.update(states)
            assert not states[WAITING], name
            sent |= {i: act.state for i, act in acts.items()}
            for act in acts.values():
                if act.state == PARKED:
                    assert act.refusal["code"]
                elif act.state == DROPPED:
                    self._look_at_dropped(act, acts)
            with post.local.read() as connection:
                assert verify(connection).whole, name
                assert is_ready(connection)
            terms = post.terms()
            rebuild(post.local)
            assert post.terms() == terms, name
        assert self.acts <= sent.keys(), "an act is lost"
        with self.server.owner.read() as connection:
            assert verify(connection).whole
            entries = connection.execute(select(journal).order_by(journal.c.seq)).all()
        told = Counter(entry.operation for entry in entries if entry.operation is not None)
        assert set(told.values()) <= {1}
        assert set(told) == {i for i, state in sent.items() if state in (DONE, PARTLY)}
        self._look_at_values(entries)
        rows = self.server.rows(case)
        for case_id, number in self.numbers.items():
            if case_id in rows:
                assert rows[case_id]["number"] == number, "renumbered"

    def _look_at_dropped(self, act: Any, acts: dict[int, Any]) -> None:
        """Given up without a question: only what was so already, what was taken back, or what nobody did."""
        refusal = act.refusal
        every = [each["code"] for each in refusal.get("all", [refusal])]
        undone = any(
            other.command == "undo" and other.arguments["operation"] == act.id for other in acts.values()
        )
        assert act.actor_id == 0 or act.command == "undo" or undone or MOOT.issuperset(every), act

    def _look_at_values(self, entries: list[Any]) -> None:
        """No value was overwritten in silence: each entry begins where the one before it ended."""
        known: dict[tuple[str, int], dict[str, Any]] = {}
        names = {table.name for table in mirrored() if "case_id" in table.c or table is case}
        for entry in entries:
            for name, rows in entry.changes.items():
                if name not in names:
                    continue
                for row_id, diff in rows:
                    row = known.setdefault((name, row_id), {})
                    for column, (before, after) in diff.items():
                        assert row.get(column) == before, (entry.seq, entry.command, name, row_id, column)
                        row[column] = after
        for table in mirrored():
            if table.name in names:
                for row_id, row in self.server.rows(table).items():
                    for column, value in known[table.name, row_id].items():
                        there = to_ms(row[column]) if hasattr(row[column], "tzinfo") else row[column]
                        assert there == value, (table.name, row_id, column)

    def _cases(self, post: str) -> list[dict[str, Any]]:
        rows = self.posts[post].rows(case)
        return [rows[i] for i in sorted(rows) if STATES[rows[i]["state"]].open or rows[i]["merged_into_id"]]

    def _do(self, post: str, command: Any, who: str) -> Any:
        try:
            return self.posts[post].run(command, who)
        except Refused:
            return None
        finally:
            self._note_acts(post)

    def _note_acts(self, post: str) -> None:
        self.acts |= self.posts[post].acts().keys()


@pytest.fixture(scope="module")
def network(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network(postgres, tmp_path_factory.mktemp("stations"), POSTS)


def test_three_stations_and_a_server_come_to_one_truth(network: Network) -> None:
    Stations.network = network
    Stations.seen.clear()
    run_state_machine_as_test(
        Stations,
        settings=settings(
            max_examples=WALKS or 8,
            stateful_step_count=60 if WALKS else 30,
            derandomize=not WALKS,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink] if WALKS else [Phase.generate],
        ),
    )
    for fate in (DONE, PARKED, DROPPED, PARTLY):
        assert Stations.seen[fate], f"no act was {fate}: the walks prove little"
