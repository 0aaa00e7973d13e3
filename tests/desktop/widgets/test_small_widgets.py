"""Buttons, icons, marks, status strip, notices, forms and progress."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from desktop.widgets import icons
from desktop.widgets.button import KINDS, Button
from desktop.widgets.form import CommandField, Form
from desktop.widgets.marks import Light, light_path, light_word
from desktop.widgets.notice import Banner, NoticeStack
from desktop.widgets.plain import label, set_tone, tip
from desktop.widgets.progress import Progress
from desktop.widgets.status import StatusStrip
from desktop.widgets.theme import Theme


@pytest.fixture
def theme(application: QApplication) -> Theme:
    return Theme("dark")


def test_every_icon_draws_something_in_every_colour(theme: Theme) -> None:
    assert len(icons.names(theme)) >= 24
    for name in icons.names(theme):
        image = icons.pixmap(theme, name, "accent", 24, 2.0).toImage()
        assert (image.width(), image.devicePixelRatio()) == (48, 2.0)
        pixels = {image.pixelColor(x, y).alpha() for x in range(48) for y in range(48)}
        assert max(pixels) > 200, name


def test_the_four_lights_have_four_shapes_and_four_words() -> None:
    shapes = [light_path(light, QPointF(0, 0), 12).elementCount() for light in (0, 1, 2)]
    assert len(set(shapes)) == 3
    assert len({light_word(light) for light in Light}) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_button_is_wide_enough_for_words_and_key(theme: Theme, kind: str) -> None:
    assert (
        Button(theme, "Reassign", "Ctrl R", kind).sizeHint().width()
        > Button(theme, "Reassign", "", kind).sizeHint().width()
    )


def test_a_kind_of_button_that_does_not_exist_is_refused(theme: Theme) -> None:
    with pytest.raises(ValueError, match="loud"):
        Button(theme, "x", kind="loud")


def test_words_of_citizens_stay_words() -> None:
    words = label("<img src=x onerror=alert(1)>")
    assert words.textFormat() == Qt.TextFormat.PlainText
    assert "&lt;img" in tip("<img src=x>")


def test_a_tone_is_changed_in_place(theme: Theme) -> None:
    words = label("x", tone="text2")
    set_tone(words, "over")
    assert words.property("tone") == "over"


def test_a_status_part_keeps_its_width_when_a_figure_gets_shorter(
    theme: Theme, shown: Callable[..., object]
) -> None:
    strip = StatusStrip(theme)
    shown(strip, 600, 28)
    part = strip.part("frame", right=True)
    part.set("Frame 116 ms")
    wide = part.sizeHint().width()
    part.set("Frame 16 ms")
    assert part.sizeHint().width() == wide
    assert strip.part("frame") is part


def test_the_same_notice_twice_is_one_notice_and_its_button_is_heard(
    theme: Theme, shown: Callable[..., object]
) -> None:
    host = QWidget()
    shown(host, 800, 400)
    stack = NoticeStack(theme, host)
    acted: list[str] = []
    stack.acted.connect(acted.append)
    first = stack.show_notice("3 cases reassigned", button="Undo", key="undo", keys="Ctrl Z")
    assert stack.show_notice("3 cases reassigned") is first
    assert stack.notices() == ["3 cases reassigned"]
    first.findChildren(Button)[0].click()
    assert (acted, stack.notices()) == (["undo"], [])


def test_a_notice_goes_away_by_itself(
    theme: Theme, shown: Callable[..., object], until: Callable[..., None]
) -> None:
    host = QWidget()
    shown(host, 800, 400)
    stack = NoticeStack(theme, host)
    stack.show_notice("Saved", seconds=0.02)
    until(lambda: not stack.notices())


def test_at_most_three_notices_stand_at_once(theme: Theme, shown: Callable[..., object]) -> None:
    host = QWidget()
    shown(host, 800, 400)
    stack = NoticeStack(theme, host)
    for number in range(5):
        stack.show_notice(f"Notice {number}", seconds=0)
    assert stack.notices() == ["Notice 2", "Notice 3", "Notice 4"]


def test_a_banner_stays_until_it_is_told_to_go(theme: Theme, shown: Callable[..., object]) -> None:
    banner = Banner(theme)
    shown(banner, 500, 34)
    banner.set("No server for 14 minutes", button="Details")
    assert banner.isVisible()
    banner.set("")
    assert not banner.isVisible()


def test_errors_stand_under_their_fields_and_the_first_gets_the_focus(
    theme: Theme, shown: Callable[..., object]
) -> None:
    form = Form(theme, "Sign in", "Quit")
    name = form.add("name", "Name", QLineEdit())
    word = form.add("word", "Password", QLineEdit(), hint="At least 12 letters")
    shown(form, 360, 300)
    form.activateWindow()
    form.set_errors({"word": "Wrong", "": "Not signed in"})
    assert (name.error(), word.error()) == ("", "Wrong")
    assert form.focusWidget() is word.editor
    form.set_errors({})
    assert word.error() == ""


def test_enter_sends_and_escape_cancels(theme: Theme, shown: Callable[..., object]) -> None:
    form = Form(theme, "Sign in", "Quit")
    field = form.add("name", "Name", QLineEdit())
    shown(form, 360, 200)
    heard: list[str] = []
    form.sent.connect(lambda: heard.append("sent"))
    form.cancelled.connect(lambda: heard.append("cancelled"))
    QTest.keyClick(field.editor, Qt.Key.Key_Return)
    QTest.keyClick(field.editor, Qt.Key.Key_Escape)
    form.send_button.click()
    assert heard == ["sent", "cancelled", "sent"]


def test_the_command_field_prints_its_key_only_while_empty(
    theme: Theme, shown: Callable[..., object]
) -> None:
    field = CommandField(theme, "Find a case", "Ctrl K")
    shown(field, 400, 32)
    assert field.placeholderText() == "Find a case"
    assert field.textMargins().right() > field.textMargins().left()


def test_cancel_is_pressed_once_and_work_of_unknown_length_says_its_count(
    theme: Theme, shown: Callable[..., object]
) -> None:
    progress = Progress(theme)
    shown(progress, 400, 80)
    asked: list[bool] = []
    progress.cancelled.connect(lambda: asked.append(True))
    progress.set(3120, 8214, "Checking")
    assert progress._count.text() == "3,120 / 8,214"
    progress.set(88, None)
    assert progress._count.text() == "88"
    progress._cancel.click()
    progress._cancel.click()
    assert asked == [True]
    progress.restart()
    assert progress._cancel.isEnabled()


def test_every_widget_follows_the_theme(theme: Theme, shown: Callable[..., object]) -> None:
    strip = StatusStrip(theme)
    shown(strip, 600, 28)
    strip.part("db").set("Local database", light=0)
    dark = strip.grab().toImage()
    theme.use(name="light")
    assert strip.grab().toImage() != dark
    theme.use(scale=2.0)
    assert strip.height() == 56


def test_a_widget_that_is_gone_no_longer_follows_the_theme(theme: Theme, application: QApplication) -> None:
    for widget in (Button(theme, "x"), StatusStrip(theme), Progress(theme), CommandField(theme, "x")):
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    theme.use(name="light")
