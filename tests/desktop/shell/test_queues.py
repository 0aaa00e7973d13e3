"""The strip of queues: true numbers, a key each, one's own first, lit as long as its filter is in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QWidget

from db.kernel.actor import Actor
from db.live.filters import Filter
from db.live.lens import Lens
from db.live.queues import QUEUES, counts
from desktop.core.context import Context
from desktop.shell.queues import FIRST, KEYS, Pinned, QueueStrip, in_order
from desktop.widgets.theme import Theme
from tests.db.live.rows import NOON, case_row, delta_of
from tests.desktop.seeded import OFFICER, context_of, invented


@pytest.fixture
def context() -> Context:
    return context_of(invented(300), OFFICER)


@pytest.fixture
def strip(context: Context, shown: Callable[..., QWidget]) -> QueueStrip:
    made = QueueStrip(Theme(), context)
    shown(made, 1500, 36)
    return made


def test_opening_a_queue_shows_exactly_as_many_cases_as_its_tab_says(
    strip: QueueStrip, context: Context
) -> None:
    found = counts(context.board, context.who)
    for key, tab in strip.tabs().items():
        assert tab.count == found[key]
        QTest.mouseClick(tab, Qt.MouseButton.LeftButton)
        assert context.board.lens.count == tab.count
        assert strip.lit() == key


def test_the_lit_queue_pressed_again_shows_everything(strip: QueueStrip, context: Context) -> None:
    strip.open("overdue")
    strip.open("overdue")
    assert context.filter == Filter()
    assert strip.lit() == ""


def test_a_queue_stays_lit_while_it_is_narrowed_further(strip: QueueStrip, context: Context) -> None:
    strip.open("in_hand")
    context.set_filter(replace(context.filter, districts=frozenset({1})))
    assert strip.lit() == "in_hand"
    context.set_filter(Filter(states=frozenset({"handling"})))
    assert strip.lit() == ""


def test_numbers_follow_the_news(strip: QueueStrip, context: Context) -> None:
    before = strip.tabs()["accept"].count
    context.announce(context.board.apply(delta_of([case_row(9_001, state="reported", reported_at=NOON)])))
    tab = strip.tabs()["accept"]
    assert tab.count == before + 1
    assert f"{before + 1} cases" in tab.accessibleName()


@pytest.mark.parametrize("role", FIRST)
def test_ones_own_queues_stand_first_and_none_is_lost(role: str) -> None:
    ids = [queue.id for queue in in_order((role,))]
    assert tuple(ids[: len(FIRST[role])]) == FIRST[role]
    assert sorted(ids) == sorted(queue.id for queue in QUEUES)


def test_each_queue_has_a_key_by_its_place(strip: QueueStrip) -> None:
    acts = strip.acts()
    assert [act.keys for act in acts] == list(KEYS)
    ordered: list[str] = []
    strip.ordered.connect(ordered.append)
    acts[0].run()
    assert strip.lit() == FIRST["duty_leader"][0]
    assert ordered == ["reported_at"]


def test_arrows_walk_and_enter_opens(strip: QueueStrip) -> None:
    keys = list(strip.tabs())
    strip.tabs()[keys[0]].setFocus()
    QTest.keyClick(strip.tabs()[keys[0]], Qt.Key.Key_Right)
    assert strip.focusWidget() is strip.tabs()[keys[1]]
    QTest.keyClick(strip.tabs()[keys[1]], Qt.Key.Key_Return)
    assert strip.lit() == keys[1]
    QTest.keyClick(strip.tabs()[keys[0]], Qt.Key.Key_Left)
    assert strip.focusWidget() is strip.tabs()[keys[-1]]


def test_pinned_filters_stand_behind_the_queues(strip: QueueStrip, context: Context) -> None:
    mine = Filter(districts=frozenset({2}), lights=frozenset({2}))
    strip.set_pinned([Pinned(5, "北辛超期", mine)])
    assert list(strip.tabs())[-1] == "kept_5"
    assert strip.tabs()["kept_5"].count == Lens(context.board.store, mine).count
    strip.open("kept_5")
    assert context.filter == mine
    assert strip.lit() == "kept_5"
    context.toggle("districts", 3)
    assert strip.lit() == "overdue"
    strip.set_pinned([])
    assert "kept_5" not in strip.tabs()


def test_on_a_narrow_screen_the_last_ones_wait_in_a_menu(
    context: Context, shown: Callable[..., QWidget]
) -> None:
    strip = QueueStrip(Theme(), context)
    shown(strip, 420, 36)
    hidden = [key for key, tab in strip.tabs().items() if tab.isHidden()]
    assert hidden
    assert strip._more.isVisible()
    right = max(tab.geometry().right() for tab in strip.tabs().values() if not tab.isHidden())
    assert right < strip._more.geometry().left() + 1 < strip.width()
    strip._more.click()
    (menu,) = strip.findChildren(QMenu)
    assert len(menu.actions()) == len(hidden)
    menu.actions()[0].trigger()
    assert strip.lit() == "" or strip.lit() in hidden
    menu.close()


def test_nobodys_queue_is_counted_before_there_are_cases(shown: Callable[..., QWidget]) -> None:
    context = context_of((), Actor(1, "x", frozenset({"room.view"})), live=False)
    strip = QueueStrip(Theme(), context)
    shown(strip, 1500, 36)
    assert {tab.count for tab in strip.tabs().values()} == {-1}
