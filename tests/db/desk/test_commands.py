"""Things are kept under a name, shared with a role, changed by their owner only, and taken back by undo."""

from __future__ import annotations

from typing import Any

import pytest

from db.desk.commands import ChangeKept, DropKept, Keep, OrderKept
from db.desk.queries import KeptValue, kept
from db.desk.rules import MOST_CASES
from db.kernel.actor import Actor
from db.kernel.refusal import Refused
from tests.db.desk.conftest import Desk

CASES = {"ids": [3, 1, 2]}


def seen(desk: Desk, who: Actor, kind: str = "") -> list[KeptValue]:
    with desk.core.database.read() as connection:
        return kept(connection, who, kind)


def keep(desk: Desk, who: Actor, name: str = "龙泉广场", **fields: Any) -> int:
    return int(desk.core.bus.run(Keep("selection", name, CASES, **fields), who).result)


def codes_of(desk: Desk, command: Any, who: Actor) -> list[str]:
    with pytest.raises(Refused) as caught:
        desk.core.bus.run(command, who)
    assert "{" not in caught.value.text()
    every = getattr(caught.value, "refusals", (caught.value,))
    return [each.code for each in every]


def test_a_selection_keeps_its_cases_name_and_owner(desk: Desk) -> None:
    keep(desk, desk.wang, "  龙泉\n广场 ")
    (one,) = seen(desk, desk.wang, "selection")
    assert (one.name, one.content, one.owner_name, one.is_own) == ("龙泉 广场", CASES, "王敏", True)
    assert seen(desk, desk.wang, "filter") == []


def test_what_is_not_shared_is_seen_by_nobody_else(desk: Desk) -> None:
    keep(desk, desk.wang)
    assert seen(desk, desk.li) == []


def test_what_is_shared_with_a_role_is_seen_by_that_role_only(desk: Desk) -> None:
    kept_id = keep(desk, desk.wang, shared_with="dispatcher")
    assert [one.is_own for one in seen(desk, desk.li)] == [False]
    assert seen(desk, desk.zhao) == []
    desk.core.bus.run(ChangeKept(kept_id, shared_with="*"), desk.wang)
    assert len(seen(desk, desk.zhao)) == 1


def test_own_things_stand_before_those_of_others(desk: Desk) -> None:
    keep(desk, desk.li, "b", shared_with="*")
    keep(desk, desk.wang, "c")
    keep(desk, desk.wang, "a")
    assert [one.name for one in seen(desk, desk.wang)] == ["c", "a", "b"]


def test_only_the_owner_changes_and_drops(desk: Desk) -> None:
    kept_id = keep(desk, desk.wang, shared_with="*")
    assert codes_of(desk, ChangeKept(kept_id, pinned=True), desk.li) == ["not_yours"]
    assert codes_of(desk, DropKept(kept_id), desk.li) == ["not_yours"]
    desk.core.bus.run(DropKept(kept_id), desk.wang)
    assert codes_of(desk, ChangeKept(kept_id, pinned=True), desk.wang) == ["no_such_kept"]


def test_a_change_leaves_the_rest_as_it_was(desk: Desk) -> None:
    kept_id = keep(desk, desk.wang, shared_with="dispatcher")
    desk.core.bus.run(ChangeKept(kept_id, name="新名", content={"ids": [9]}, pinned=True), desk.wang)
    (one,) = seen(desk, desk.wang)
    assert (one.name, one.content, one.pinned, one.shared_with) == ("新名", {"ids": [9]}, True, "dispatcher")


def test_a_name_stands_once_for_each_owner_and_kind(desk: Desk) -> None:
    keep(desk, desk.wang, "a")
    other = keep(desk, desk.wang, "b")
    keep(desk, desk.li, "a")
    desk.core.bus.run(Keep("filter", "a", {}), desk.wang)
    assert codes_of(desk, Keep("selection", "a", CASES), desk.wang) == ["name_taken"]
    assert codes_of(desk, ChangeKept(other, name="a"), desk.wang) == ["name_taken"]
    desk.core.bus.run(ChangeKept(other, name="b", pinned=True), desk.wang)


def test_every_fault_is_told_at_once(desk: Desk) -> None:
    wrong = Keep("selection", " ", {"ids": []}, shared_with="nobody")
    assert codes_of(desk, wrong, desk.wang) == ["name_missing", "no_such_role", "empty_selection"]
    assert codes_of(desk, Keep("dream", "x", {}), desk.wang) == ["no_such_kind"]
    assert codes_of(desk, Keep("selection", "x", {"ids": ["1"]}), desk.wang) == ["bad_content"]


def test_a_selection_too_great_to_be_listed_points_to_the_filter(desk: Desk) -> None:
    many = {"ids": list(range(MOST_CASES + 1))}
    assert codes_of(desk, Keep("selection", "x", many), desk.wang) == ["too_many"]


def test_keeping_and_dropping_are_undone_like_any_act(desk: Desk) -> None:
    kept_id = keep(desk, desk.wang)
    before = seen(desk, desk.wang)
    desk.core.bus.run(DropKept(kept_id), desk.wang)
    desk.core.bus.undo(desk.wang)
    assert [one.content for one in seen(desk, desk.wang)] == [one.content for one in before]
    desk.core.bus.undo(desk.wang)
    assert seen(desk, desk.wang) == []


def test_ones_own_things_stand_in_the_order_one_gives_them(desk: Desk) -> None:
    ids = [keep(desk, desk.wang, name) for name in ("one", "two", "three")]
    desk.core.bus.run(OrderKept((ids[2], ids[0], ids[1])), desk.wang)
    assert [each.name for each in seen(desk, desk.wang)] == ["three", "one", "two"]
    desk.core.bus.run(OrderKept((ids[1], ids[0])), desk.wang)
    assert [each.name for each in seen(desk, desk.wang)] == ["three", "two", "one"]


def test_nobody_orders_the_things_of_others(desk: Desk) -> None:
    theirs = keep(desk, desk.li, "theirs")
    assert codes_of(desk, OrderKept((theirs,)), desk.wang) == ["not_yours"]
