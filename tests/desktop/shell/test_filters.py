"""The strip of filters: a chip a part, a sentence that is always true, a menu that keeps its promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QMenu, QWidget

from db.live.filters import Filter, Scope
from desktop.core.context import Context
from desktop.core.words import count_sentence
from desktop.shell.filters import PARTS, FilterStrip
from desktop.widgets.theme import Theme
from tests.db.live.rows import DAY, case_row, delta_of
from tests.desktop.seeded import OFFICER, context_of, invented

FULL = Filter(
    lights=frozenset({1, 2}), units=frozenset({1}), slack=(0, 3_600_000), text="路", arrived=(DAY, None)
)


class Strip:
    def __init__(self, shown: Callable[..., QWidget], context: Context | None = None) -> None:
        self.context = context or context_of(invented(300), OFFICER)
        self.strip = FilterStrip(Theme(), self.context)
        shown(self.strip, 1200, 40)

    def parts(self) -> list[str]:
        return [chip.key for chip in self.strip.chips()]

    def menu(self) -> QMenu:
        return self.strip.findChildren(QMenu)[-1]


@pytest.fixture
def strip(shown: Callable[..., QWidget]) -> Strip:
    return Strip(shown)


def test_chips_are_taken_off_one_by_one(strip: Strip) -> None:
    strip.context.set_filter(FULL)
    keys = strip.parts()
    assert keys == ["lights", "units", "slack", "arrived", "text"]
    for key in keys:
        strip.strip.removed.emit(key)
        assert key not in strip.parts()
    assert strip.context.filter == Filter()


def test_clear_takes_all_of_them_off(strip: Strip) -> None:
    strip.context.set_filter(FULL)
    strip.strip.cleared.emit()
    assert strip.context.filter == Filter()
    assert strip.parts() == []


def test_the_scope_is_a_chip_of_its_own(strip: Strip) -> None:
    strip.context.set_filter(Filter(scope=Scope.TODAY_CLOSED, units=frozenset({1})))
    assert strip.parts() == ["scope", "units"]
    strip.strip.removed.emit("scope")
    assert strip.context.filter == Filter(units=frozenset({1}))


def test_the_sentence_is_true_after_every_filter_and_every_piece_of_news(strip: Strip) -> None:
    board = strip.context.board

    def is_true() -> bool:
        return strip.strip.count_text() == count_sentence(
            board.lens.count, board.lens.total_open, board.lens.filter
        )

    for chosen in (Filter(), FULL, Filter(scope=Scope.ALL), Filter(units=frozenset({2}))):
        strip.context.set_filter(chosen)
        assert is_true()
    for turn in range(5):
        strip.context.announce(board.apply(delta_of([case_row(5_000 + turn, unit_id=2)], gone=[turn + 1])))
        assert is_true()


def test_before_the_first_data_the_strip_claims_no_count(shown: Callable[..., QWidget]) -> None:
    strip = Strip(shown, context_of([], OFFICER, live=False))
    assert strip.strip.count_text() == ""


@pytest.mark.parametrize("part", PARTS)
def test_an_entry_of_the_menu_opens_as_many_as_it_says(strip: Strip, part: str) -> None:
    for value, words, promised in strip.strip._choices(part):
        strip.strip._toggle(part, value)
        assert strip.context.board.lens.count == promised, words
        strip.context.set_filter(Filter())


def test_the_menu_has_every_part_and_marks_what_is_chosen(strip: Strip) -> None:
    strip.context.set_filter(Filter(units=frozenset({1}), no_position=True))
    strip.strip.open_menu()
    menu = strip.menu()
    top = next(menu for menu in strip.strip.findChildren(QMenu) if menu.parent() is strip.strip)
    titles = [action.text() for action in top.actions() if not action.isSeparator()]
    assert titles == [*PARTS.values(), "Without position"]
    assert top.actions()[-1].isChecked()
    strip.strip._on_opened("units")
    checked = [action.text() for action in strip.menu().actions() if action.isChecked()]
    assert [text.split("\t")[0] for text in checked] == ["Unit 1"]
    assert menu is not None


def test_names_with_an_ampersand_are_shown_as_they_are(shown: Callable[..., QWidget]) -> None:
    context = context_of([case_row(1, unit_id=1)], OFFICER)
    entry = context.board.directory.units[1]
    object.__setattr__(entry, "name_en", "Roads & Bridges")
    try:
        strip = Strip(shown, context)
        strip.strip._on_opened("units")
        assert strip.menu().actions()[0].text().startswith("Roads && Bridges")
    finally:
        object.__setattr__(entry, "name_en", "Unit 1")
