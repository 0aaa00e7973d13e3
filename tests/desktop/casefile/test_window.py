"""A case window shows what is known, acts, follows news, takes photos in, and keeps a contact to itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from db.cases.claims import Claim
from db.cases.commands.closing import Close, PassCheck
from db.cases.commands.dispatch import AddHelper, Reassign
from db.cases.commands.handling import Handle
from db.cases.commands.intake import Report
from db.cases.commands.merging import Merge
from db.cases.commands.orders import Supervise
from db.cases.commands.requests import AskAppeal, AskPostpone
from db.cases.contacts import looks
from db.cases.photos import photo_store
from db.kernel.actor import SYSTEM, Actor, Scope
from db.people.presence import say
from db.people.tables import account, person
from db.sync.standing import PhotoWay, Way
from desktop.casefile.contact import SHOWN_SECONDS, ReasonDialog
from desktop.casefile.photos import PhotoView, Tile
from desktop.casefile.timeline import Step
from desktop.casefile.window import CaseWindow, clock_spans
from desktop.widgets.acting import ActDialog
from desktop.widgets.button import Button
from tests.db.cases.photographs import picture
from tests.db.live.city import write
from tests.desktop.casefile.conftest import DESCRIPTION, LEADER, NAME, PHONE, Office

HANDLER = Actor(9, "赵六", frozenset({"room.view", "case.handle"}))
ACCEPTOR = Actor(10, "孙丽", frozenset({"room.view", "case.accept"}))
DESK = Actor(8, "李强", frozenset({"room.view", "contact.masked"}))


def said(window: QWidget) -> str:
    """Every word in a window, shown or not, and what it says to a screen reader."""
    labels = (f"{each.text()} {each.toolTip()}" for each in window.findChildren(QLabel))
    spoken = (
        f"{each.accessibleName()} {each.accessibleDescription()} {each.windowTitle()}"
        for each in window.findChildren(QWidget)
    )
    return "\n".join([*labels, *spoken])


def verbs(window: CaseWindow, is_button: bool) -> set[str]:
    return {key for key, shown in window.offered().items() if shown is is_button}


def test_it_shows_head_facts_steps_and_what_citizens_wrote_letter_by_letter(office: Office) -> None:
    window = office.open()
    words = said(window)
    for part in ("荆河路东口", "单位1", "12345 hotline", "In hand", DESCRIPTION):
        assert part in words, part
    (description,) = [each for each in window.findChildren(QLabel) if each.text() == DESCRIPTION]
    assert description.textFormat() is Qt.TextFormat.PlainText
    assert len(window.findChildren(Step)) == 4
    assert "after 1:00" in words


def test_every_label_is_plain_text(office: Office) -> None:
    window = office.open()
    assert {each.textFormat() for each in window.findChildren(QLabel)} == {Qt.TextFormat.PlainText}


def test_the_clock_strip_shows_the_spans(office: Office) -> None:
    window = office.open()
    assert window.strip.isVisible()
    (segment,) = window.strip._segments
    assert "Dispatched" in segment.words
    assert not office.open(case_id=office.old).strip.isVisible(), "its clock never ran"


def test_the_clock_of_a_case_that_came_without_spans_follows_from_its_moments(office: Office) -> None:
    file = office.read(office.case)
    assert file is not None
    details = file.details
    bare = replace(file, spans=())
    (ran,) = clock_spans(bare)
    assert (ran.kind, ran.began_at, ran.ended_at) == ("running", details.dispatched_at, None)
    handled = replace(details, handled_at=office.clock.now())
    assert [span.kind for span in clock_spans(replace(bare, details=handled))] == ["running", "paused"]
    assert clock_spans(replace(bare, details=replace(details, reworks=1))) == ()
    assert clock_spans(file) == file.spans


def test_the_history_of_the_place_opens_the_other_case(office: Office) -> None:
    window = office.open()
    asked: list[int] = []
    window.opened.connect(asked.append)
    (row,) = window.history.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)[-1:]
    QTest.mouseClick(row, Qt.MouseButton.LeftButton)
    assert asked == [office.old]


def test_what_is_allowed_is_a_button_and_the_rest_says_why(office: Office) -> None:
    window = office.open()
    assert {"reassign", "handle"} <= verbs(window, True)
    assert {"supervise", "urge", "ask_postpone", "force_close"} <= verbs(window, False)
    menu = {action.text(): action.isEnabled() for action in window.refusals().actions()}
    assert not any(menu.values())
    assert any(text.startswith("Close — “Close” is not possible while") for text in menu)
    assert any(text.startswith("Grant postponement — Nobody has asked") for text in menu)


def test_who_may_do_nothing_is_told_so(office: Office) -> None:
    window = office.open(DESK)
    assert window.offered() == {}
    assert "nothing for you to do" in window._why.text()
    window.press("handle")
    assert "may not do this" in window._why.text()


def test_an_act_asks_for_what_it_needs_and_is_done(office: Office) -> None:
    window = office.open(HANDLER)
    office.run(lambda: window.press("handle"))
    dialog = office.dialog(ActDialog)
    dialog.text.setText("已更换井盖")
    office.run(dialog.form.sent.emit)
    assert window.file.details.state == "pending_check"
    assert window._notices.notices() == ["Hand back cases"]
    assert "已更换井盖" in said(window)
    office.run(lambda: window._notices.acted.emit("undo"))
    assert window.file.details.state == "handling"


def test_a_pending_request_is_shown_and_its_decision_offered_first(office: Office) -> None:
    office.act(AskPostpone((office.case,), "连日降雨"), HANDLER)
    office.act(Supervise((office.case,), "请回复", office.clock.now() + timedelta(hours=6)))
    window = office.open()
    assert list(window.offered())[:3] == ["grant_postpone", "refuse_postpone", "answer_order"]
    assert "连日降雨" in said(window)
    office.run(lambda: window._ask("grant_postpone"))
    office.run(office.dialog(ActDialog).form.sent.emit)
    assert window.file.details.extensions == 1
    assert "grant_postpone" not in window.offered()


def test_who_asked_withdraws_it_by_the_button_beside_it(office: Office) -> None:
    office.act(AskPostpone((office.case,), "连日降雨"), HANDLER)
    assert not office.open()._matters.findChildren(Button), "somebody else asked"
    window = office.open(HANDLER)
    (button,) = window._matters.findChildren(Button)
    office.run(button.click)
    assert [asked.state for asked in window.file.requests] == ["withdrawn"]
    assert window._notices.notices() == ["Withdraw request"]
    office.run(lambda: window._notices.acted.emit("undo"))
    assert [asked.state for asked in window.file.requests] == ["pending"]


def test_it_is_merged_into_a_case_of_the_same_place_or_one_named_by_its_number(office: Office) -> None:
    window = office.open()
    old = office.read(office.old)
    assert old is not None
    office.run(lambda: window._ask("merge"))
    dialog = office.dialog(ActDialog)
    assert dialog.leader.count() == 1
    dialog.form.sent.emit()
    assert dialog.form.fields["leader"].error()
    dialog.leader.setEditText("0")
    assert dialog.effect.text() == "No open case has this number."
    dialog.leader.setEditText(window.file.details.number)
    dialog.form.sent.emit()
    assert "into itself" in dialog.form.fields["leader"].error()
    dialog.leader.setEditText(old.details.number)
    assert f"{window.file.details.number} will go on inside {old.details.number}" in dialog.effect.text()
    office.run(dialog.form.sent.emit)
    assert (window.file.details.state, window.file.details.merged_into_id) == ("merged", office.old)
    assert verbs(window, True) == {"unmerge"}


def test_a_report_is_taken_out_by_the_button_on_its_line(office: Office) -> None:
    office.act(Merge((office.old,), office.case))
    assert not office.open(HANDLER)._relatives.findChildren(Button), "who may not merge has none"
    office.context = office.context_of(LEADER)
    window = office.open()
    (button,) = window._relatives.findChildren(Button)
    office.run(button.click)
    dialog = office.dialog(ActDialog)
    dialog.text.setText("并非同一处")
    office.run(dialog.form.sent.emit)
    assert window.file.merged == ()
    merged = office.read(office.old)
    assert merged is not None
    assert merged.details.state == "reported"


def test_a_part_is_split_off_with_class_unit_and_words(office: Office) -> None:
    window = office.open()
    assert "split" in verbs(window, False)
    office.run(lambda: window._ask("split"))
    dialog = office.dialog(ActDialog)
    assert dialog._classes[dialog.category.currentText()].id == office.category
    dialog.unit.setEditText("nobody")
    dialog.form.sent.emit()
    assert dialog.form.fields["unit"].error()
    assert dialog.form.fields["text"].error() == "Write what is to be done."
    dialog.unit.setCurrentText("单位2")
    assert "单位2: open 0 → 1" in dialog.effect.text()
    dialog.text.setText("清理路面")
    office.run(dialog.form.sent.emit)
    (part,) = window.file.children
    assert part.state == "pending_handle"
    made = office.read(part.id)
    assert made is not None
    assert (made.details.unit_id, made.details.description) == (2, "清理路面")


def test_a_granted_appeal_is_offered_to_another_person_who_accepts(office: Office) -> None:
    office.pass_by(days=400)
    for command in (Handle((office.case,), "好了"), PassCheck((office.case,)), Close((office.case,))):
        office.act(command)
    office.act(AskAppeal((office.case,), "停电"), SYSTEM)
    window = office.open()
    assert "confirm_appeal" not in window.offered()
    office.run(lambda: window._ask("grant_appeal"))
    office.run(office.dialog(ActDialog).form.sent.emit)
    assert {"grant_appeal", "confirm_appeal"}.isdisjoint(window.offered())
    assert "granted, to be confirmed" in said(window)
    window = office.open(ACCEPTOR)
    assert list(window.offered())[:2] == ["confirm_appeal", "overrule_appeal"]
    office.run(lambda: window._ask("confirm_appeal"))
    office.run(office.dialog(ActDialog).form.sent.emit)
    assert window.file.details.exempt
    assert "confirm_appeal" not in window.offered()


def test_a_refusal_is_told_in_the_window(office: Office) -> None:
    window = office.open()
    office.act(Handle((office.case,), "好了"))
    # It has not heard of it yet.
    office.run(lambda: window._ask("add_helper"))
    dialog = office.dialog(ActDialog)
    dialog.unit.setCurrentIndex(1)
    office.run(dialog.form.sent.emit)
    assert "is not possible while" in window._notices.notices()[0]
    assert window.file.details.state == "pending_check", "and it has read anew"


def test_it_follows_the_news_and_keeps_its_place(office: Office) -> None:
    window = office.open()
    window.resize(900, 360)
    window.grab()
    bar = window._areas[1].verticalScrollBar()
    bar.setValue(40)
    assert bar.value() == 40
    office.act(Handle((office.case,), "已处置"))
    office.run(office.news)
    assert window.file.details.state == "pending_check"
    assert "已处置" in said(window)
    window.grab()
    assert bar.value() == 40


def test_news_of_others_leave_it_as_it_is(office: Office) -> None:
    window = office.open()
    file = window.file
    office.report()
    office.run(office.news)
    assert window.file.details == file.details


@pytest.mark.parametrize("who", [DESK, HANDLER])
def test_no_plain_contact_is_anywhere_before_it_was_asked_for(office: Office, who: Actor) -> None:
    window = office.open(who)
    for secret in (NAME, PHONE):
        assert secret not in said(window)
        assert secret not in repr(window.file)
    assert window.contact.isVisible() is (who is DESK)
    assert not window.contact.button.isVisible()
    if who is DESK:
        assert window.contact.words() == "欧**  138****1234"


def test_a_contact_is_shown_for_a_minute_after_a_reason_and_kept_on_record(office: Office) -> None:
    window = office.open()
    # The test counts the seconds, and nobody else.
    window.contact._timer.setInterval(3_600_000)
    office.run(window.contact.button.click)
    dialog = office.dialog(ReasonDialog)
    office.run(dialog.form.sent.emit)
    assert dialog.form.fields["text"].error() == "A reason is required."
    dialog.text.setText("回访")
    office.run(dialog.form.sent.emit)
    assert window.contact.words() == f"{NAME}  {PHONE}"
    (words,) = [each for each in window.contact.findChildren(QLabel) if PHONE in each.text()]
    assert words.textInteractionFlags() == Qt.TextInteractionFlag.NoTextInteraction
    with office.core.database.read() as connection:
        (look,) = looks(connection, case_id=office.case)
    assert (look.viewer_name, look.reason) == ("王敏", "回访")
    assert "Viewed 1 times, last by 王敏" in said(window)
    for _second in range(SHOWN_SECONDS):
        assert PHONE in window.contact.words()
        window.contact._on_second()
    assert window.contact.words() == "欧**  138****1234"
    assert not window.contact._timer.isActive()
    assert PHONE not in said(window)


def test_a_contact_goes_when_the_window_goes(office: Office) -> None:
    window = office.open()
    office.run(lambda: window._start(window._look("回访")))
    assert window.contact.contact is not None
    line = window.contact
    window.hide()
    assert line.contact is None
    assert PHONE not in line.words()


def test_news_leave_a_shown_contact_shown_and_a_hidden_one_hidden(office: Office) -> None:
    window = office.open()
    office.run(lambda: window._start(window._look("回访")))
    office.act(Handle((office.case,), "好了"))
    office.run(office.news)
    assert PHONE in window.contact.words()
    window.contact.conceal()
    office.run(office.news)
    assert PHONE not in window.contact.words()


def test_photos_are_taken_in_shown_small_and_in_full(office: Office, folder: Path) -> None:
    window = office.open()
    assert window.phase.currentData() == "after", "it is in hand already"
    files = [picture(folder / "一.jpg"), picture(folder / "二.png", "PNG", (300, 500))]
    office.run(lambda: window.add_photos(files))
    assert [photo.name for photo in window.file.photos] == ["一.jpg", "二.png"]
    assert [tile.is_missing for tile in window.photos.tiles()] == [False, False]
    assert "Photos added: 2" in window._notices.notices()
    office.run(window.photos.tiles()[0].click)
    view = office.dialog(PhotoView)
    assert "一.jpg" in view._caption.text()
    office.run(lambda: QTest.keyClick(view, Qt.Key.Key_Right))
    assert "二.png" in view._caption.text()
    assert view._pixmap.height() == 500
    view.grab()
    view.accept()


def test_a_photo_may_be_dropped(office: Office, folder: Path) -> None:
    window = office.open()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(picture(folder / "a.jpg")))])
    event = QDropEvent(
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    office.run(lambda: window.dropEvent(event))
    assert len(window.file.photos) == 1


def test_what_is_no_photo_is_told_and_nothing_is_attached(office: Office, folder: Path) -> None:
    window = office.open()
    bad = folder / "virus.jpg"
    bad.write_text("MZ")
    office.run(lambda: window.add_photos([picture(folder / "good.jpg"), bad]))
    assert [photo.name for photo in window.file.photos] == ["good.jpg"]
    assert any("virus.jpg is not a photo" in words for words in window._notices.notices())


def test_a_missing_file_is_shown_as_missing(office: Office, folder: Path) -> None:
    window = office.open()
    office.run(lambda: window.add_photos([picture(folder / "a.jpg")]))
    (photo,) = window.file.photos
    store = photo_store(office.core.database)
    store.path(photo.sha256, photo.mime).unlink()
    small = store.thumbnail(photo.sha256, photo.mime)
    assert small is not None
    small.unlink()
    again = office.open()
    (tile,) = again.photos.tiles()
    assert tile.is_missing
    assert not tile.isEnabled()
    tile.grab()


def test_a_photo_on_its_way_says_how_far_it_is_and_appears_by_itself(office: Office, folder: Path) -> None:
    window = office.open()
    office.run(lambda: window.add_photos([picture(folder / "a.jpg")]))
    (photo,) = window.file.photos
    store = photo_store(office.core.database)
    path, small = store.path(photo.sha256, photo.mime), store.thumbnail(photo.sha256, photo.mime)
    assert small is not None
    content = path.read_bytes()
    path.unlink()
    small.unlink()
    office.ways[photo.sha256] = PhotoWay(Way.UNSENT, station="东城席")
    again = office.open()
    (tile,) = again.photos.tiles()
    assert tile.is_missing
    assert "waits for 东城席" in tile.accessibleName()
    tile.grab()
    again._arrivals.setInterval(5)
    office.ways[photo.sha256] = PhotoWay(Way.COMING, 0.4)
    office.run(again._arrivals.start)
    office.until(lambda: "On its way · 40 %" in tile.accessibleName())
    tile.grab()
    office.ways[photo.sha256] = PhotoWay(Way.NO_LINE, 0.4)
    office.until(lambda: "no line · 40 %" in tile.accessibleName())
    path.write_bytes(content)
    office.until(lambda: not tile.is_missing)
    assert tile.isEnabled()
    office.settle()
    assert not again._arrivals.isActive(), "there is nothing left to look for"


def test_a_photo_that_nobody_has_any_more_says_so(office: Office, folder: Path) -> None:
    window = office.open()
    office.run(lambda: window.add_photos([picture(folder / "a.jpg")]))
    (photo,) = window.file.photos
    store = photo_store(office.core.database)
    small = store.thumbnail(photo.sha256, photo.mime)
    assert small is not None
    for file in (store.path(photo.sha256, photo.mime), small):
        file.unlink()
    office.ways[photo.sha256] = PhotoWay(Way.LOST)
    again = office.open()
    (tile,) = again.photos.tiles()
    assert "Cannot be had any more" in tile.accessibleName()
    assert not again._arrivals.isActive()


def test_the_phase_that_was_chosen_stays_when_the_case_is_read_anew(office: Office) -> None:
    window = office.open()
    window.phase.setCurrentIndex(window.phase.findData("check"))
    office.act(Handle((office.case,), "好了"))
    office.run(office.news)
    assert window.phase.currentData() == "check"


def test_who_may_not_add_photos_is_not_offered_it(office: Office) -> None:
    window = office.open(DESK)
    assert not window.add_button.isVisible()
    assert not window.acceptDrops()
    assert window.findChildren(Tile) == []


def test_a_case_without_anything_is_shown_too(office: Office) -> None:
    bare = office.act(Report("other", office.category))
    window = office.open(case_id=bare)
    assert "Nothing else happened within 50 m." in said(window)
    assert "No photos yet." in said(window)
    assert not window.contact.isVisible()


def test_the_system_itself_is_never_unmasked_by_reading(office: Office) -> None:
    file = office.read(office.case, SYSTEM)
    assert PHONE not in repr(file)


def test_an_act_on_a_case_that_somebody_has_reassigned_meanwhile_is_refused(office: Office) -> None:
    window = office.open()
    office.act(Reassign((office.case,), 2, "不属我处"))
    office.run(lambda: window._start(window._do(Reassign((office.case,), 3, "另有分工"))))
    file = office.read(office.case)
    assert file is not None
    assert file.details.unit_id == 2


def test_who_else_is_at_the_case_and_who_has_claimed_it_stands_under_its_title(office: Office) -> None:
    accounts = [
        {"id": number, "login": login, "person_id": 1, "password_hash": "-"}
        for number, login in ((LEADER.account_id, "wang"), (8, "li"))
    ]
    someone = {"id": 1, "code": "P1", "name": "李强", "unit_id": 1, "post": "acceptor"}
    write(office.core.database, (person, [someone]), (account, accounts))
    li = Actor(8, "李强", frozenset({"*"}))
    window = office.open(case_id=office.old)
    assert window.company.isHidden()
    assert "accept" in window.offered()
    say(office.core.database, "a", li, office.old)
    say(office.core.database, "b", LEADER, office.old)
    office.run(office.news)
    assert window.company.text() == "李强 is looking"
    assert "accept" in window.offered()
    say(office.core.database, "a", li, office.old, typing=True)
    office.act(Claim((office.old,)), li)
    office.run(office.news)
    assert window.company.text() == "李强 has it until 10:40, 李强 is writing"
    assert not window.company.isHidden()
    assert "accept" not in window.offered()
    window.press("accept")
    assert "李强 has claimed it until 10:40" in window._why.text()
    office.pass_by(minutes=20)
    office.run(office.news)
    assert window.company.isHidden()
    assert "accept" in window.offered()
    office.act(Claim((office.old,)), LEADER)
    office.run(office.news)
    assert window.company.text() == "yours until 11:00"
    assert "accept" in window.offered()


def test_outside_of_the_own_scope_nothing_is_offered_and_the_reason_is_told(office: Office) -> None:
    bound = Actor(7, "王敏", frozenset({"*"}), scope=Scope(units=frozenset({2})))
    window = office.open(bound)
    assert window.offered() == {}
    window.press("reassign")
    assert "王敏 may not act on the cases of this unit." in window._why.text()
    assert not window.add_button.isEnabled()
    assert "may not act" in window.add_button.toolTip()
    office.act(AddHelper((office.case,), 2))
    office.run(office.news)
    office.settle()
    assert "handle" in window.offered()
    assert window.add_button.isEnabled()
