"""Duplicates go on inside another case, come out again as they were, and a case falls into parts."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from db.cases.commands.handling import Handle
from db.cases.commands.merging import Merge, Split, Unmerge
from db.cases.tables import span
from db.kernel.refusal import Refused
from db.registers.tables import condition
from tests.flows.bureau import COVER, PARKS, Bureau


def test_a_duplicate_ends_inside_the_other_which_keeps_its_place(bureau: Bureau) -> None:
    kept, again = bureau.at("handling"), bureau.reported(reporter_name="赵六")
    bureau.run(Merge((again,), kept), "acceptor")
    row = bureau.row(again)
    assert (row["state"], row["merged_into_id"], row["closed_at"]) == ("merged", kept, bureau.now)
    assert bureau.row(kept)["state"] == "handling"
    assert bureau.verbs(kept)[-1] == "joined"


@pytest.mark.parametrize(
    "state",
    ["reported", "pending_verify", "pending_dispatch", "pending_handle", "suspended", "pending_check"],
)
def test_taken_out_it_stands_where_it_stood_and_no_time_was_lost(bureau: Bureau, state: str) -> None:
    kept, case_id = bureau.at("handling"), bureau.at(state)
    before = bureau.row(case_id)
    bureau.run(Merge((case_id,), kept), "acceptor")
    bureau.wait(days=1)
    bureau.run(Unmerge((case_id,), "并非同一处"), "acceptor")
    after = bureau.row(case_id)
    moved = timedelta(days=1) if state == "pending_handle" else timedelta(0)
    for name in ("due_at", "soon_at"):
        assert after.pop(name) == (before[name] and before[name] + moved)
        before.pop(name)
    assert {**after, "version": 0} == {**before, "version": 0}
    spans = bureau.about(span, case_id)
    assert all(a["ended_at"] == b["began_at"] for a, b in pairwise(spans))
    if spans:
        assert spans[-2]["cause"] == "merge"
        assert spans[-1]["ended_at"] is None


def test_what_cannot_be_merged(bureau: Bureau) -> None:
    open_, other, ended = bureau.reported(), bureau.reported(), bureau.at("closed")
    for command, code in (
        (Merge((open_,), open_), "same_case"),
        (Merge((open_,), ended), "not_open"),
        (Merge((open_,), 99), "not_open"),
        (Merge((ended,), open_), "wrong_state"),
        (Unmerge((open_,), "错"), "wrong_state"),
    ):
        with pytest.raises(Refused) as caught:
            bureau.run(command, "acceptor")
        assert caught.value.code == code
    bureau.run(Merge((other,), open_), "acceptor")
    with pytest.raises(Refused) as caught:
        bureau.run(Merge((open_,), bureau.reported()), "acceptor")
    assert caught.value.code == "has_merged"
    with pytest.raises(Refused) as caught:
        bureau.run(Merge((bureau.reported(),), other), "acceptor")
    assert caught.value.code == "not_open"


def test_a_part_of_another_class_has_its_limit_and_goes_to_its_unit_at_once(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    with bureau.core.database.read() as connection:
        wanted = connection.execute(
            select(condition).where(
                condition.c.category_id != COVER, condition.c.ordinal == 1, condition.c.valid_to.is_(None)
            )
        ).first()
    assert wanted is not None
    before = bureau.dump()
    command = Split(case_id, ("树枝",), wanted.category_id, PARKS)
    (part,) = bureau.run(command, "dispatcher")
    row = bureau.row(part)
    assert (row["state"], row["unit_id"], row["category_id"]) == ("pending_handle", PARKS, wanted.category_id)
    assert (row["condition_id"], row["limit_amount"]) == (wanted.id, wanted.limit_amount)
    assert row["due_at"] > bureau.now
    assert bureau.verbs(part) == ["split", "dispatch"]
    bureau.core.bus.undo(bureau.officers["dispatcher"])
    assert bureau.dump() == before
    with pytest.raises(Refused) as caught:
        bureau.run(Split(case_id, ("树枝",), 99), "dispatcher")
    assert caught.value.code == "no_condition"


def test_parts_have_place_and_limit_of_the_whole_and_numbers_of_their_own(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    parts = bureau.run(Split(case_id, ("东侧", "西侧")), "dispatcher")
    whole = bureau.row(case_id)
    rows = [bureau.row(i) for i in parts]
    assert [row["description"] for row in rows] == ["东侧", "西侧"]
    assert all(row["parent_id"] == case_id and row["state"] == "pending_dispatch" for row in rows)
    assert all(row["limit_amount"] == whole["limit_amount"] and row["due_at"] is None for row in rows)
    assert len({row["number"] for row in [*rows, whole]}) == 3
    with pytest.raises(Refused, match="each part"):
        bureau.run(Split(case_id, ("东侧", " ")), "dispatcher")
    bureau.run(Handle((case_id,), "好"), "handler")
    with pytest.raises(Refused) as caught:
        bureau.run(Split(case_id, ("东侧",)), "dispatcher")
    assert caught.value.code == "wrong_state"
