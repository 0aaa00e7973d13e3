"""The contact line forgets what it showed: after a minute, by hand, and when nobody can be looking."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from db.cases.contacts import Contact, MaskedContact
from db.kernel.actor import Actor
from desktop.casefile.contact import SHOWN_SECONDS, ContactLine
from desktop.widgets.theme import Theme

MASKED = MaskedContact("张*", "138****1234", False)
PLAIN = Contact("张三", "13800001234")
LOOKER = Actor(1, "王敏", frozenset({"contact.view"}))


@pytest.fixture
def line(shown: Callable[..., QWidget]) -> ContactLine:
    line = ContactLine(Theme(), LOOKER)
    line.set_masked(MASKED)
    shown(line, 400, 40)
    return line


def holds(line: ContactLine) -> bool:
    """Whether the number stands anywhere in it."""
    labels = [each.text() + each.toolTip() + each.accessibleName() for each in line.findChildren(QLabel)]
    return PLAIN.phone in "".join(labels) or line.contact is not None


def test_it_is_masked_until_it_is_revealed_and_again_after_a_minute(line: ContactLine) -> None:
    assert line.words() == "张*  138****1234"
    line.reveal(PLAIN)
    assert line.words() == "张三  13800001234"
    assert line._timer.isActive()
    assert line._timer.interval() == 1000
    for _second in range(SHOWN_SECONDS - 1):
        line._on_second()
    assert holds(line)
    line._on_second()
    assert not holds(line)
    assert not line._timer.isActive()
    assert line.words() == "张*  138****1234"


def test_it_can_be_hidden_by_hand(line: ContactLine) -> None:
    line.reveal(PLAIN)
    assert line.button.text() == "Hide"
    line.button.click()
    assert not holds(line)
    assert line.button.text() == "Show…"


def test_it_forgets_when_it_is_put_aside_or_another_case_comes(line: ContactLine) -> None:
    line.reveal(PLAIN)
    line.hide()
    assert not holds(line)
    line.set_masked(None)
    assert line.words() == ""
    assert not line.isVisible()


def test_a_second_look_begins_the_minute_anew(line: ContactLine) -> None:
    line.reveal(PLAIN)
    for _second in range(50):
        line._on_second()
    line.reveal(PLAIN)
    for _second in range(50):
        line._on_second()
    assert holds(line)
    line.conceal()


def test_whoever_wants_an_answer_is_marked(line: ContactLine) -> None:
    line.set_masked(MaskedContact("张*", "138****1234", True))
    assert line.words() == "张*  138****1234  wants an answer"


def test_without_the_permission_there_is_no_button(shown: Callable[..., QWidget]) -> None:
    line = ContactLine(Theme(), Actor(2, "李强", frozenset({"contact.masked"})))
    line.set_masked(MASKED)
    shown(line, 400, 40)
    assert not line.button.isVisible()
