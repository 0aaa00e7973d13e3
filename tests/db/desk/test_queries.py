"""Roles have names, and a person's own acts are listed with what of them can still be taken back."""

from __future__ import annotations

from db.desk.commands import ChangeKept, Keep
from db.desk.queries import own_acts, roles, undoable
from db.engine.bus import Undo
from db.kernel.actor import Actor
from db.kernel.clock import SetClock
from tests.db.desk.conftest import Desk


def acts(desk: Desk, who: Actor) -> list[tuple[str, int]]:
    with desk.core.database.read() as connection:
        return [(one.label, one.size) for one in own_acts(connection, who)]


def test_roles_have_names_in_both_languages(desk: Desk) -> None:
    with desk.core.database.read() as connection:
        named = {one.code: (one.label("zh_CN"), one.label("en")) for one in roles(connection)}
    assert named["dispatcher"] == ("派遣员", "Dispatcher")


def test_own_acts_stand_newest_first_without_those_of_others_and_those_taken_back(desk: Desk) -> None:
    kept_id = desk.core.bus.run(Keep("selection", "a", {"ids": [1]}), desk.wang).result
    desk.core.bus.run(Keep("selection", "b", {"ids": [1]}), desk.li)
    pin = desk.core.bus.run(ChangeKept(kept_id, pinned=True), desk.wang)
    assert acts(desk, desk.wang) == [("Change what is kept at hand", 1), ("Keep at hand", 1)]
    desk.core.bus.run(Undo(pin.seq), desk.wang)
    assert acts(desk, desk.wang) == [("Keep at hand", 1)]
    assert acts(desk, desk.zhao) == []


def test_an_act_that_something_newer_has_touched_says_that_nothing_goes_back(desk: Desk) -> None:
    kept_id = desk.core.bus.run(Keep("selection", "a", {"ids": [1]}), desk.wang).result
    first = desk.core.bus.run(ChangeKept(kept_id, pinned=True), desk.wang)
    assert isinstance(desk.core.clock, SetClock)
    now = desk.core.clock.now()
    with desk.core.database.read() as connection:
        whole = undoable(connection, desk.wang, first.seq, now)
    desk.core.bus.run(ChangeKept(kept_id, pinned=False), desk.wang)
    with desk.core.database.read() as connection:
        gone = undoable(connection, desk.wang, first.seq, now)
        assert undoable(connection, desk.wang, 10**6, now) is None
    assert whole is not None
    assert gone is not None
    assert (whole.size, whole.back) == (1, 1)
    assert gone.back == 0
