"""The desk over a real city: look ahead, move many, undo them, two officers, claims, what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from sqlalchemy import select

from db.cases.commands.dispatch import Reassign
from db.cases.commands.orders import Urge
from db.engine import settings
from db.engine.bus import TWO_OFFICERS
from db.engine.proposals import ConfirmProposal, RefuseProposal, propose, waiting
from db.kernel.actor import SYSTEM, Actor
from db.kernel.language import set_language
from db.live.filters import Filter
from db.people.commands import CreateAccount, actor_of
from db.people.tables import person
from desktop.queue.kept import KeepDialog, KeptSheet
from desktop.queue.proposals import ProposalSheet
from desktop.queue.undoing import UndoSheet
from desktop.widgets.acting import ActDialog, seen_versions
from tests.db.engine.kit import Write
from tests.desktop.open_room import OpenRoom

W = TypeVar("W", bound=QWidget)


class AtDesk:
    """A room with a supervisor in it, and hands for its dialogs."""

    def __init__(self, room: OpenRoom) -> None:
        self.room = room
        self.context = room.session.context
        self.desk = room.session.desk
        self.bar = room.session.panes.queue.bar
        # The table of moves is read after the first picture.
        room.until(lambda: self.bar._workflow is not None)

    def cases(self, state: str, count: int) -> list[int]:
        self.context.set_filter(Filter(states=frozenset({state})))
        store = self.context.board.store
        found: list[int] = store.id[self.context.board.lens.rows[:count]].tolist()
        self.context.set_filter(Filter())
        assert len(found) == count
        return found

    def unit_of(self, case_id: int) -> int:
        store = self.context.board.store
        return int(store.codes["unit"].ids[store.unit[store.slot_of(case_id)]])

    def units(self, case_ids: list[int]) -> set[int]:
        return {self.unit_of(case_id) for case_id in case_ids}

    def another_unit(self, case_ids: list[int]) -> int:
        known = [entry.id for entry in self.context.board.directory.of("unit") if entry.active]
        return next(unit for unit in known if unit not in self.units(case_ids))

    def dialog(self, kind: type[W], ready: Callable[[W], bool] = lambda _dialog: True) -> W:
        found: list[W] = []

        def there() -> bool:
            found[:] = [each for each in self.room.window.findChildren(kind) if each.isVisible()]
            return bool(found) and ready(found[0])

        self.room.until(there)
        return found[0]

    def notices(self) -> list[str]:
        return self.room.window._notices.notices()

    def said(self, words: str) -> None:
        self.room.until(lambda: any(words in notice for notice in self.notices()))


@pytest.fixture
def at_desk(application: QApplication, city_url: str, tmp_path: Path) -> Iterator[AtDesk]:
    set_language("en")
    room = OpenRoom(application, city_url, tmp_path)
    room.open()
    yield AtDesk(room)
    for dialog in room.window.findChildren(QDialog):
        dialog.close()
    room.close()


def second_officer(at_desk: AtDesk) -> Actor:
    """Another duty leader, who may act on the same cases."""
    core = at_desk.room.core
    with core.database.read() as connection:
        person_id = connection.execute(select(person.c.id).where(person.c.post == "dispatcher")).scalar()
    assert person_id is not None
    core.bus.run(CreateAccount("second", person_id, "Abcdefg1", ("duty_leader",)), SYSTEM)
    return actor_of(core.database, "second")


def limit_one_officer(at_desk: AtDesk, above: int) -> None:
    with at_desk.room.core.database.write(SYSTEM, Write()) as unit:
        settings.put(unit, TWO_OFFICERS, above)


def test_many_are_reassigned_after_a_look_ahead_and_undone_by_a_key(at_desk: AtDesk) -> None:
    movable, done = at_desk.cases("handling", 6), at_desk.cases("pending_check", 2)
    before = {case_id: at_desk.unit_of(case_id) for case_id in movable}
    target = at_desk.another_unit(movable)
    at_desk.context.select(frozenset(movable + done))
    at_desk.room.session.panes.board.chosen.emit(target)
    dialog = at_desk.dialog(ActDialog, lambda each: each.view.foresight is not None)
    assert dialog.view.headline() == "6 follow, 2 stay."
    assert dialog.form.send_button.text() == "Reassign 6"
    load = next(each for each in dialog.view.foresight.loads if each.unit_id == target)  # type: ignore[union-attr]
    assert load.open[1] == load.open[0] + 6
    # Without a reason nothing goes.
    dialog.form.sent.emit()
    assert dialog.form.fields["text"].error() == "A reason is required."
    dialog.text.setText("closer to it")
    dialog.form.sent.emit()
    at_desk.room.until(lambda: at_desk.units(movable) == {target})
    at_desk.said("Reassign cases: 6. 2 stay: ")
    at_desk.room.window.acted.emit("undo")
    sheet = at_desk.dialog(UndoSheet, lambda each: each.found is not None)
    assert sheet.lines() == ["All of it goes back: 6."]
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    at_desk.room.until(lambda: {i: at_desk.unit_of(i) for i in movable} == before)
    at_desk.said("Undone: Reassign cases")


def test_what_somebody_changes_while_the_dialog_is_open_stays_and_says_who(at_desk: AtDesk) -> None:
    movable = at_desk.cases("handling", 4)
    target = at_desk.another_unit(movable)
    at_desk.context.select(frozenset(movable))
    at_desk.bar.ask("reassign", given={"unit": target})
    dialog = at_desk.dialog(ActDialog, lambda each: each.view.foresight is not None)
    assert dialog.view.headline() == "All 4 follow."
    other = second_officer(at_desk)
    seen = seen_versions(at_desk.context, movable)
    at_desk.room.core.bus.run(Urge((movable[0],), "now"), other)
    at_desk.room.until(lambda: dialog.view.headline() == "3 follow, 1 stay.")
    assert any(other.name in line for line in dialog.view.said())
    # It looks ahead in the database, which may be ahead of the room.
    at_desk.room.until(lambda: seen_versions(at_desk.context, movable) != seen)
    dialog.view.again_button.click()
    at_desk.room.until(lambda: dialog.view.headline() == "All 4 follow.")


def test_one_case_is_undone_at_once(at_desk: AtDesk) -> None:
    (case_id,) = at_desk.cases("handling", 1)
    before, target = at_desk.unit_of(case_id), at_desk.another_unit(at_desk.cases("handling", 1))
    at_desk.bar.commanded.emit(Reassign((case_id,), target, "closer"))
    at_desk.room.until(lambda: at_desk.unit_of(case_id) == target)
    at_desk.desk.undo()
    at_desk.room.until(lambda: at_desk.unit_of(case_id) == before)
    assert not [each for each in at_desk.room.window.findChildren(UndoSheet) if each.isVisible()]


def test_what_no_longer_goes_back_is_listed_and_the_rest_does(at_desk: AtDesk) -> None:
    movable = at_desk.cases("handling", 3)
    before = {case_id: at_desk.unit_of(case_id) for case_id in movable}
    target = at_desk.another_unit(movable)
    at_desk.bar.commanded.emit(Reassign(tuple(movable), target, "closer"))
    at_desk.room.until(lambda: at_desk.units(movable) == {target})
    third = at_desk.another_unit(movable)
    other = second_officer(at_desk)
    at_desk.room.core.bus.run(Reassign((movable[0],), third, "no, there"), other)
    at_desk.desk.undo()
    sheet = at_desk.dialog(UndoSheet, lambda each: each.found is not None)
    assert sheet.lines()[0] == "2 of 3 go back; 1 no longer can."
    assert other.name in sheet.lines()[1]
    sheet.undo_button.click()
    at_desk.room.until(lambda: at_desk.unit_of(movable[1]) == before[movable[1]])
    assert at_desk.unit_of(movable[0]) == third
    at_desk.said("1 could not be")


def test_a_mass_change_is_proposed_and_its_author_hears_what_became_of_it(at_desk: AtDesk) -> None:
    limit_one_officer(at_desk, 2)
    movable = at_desk.cases("handling", 4)
    target = at_desk.another_unit(movable)
    at_desk.bar.commanded.emit(Reassign(tuple(movable), target, "closer"))
    at_desk.said("A second officer has to confirm")
    at_desk.room.window.acted.emit("propose")
    at_desk.said("Proposed.")
    database = at_desk.room.core.database
    with database.read() as connection:
        (pending,) = waiting(connection)
    at_desk.desk.show_proposals()
    sheet = at_desk.dialog(ProposalSheet, lambda each: each.current() is not None)
    # One's own is only withdrawn.
    assert sheet.confirm_button.isHidden()
    assert not sheet.withdraw_button.isHidden()
    from_other = second_officer(at_desk)
    at_desk.room.core.bus.run(RefuseProposal(pending.id, "not tonight"), from_other)
    at_desk.said(f"Reassign cases: turned down by {from_other.name}: not tonight")
    assert at_desk.units(movable) != {target}


def test_a_mass_undo_is_proposed_and_the_second_officer_sees_what_goes_back(at_desk: AtDesk) -> None:
    movable = at_desk.cases("handling", 3)
    before = at_desk.units(movable)
    target = at_desk.another_unit(movable)
    at_desk.bar.commanded.emit(Reassign(tuple(movable), target, "closer"))
    at_desk.room.until(lambda: at_desk.units(movable) == {target})
    limit_one_officer(at_desk, 2)
    at_desk.desk.undo()
    mine = at_desk.dialog(UndoSheet, lambda each: each.found is not None)
    assert mine.undo_button.text() == "Propose to undo 3"
    assert not mine._second.isHidden()
    QTest.keyClick(mine, Qt.Key.Key_Return)
    at_desk.said("Proposed.")
    assert at_desk.units(movable) == {target}
    core = at_desk.room.core
    with core.database.read() as connection:
        (pending,) = waiting(connection)
    at_desk.desk.show_proposals()
    sheet = at_desk.dialog(ProposalSheet, lambda each: each.view.foresight is not None)
    assert sheet.view.headline() == "All 3 follow."
    load = next(each for each in sheet.view.foresight.loads if each.unit_id == target)  # type: ignore[union-attr]
    assert load.open[1] == load.open[0] - 3
    core.bus.run(ConfirmProposal(pending.id), second_officer(at_desk))
    at_desk.room.until(lambda: at_desk.units(movable) == before)
    at_desk.said("Undo: confirmed by")


def test_a_second_officer_sees_the_effect_and_confirms_it(at_desk: AtDesk) -> None:
    movable = at_desk.cases("handling", 4)
    target = at_desk.another_unit(movable)
    other = second_officer(at_desk)
    propose(at_desk.room.core.bus, Reassign(tuple(movable), target, "closer"), other)
    part = at_desk.room.window.status.part("proposals", right=True)
    at_desk.room.until(lambda: part.text() == "1 to confirm")
    part.pressed.emit()
    sheet = at_desk.dialog(ProposalSheet, lambda each: each.view.foresight is not None)
    assert sheet.view.headline() == "All 4 follow."
    assert sheet._why.text() == "Reason: closer"
    sheet._refuse()
    assert sheet._field.error() == "A reason is required."
    sheet.confirm_button.click()
    at_desk.room.until(lambda: at_desk.units(movable) == {target})
    at_desk.room.until(lambda: part.text() == "")


def test_the_next_case_of_the_pool_is_claimed_shown_and_given_back(at_desk: AtDesk) -> None:
    at_desk.desk.claim_next()
    store = at_desk.context.board.store
    at_desk.room.until(lambda: len(store.claims.by_case) == 1)
    (case_id,) = store.claims.by_case
    at_desk.room.until(lambda: at_desk.context.selection == frozenset({case_id}))
    rows = at_desk.room.session.panes.queue.rows
    told = rows.cell(rows.row_of(case_id), "claim").text
    assert "until" in told
    at_desk.desk.claim_next()
    at_desk.room.until(lambda: len(store.claims.by_case) == 2)
    at_desk.context.select(frozenset())
    at_desk.desk.release()
    at_desk.room.until(lambda: not store.claims.by_case)


def test_a_selection_is_kept_pinned_and_opened_again_with_what_is_still_open(at_desk: AtDesk) -> None:
    chosen = at_desk.cases("handling", 5)
    at_desk.context.select(frozenset(chosen))
    at_desk.desk.keep_selection()
    dialog = at_desk.dialog(KeepDialog)
    dialog.form.sent.emit()
    assert dialog.form.fields["name"].error() == "Give it a name."
    dialog.name.setText("tonight")
    dialog.pinned.setChecked(True)
    dialog.form.sent.emit()
    strip = at_desk.room.window.queues
    at_desk.room.until(lambda: any(key.startswith("kept_") for key in strip.tabs()))
    at_desk.context.select(frozenset())
    at_desk.desk.show_kept()
    sheet = at_desk.dialog(KeptSheet)
    assert sheet._rows.cell(0, "open").text == "5 of 5"
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    assert at_desk.context.selection == frozenset(chosen)
    assert at_desk.context.board.lens.count == 5


def test_all_that_match_are_selected_also_those_never_painted(at_desk: AtDesk) -> None:
    at_desk.context.set_filter(Filter(states=frozenset({"handling"})))
    at_desk.room.window.actions_["select_all"].trigger()
    assert len(at_desk.context.selection) == at_desk.context.board.lens.count > 30
    at_desk.context.set_filter(Filter())


def test_who_has_a_case_open_is_seen_by_others(at_desk: AtDesk) -> None:
    (case_id,) = at_desk.cases("handling", 1)
    at_desk.context.opened.emit(case_id)
    board = at_desk.context.board
    at_desk.room.until(lambda: case_id in board.present)
    who = at_desk.context.who
    assert [one.name for one in board.others_at(case_id, 0)] == [who.name]
    assert board.others_at(case_id, who.account_id) == ()
    at_desk.room.session._cases[case_id].reject()
    at_desk.room.until(lambda: case_id not in board.present)
