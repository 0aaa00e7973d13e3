"""Random verbs by random officers: whatever they try, a case keeps its place, its clock and its history."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from db.calendars.queries import load_calendar
from db.cases.clock import Span, consumed, elapsed, left
from db.cases.commands.closing import ForceClose
from db.cases.commands.moving import limit_of, load_workflow
from db.cases.commands.requests import ResumeDue
from db.cases.holding import holder_of, unheld
from db.cases.rules import BEFORE_DISPATCH, STAGES, STATES
from db.cases.tables import case, involved, request, span, step, timer
from db.cases.workflow import PREVIOUS
from db.engine.bus import Undo
from db.engine.columns import from_plain
from db.engine.journal import verify
from db.kernel.actor import SYSTEM
from db.kernel.clock import to_ms
from db.kernel.refusal import Refused
from tests.db.engine.kit import rows_of
from tests.flows.bureau import LIFE, PARKS, ROADS, WATER, Bureau, command_of, copy_of

VERBS = (
    "accept", "send_verify", "verify_true", "verify_false", "register", "register", "reject", "void",
    "dispatch", "dispatch", "send_back", "reassign", "add_helper", "receive", "receive", "handle", "handle",
    "ask_return", "grant_return", "refuse_return", "ask_postpone", "grant_postpone", "refuse_postpone",
    "ask_suspend", "grant_suspend", "refuse_suspend", "resume", "send_check", "pass_check", "fail_check",
    "close", "force_close", "supervise", "answer_order", "urge", "ask_appeal", "grant_appeal",
    "refuse_appeal", "merge", "unmerge", "split",
)  # fmt: skip
ROLES = ("acceptor", "collector", "dispatcher", "duty_leader", "handler", "inspector", "leader")
RARE = {
    "force_close", "void", "reject", "verify_false", "merge", "split", "supervise", "urge", "answer_order",
    "send_back", "add_helper",
}  # fmt: skip


class Walk(RuleBasedStateMachine):
    """Up to six cases in a bureau of their own, in a copy of a filled database."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="jw-walk-")
        self.bureau = copy_of(self.template, Path(self.folder.name) / "walk.db")
        self.cases: list[int] = []
        with self.bureau.core.database.read() as connection:
            self.workflow = load_workflow(connection)
            self.calendar = load_calendar(connection)

    @initialize(
        states=st.lists(
            st.sampled_from(["reported", "pending_dispatch", "handling", "suspended", "pending_check"]),
            min_size=2,
            max_size=3,
        )
    )
    def begin(self, states: list[str]) -> None:
        self.cases = [self.bureau.at(state) for state in states]

    @rule(
        verb=st.sampled_from(VERBS),
        role=st.sampled_from(ROLES),
        chosen=st.integers(0, 5),
        unit_id=st.sampled_from([ROADS, WATER, PARKS]),
        condition=st.sampled_from([1, 2, 3]),
        other=st.integers(0, 5),
        kind=st.sampled_from(["fitting", "fitting", "fitting", "rare", "any"]),
        undone=st.sampled_from([False, False, True]),
    )
    def act(
        self,
        verb: str,
        role: str,
        chosen: int,
        unit_id: int,
        condition: int,
        other: int,
        kind: str,
        undone: bool,
    ) -> None:
        case_id, into = (self.cases[i % len(self.cases)] for i in (chosen, other))
        was = self.bureau.row(case_id)
        who = self.bureau.officers[role]
        if kind != "any":
            # Mostly a verb that fits, by an officer who may, so that the walk gets somewhere.
            verbs = self._fitting(case_id, was["state"], rare=kind == "rare")
            if not verbs:
                return
            verb, permission = verbs[VERBS.index(verb) % len(verbs)]
            able = [who for who in self.bureau.officers.values() if who.may(permission)]
            who = able[ROLES.index(role) % len(able)]
        given = {"unit_id": unit_id, "condition": condition, "other": into}
        command = command_of(verb, (case_id,), self.bureau.now, given)
        before, head = self.bureau.dump(), len(self.bureau.entries())
        try:
            result = self.bureau.run(command, who)
        except Refused:
            assert self.bureau.dump() == before
            assert len(self.bureau.entries()) == head
            return
        after = self.bureau.row(case_id)
        row = self.workflow.move(was["state"], verb, who, _EVERYTHING)
        assert row.to_state in (after["state"], PREVIOUS)
        assert self.bureau.verbs(case_id)[-1] == verb
        if undone:
            self.bureau.run(Undo(self.bureau.entries()[-1].seq), who)
            assert self.bureau.dump() == before
        elif verb == "split":
            self.cases = [*self.cases, *result][:6]

    def _fitting(self, case_id: int, state: str, *, rare: bool) -> list[tuple[str, str]]:
        """Verbs that lead on (``rare``: that end a case or lead nowhere), with their permissions."""
        asked = {r["kind"] for r in self.bureau.about(request, case_id) if r["state"] == "pending"}
        found = []
        for move in self.workflow.allowed(state, SYSTEM):
            decides, _, kind = move.verb.partition("_")
            if decides in ("grant", "refuse") and kind not in asked:
                continue
            if (move.verb in RARE) == rare:
                found.append((move.verb, move.permission))
        return found

    @rule(minutes=st.sampled_from([1, 20, 90, 400, 3000, 6000]))
    def wait(self, minutes: int) -> None:
        self.bureau.wait(minutes=minutes)
        self.bureau.run(ResumeDue(), SYSTEM)
        assert self.bureau.run(ResumeDue(), SYSTEM) == 0

    @invariant()
    def each_case_has_one_holder_or_has_ended(self) -> None:
        with self.bureau.core.database.read() as connection:
            assert unheld(connection) == []
        for case_id in self.cases:
            row = self.bureau.row(case_id)
            is_open = STATES[row["state"]].open
            assert (row["closed_at"] is None) == is_open
            assert (holder_of(row) is not None) == is_open
            assert (row["merged_into_id"] is not None) == (row["state"] == "merged")
            main = [
                i["unit_id"]
                for i in self.bureau.about(involved, case_id)
                if i["role"] == "main" and i["until"] is None
            ]
            assert main == ([] if row["unit_id"] is None else [row["unit_id"]])
            if is_open:
                assert (row["unit_id"] is None) == (row["state"] in BEFORE_DISPATCH)
            stages = [t["stage"] for t in self.bureau.about(timer, case_id) if t["ended_at"] is None]
            assert stages == ([STAGES[row["state"]]] if is_open else [])

    @invariant()
    def times_never_run_backwards(self) -> None:
        for case_id in self.cases:
            moments = [row["at"] for row in self.bureau.about(step, case_id)]
            assert moments == sorted(moments)
            assert moments[-1] <= self.bureau.now
            for table in (span, timer):
                assert all(
                    row["ended_at"] is None or row["began_at"] <= row["ended_at"]
                    for row in self.bureau.about(table, case_id)
                )

    @invariant()
    def spans_tile_the_time_since_dispatch(self) -> None:
        for case_id in self.cases:
            row, spans = self.bureau.row(case_id), self.bureau.about(span, case_id)
            assert bool(spans) == (row["dispatched_at"] is not None)
            if not spans:
                continue
            assert spans[0]["began_at"] == row["dispatched_at"]
            assert all(a["ended_at"] == b["began_at"] for a, b in pairwise(spans))
            assert spans[-1]["ended_at"] == row["closed_at"]
            if row["closed_at"] is None:
                runs = row["state"] in ("pending_handle", "handling")
                assert (spans[-1]["kind"] == "running") == runs
                assert (row["paused_at"] is None) == runs

    @invariant()
    def consumed_and_left_make_up_the_limit(self) -> None:
        for case_id in self.cases:
            row = self.bureau.row(case_id)
            limit = limit_of(row)
            if row["due_at"] is None or limit is None:
                continue
            spans = [
                Span(
                    s["kind"],
                    s["cause"],
                    to_ms(s["began_at"]),
                    None if s["ended_at"] is None else to_ms(s["ended_at"]),
                )
                for s in self.bureau.about(span, case_id)
            ]
            stands = row["paused_at"] or row["closed_at"] or self.bureau.now
            at, due = to_ms(stands), to_ms(row["due_at"])
            rest = left(spans, limit, row["extensions"], self.calendar, at)
            total = limit.length_ms * (1 + row["extensions"])
            assert consumed(spans, limit, self.calendar, at) + rest == total
            if due >= at:
                assert rest == elapsed(self.calendar, limit, at, due)
            else:
                assert rest <= 0
            assert row["soon_at"] <= row["due_at"]

    def teardown(self) -> None:
        try:
            self._all_can_end()
            self._journal_replays()
        finally:
            self.bureau.core.close()
            self.folder.cleanup()

    def _all_can_end(self) -> None:
        for case_id in self.cases:
            if STATES[self.bureau.row(case_id)["state"]].open:
                self.bureau.run(ForceClose((case_id,), "收尾"), "duty_leader")

    def _journal_replays(self) -> None:
        with self.bureau.core.database.read() as connection:
            assert verify(connection).whole
        tables = {table.name: table for table in LIFE}
        replayed: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in tables}
        for entry in self.bureau.entries():
            for name, diffs in entry.changes.items():
                if name not in tables:
                    continue
                for row_id, diff in diffs:
                    row = replayed[name].setdefault(row_id, {})
                    row |= {
                        column: from_plain(tables[name].c[column], pair[1]) for column, pair in diff.items()
                    }
                    if "id" in diff and diff["id"][1] is None:
                        del replayed[name][row_id]
        for name, table in tables.items():
            found = rows_of(self.bureau.core.database, table)
            complete = {i: {c: row.get(c) for c in table.c.keys()} for i, row in replayed[name].items()}  # noqa: SIM118
            assert complete == found, name


_EVERYTHING = frozenset({"unit", "reason", "condition", "note", "photo", "document", "approval"})


@pytest.mark.parametrize("examples,steps", [(25, 30)])
def test_random_officers_never_break_a_case(bureau_file: Path, examples: int, steps: int) -> None:
    walk = type("WalkInBureau", (Walk,), {"template": bureau_file})
    run_state_machine_as_test(
        walk, settings=settings(settings.default, max_examples=examples, stateful_step_count=steps)
    )


def test_from_every_state_there_is_a_way_to_an_end(bureau: Bureau) -> None:
    with bureau.core.database.read() as connection:
        workflow = load_workflow(connection)
    leads = {code: {move.to_state for move in workflow.allowed(code, SYSTEM)} for code in STATES}
    ends = {code for code, state in STATES.items() if not state.open}
    reaching = set(ends)
    while more := {code for code, places in leads.items() if places & reaching} - reaching:
        reaching |= more
    assert reaching == set(STATES)


def test_every_state_can_be_reached(bureau: Bureau) -> None:
    for state in STATES:
        assert bureau.row(bureau.at(state))["state"] == state
        bureau.wait(minutes=1)
    assert timedelta(0) < bureau.now - bureau.row(min(rows_of(bureau.core.database, case)))["reported_at"]
