"""Priorities and tags: noted on cases, told in their histories, moving nothing."""

from __future__ import annotations

from db.cases.commands.marking import SetPriority, TagCases, UntagCases
from db.cases.foresight import Moved
from db.cases.tables import step, tag
from tests.flows.bureau import Bureau
from tests.kit.refusals import refused


def words(bureau: Bureau, case_id: int) -> list[str]:
    return [row["word"] for row in bureau.about(tag, case_id)]


def test_a_priority_is_set_with_a_reason_and_the_clock_does_not_notice(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    before = bureau.row(case_id)
    assert bureau.run(SetPriority((case_id,), 2, "重大活动保障"), "dispatcher") == 1
    after = bureau.row(case_id)
    assert {**after, "priority": 0, "version": 0} == {**before, "version": 0}
    assert (after["priority"], after["version"]) == (2, before["version"] + 1)
    last = bureau.about(step, case_id)[-1]
    assert (last["verb"], last["note"], last["to_state"]) == ("set_priority", "重大活动保障", "handling")


def test_a_priority_that_cannot_be_set(bureau: Bureau) -> None:
    case_id, ended = bureau.at("handling"), bureau.at("closed")
    with refused("unknown_priority"):
        bureau.run(SetPriority((case_id,), 3, "x"), "dispatcher")
    with refused("needed"):
        bureau.run(SetPriority((case_id,), 1, " "), "dispatcher")
    with refused("same_priority"):
        bureau.run(SetPriority((case_id,), 0, "x"), "dispatcher")
    with refused("not_open"):
        bureau.run(SetPriority((ended,), 1, "x"), "dispatcher")
    with refused("not_permitted"):
        bureau.run(SetPriority((case_id,), 1, "x"), "handler")


def test_a_tag_is_put_once_and_taken_away(bureau: Bureau) -> None:
    one, other = bureau.at("handling"), bureau.at("closed")
    assert bureau.run(TagCases((one, other), "  创城\n迎检 "), "dispatcher") == 2
    assert words(bureau, one) == words(bureau, other) == ["创城 迎检"]
    with refused("tagged_already"):
        bureau.run(TagCases((one,), "创城 迎检"), "dispatcher")
    bureau.run(TagCases((one,), "防汛"), "dispatcher")
    assert bureau.run(UntagCases((one, other), "创城 迎检"), "dispatcher") == 2
    assert (words(bureau, one), words(bureau, other)) == (["防汛"], [])
    assert bureau.verbs(one)[-3:] == ["tag", "tag", "untag"]


def test_a_tag_that_cannot_be_put_or_taken(bureau: Bureau) -> None:
    case_id = bureau.at("handling")
    with refused("needed"):
        bureau.run(TagCases((case_id,), " "), "dispatcher")
    with refused("not_tagged"):
        bureau.run(UntagCases((case_id,), "防汛"), "dispatcher")
    bureau.run(TagCases((case_id,), "长" * 40), "dispatcher")
    assert words(bureau, case_id) == ["长" * 30]


def test_what_has_the_mark_already_is_left_out_and_listed(bureau: Bureau) -> None:
    ids = tuple(bureau.at("handling") for _ in range(3))
    bureau.run(TagCases(ids[:1], "防汛"), "dispatcher")
    result = bureau.run(TagCases(ids, "防汛", leave_out=True), "dispatcher")
    assert isinstance(result, Moved)
    assert result.case_ids == ids[1:]
    assert [(e.case_id, e.number, e.refusal.code) for e in result.left_out] == [
        (ids[0], bureau.row(ids[0])["number"], "tagged_already")
    ]
