"""Every number in the figures pane is the length of the list that its click opens."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from db.live.filters import Filter, Scope
from db.live.tally import HOUR_MS
from desktop.core.context import DataAge, Freshness
from desktop.kpi.pane import CARDS, KpiPane, percent
from desktop.widgets.theme import Theme
from tests.db.live.rows import DAY, NOON, case_row, delta_of
from tests.desktop.seeded import OFFICER, context_of, invented

BASES = [
    Filter(),
    Filter(units=frozenset({1, 2})),
    Filter(districts=frozenset({0, 3}), sources=frozenset({"hotline", "app", "collector"})),
    Filter(majors=frozenset({"s/01"})),
    Filter(text="荆河路"),
    Filter(scope=Scope.ALL),
    Filter(scope=Scope.ALL, arrived=(DAY, None)),
    Filter(scope=Scope.TODAY_CLOSED),
]
SEEDS = (1, 2, 3)


class Figures:
    def __init__(self, shown: Callable[..., QWidget], seed: int = 1, count: int = 300) -> None:
        self.context = context_of(invented(count, seed), OFFICER)
        self.pane = KpiPane(Theme(), self.context)
        shown(self.pane, 420, 1000)

    def figure(self, key: str) -> int:
        return int(self.pane.cards.cards[key]._number.replace(",", ""))

    def press(self, key: str) -> int:
        self.pane.cards.cards[key].click()
        return self.context.board.lens.count

    def on(self) -> list[str]:
        return [key for key, card in self.pane.cards.cards.items() if card.is_on()]

    def fresh(self, base: Filter) -> None:
        self.context.set_filter(base)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("base", BASES)
def test_a_card_opens_exactly_as_many_cases_as_it_says(
    shown: Callable[..., QWidget], base: Filter, seed: int
) -> None:
    figures = Figures(shown, seed)
    for key in ("open", "due", "overdue", "today"):
        figures.fresh(base)
        if key in figures.on():
            continue
        promised = figures.figure(key)
        assert figures.press(key) == promised, key


@pytest.mark.parametrize("base", BASES)
def test_the_rate_of_closing_opens_the_cases_closed_today(
    shown: Callable[..., QWidget], base: Filter
) -> None:
    figures = Figures(shown)
    figures.fresh(base)
    if "on_time" in figures.on():
        return
    promised = figures.context.board.figures().closed_today
    figures.press("on_time")
    store = figures.context.board.store
    listed = [store.plain(int(slot))["state"] for slot in figures.context.board.lens.rows]
    assert listed.count("closed") == promised


@pytest.mark.parametrize("by", ["unit", "district"])
@pytest.mark.parametrize("base", BASES)
def test_a_bar_and_each_colour_of_it_open_as_many_as_they_say(
    shown: Callable[..., QWidget], base: Filter, by: str
) -> None:
    figures = Figures(shown)
    if by == "district":
        figures.pane._on_by()
    part = f"{by}s"
    base = base.without(part)
    figures.fresh(base)
    bars = figures.pane.units
    for row, key in enumerate(bars.keys()):
        for place, segment in enumerate(("over", "soon")):
            promised = int(bars._counts[row][place])
            if promised:
                bars.picked.emit(key, segment)
                assert figures.context.board.lens.count == promised, (key, segment)
                figures.fresh(base)
        promised = int(bars._counts[row].sum())
        bars.picked.emit(key, "")
        assert figures.context.board.lens.count == promised, key
        assert bars._on == {key}
        figures.fresh(base)


@pytest.mark.parametrize("base", BASES)
def test_a_category_opens_as_many_as_it_says(shown: Callable[..., QWidget], base: Filter) -> None:
    figures = Figures(shown)
    figures.fresh(base)
    bars = figures.pane.categories
    assert bars.keys()
    for row, key in enumerate(bars.keys()):
        promised = int(bars._counts[row])
        bars.picked.emit(key)
        assert figures.context.board.lens.count == promised, key
        figures.fresh(base)


@pytest.mark.parametrize("base", BASES)
def test_every_bar_of_time_left_and_every_stretch_opens_as_many_as_it_says(
    shown: Callable[..., QWidget], base: Filter
) -> None:
    figures = Figures(shown)
    figures.fresh(base)
    left = figures.pane.left
    bins = len(left._counts)
    for first, last in [(each, each) for each in range(bins)] + [(0, bins - 1), (2, 7), (5, bins - 1)]:
        promised = int(left._counts[first : last + 1].sum())
        left.ranged.emit(*left._bounds(first, last))
        assert figures.context.board.lens.count == promised, (first, last)
        figures.fresh(base)


def test_a_card_is_checked_while_its_filter_is_on_however_it_came_on(
    shown: Callable[..., QWidget],
) -> None:
    figures = Figures(shown)
    assert figures.on() == []
    for key in ("due", "overdue", "today", "on_time"):
        figures.fresh(Filter())
        figures.press(key)
        assert figures.on() == [key]
        figures.press(key)
        assert figures.on() == []
        assert figures.context.filter == Filter()
    figures.context.set_filter(Filter(lights=frozenset({2})))
    assert figures.on() == ["overdue"]
    figures.context.set_filter(Filter(lights=frozenset({1, 2})))
    assert figures.on() == []


def test_a_card_over_another_range_takes_its_place(shown: Callable[..., QWidget]) -> None:
    figures = Figures(shown)
    figures.fresh(Filter(slack=(None, 0), lights=frozenset({1})))
    figures.press("due")
    assert figures.context.filter.slack == (0, 2 * HOUR_MS)
    figures.press("overdue")
    assert figures.context.filter.lights == {2}


def test_the_range_shown_is_the_range_of_the_filter(shown: Callable[..., QWidget]) -> None:
    figures = Figures(shown)
    figures.context.set_filter(Filter(slack=(-2 * HOUR_MS, 3 * HOUR_MS)))
    assert figures.pane.left._range == (-2.0, 3.0)
    figures.pane.left.cleared.emit()
    assert figures.context.filter == Filter()
    assert figures.pane.left._range is None


def test_a_second_press_on_a_colour_lets_the_light_go_and_keeps_the_row(
    shown: Callable[..., QWidget],
) -> None:
    figures = Figures(shown)
    figures.pane.units.picked.emit("1", "over")
    figures.pane.units.picked.emit("1", "over")
    assert figures.context.filter == Filter(units=frozenset({1}))


def test_card_that_opens_nothing_cannot_be_pressed(shown: Callable[..., QWidget]) -> None:
    figures = Figures(shown)
    figures.press("rework")
    assert figures.context.filter == Filter()


def test_charts_share_one_place_under_tabs_when_they_do_not_fit(shown: Callable[..., QWidget]) -> None:
    figures = Figures(shown)
    pane = figures.pane
    assert [key for key, chart in pane.charts.items() if chart.isVisible()] == list(pane.charts)
    assert not pane._tabs.isVisible()
    pane.resize(420, 560)
    assert pane._tabs.isVisible()
    assert [key for key, chart in pane.charts.items() if chart.isVisible()] == ["hours"]
    pane._tab_buttons["left"].click()
    assert [key for key, chart in pane.charts.items() if chart.isVisible()] == ["left"]
    assert [key for key, button in pane._tab_buttons.items() if button.isChecked()] == ["left"]
    pane.resize(420, 1000)
    assert all(chart.isVisible() for chart in pane.charts.values())


def test_two_hundred_updates_make_no_object_that_stays(shown: Callable[..., QWidget]) -> None:
    figures = Figures(shown)

    def update(turn: int) -> None:
        row = case_row(1_000 + turn % 5, state="handling", unit_id=1 + turn % 5, due_at=NOON + turn * 60_000)
        figures.context.announce(figures.context.board.apply(delta_of([row])))
        figures.context.set_filter(Filter(units=frozenset({turn % 3})) if turn % 2 else Filter())

    def objects() -> tuple[int, int]:
        gc.collect()
        return len(figures.pane.findChildren(QObject)), figures.pane.hours.item_count()

    for turn in range(20):
        update(turn)
    before = objects()
    for turn in range(200):
        update(turn)
    assert objects() == before


def test_lost_data_are_dated(shown: Callable[..., QWidget]) -> None:
    figures = Figures(shown)
    figures.context.set_age(DataAge(Freshness.LOST, NOON, "gone"))
    assert figures.pane.is_stale()
    figures.context.set_age(DataAge(Freshness.LIVE, NOON))
    assert not figures.pane.is_stale()


def test_an_empty_city_has_dashes_for_what_cannot_be_divided(shown: Callable[..., QWidget]) -> None:
    figures = Figures(shown, count=0)
    shown_figures = {key: card._number for key, card in figures.pane.cards.cards.items()}
    assert shown_figures == {
        "open": "0",
        "due": "0",
        "overdue": "0",
        "today": "0",
        "on_time": "—",
        "rework": "—",
    }
    assert percent(None) == "—"
    assert percent(0.98765) == "98.76%" or percent(0.98765) == "98.77%"


def test_every_card_has_a_definition(shown: Callable[..., QWidget]) -> None:
    figures = Figures(shown)
    for key in CARDS:
        assert figures.pane.cards.cards[key].accessibleDescription()


def selected(figures: Figures) -> int:
    """How many cases are selected; all of them stand in the list."""
    context = figures.context
    assert all(context.board.lens.row_of(case_id) is not None for case_id in context.selection)
    return len(context.selection)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("base", BASES)
def test_a_card_pressed_with_ctrl_selects_exactly_as_many_cases_as_it_says(
    shown: Callable[..., QWidget], base: Filter, seed: int
) -> None:
    figures = Figures(shown, seed)
    for key in ("open", "due", "overdue", "today"):
        figures.fresh(base)
        if key in figures.on():
            continue
        promised = figures.figure(key)
        card = figures.pane.cards.cards[key]
        QTest.mouseClick(card, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier)
        assert selected(figures) == promised, key


@pytest.mark.parametrize("base", BASES)
def test_a_bar_pressed_with_ctrl_selects_its_cases_and_with_shift_adds_them(
    shown: Callable[..., QWidget], base: Filter
) -> None:
    figures = Figures(shown)
    figures.fresh(base)
    bars = figures.pane.units
    for place, key in enumerate(bars.keys()[:3]):
        for column, segment in enumerate(("over", "soon")):
            figures.fresh(base)
            count = int(bars._counts[place][column])
            bars.taken.emit(key, segment, "replace")
            assert selected(figures) == count, (key, segment)
        figures.fresh(base)
        whole = int(bars._counts[place].sum())
        bars.taken.emit(key, "", "replace")
        assert selected(figures) == whole
    figures.fresh(Filter())
    first, second = bars.keys()[:2]
    counts = [int(row.sum()) for row in bars._counts[:2]]
    bars.taken.emit(first, "", "replace")
    bars.taken.emit(second, "", "add")
    assert selected(figures) == sum(counts)


def test_the_keyboard_selects_what_a_bar_counts_and_does_not_filter(shown: Callable[..., QWidget]) -> None:
    figures = Figures(shown)
    bars = figures.pane.categories
    QTest.keyClick(bars, Qt.Key.Key_Down)
    count = int(bars._counts[0])
    QTest.keyClick(bars, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert selected(figures) == count
    assert figures.context.filter.is_empty
    QTest.keyClick(bars, Qt.Key.Key_Down)
    QTest.keyClick(bars, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert selected(figures) == count + int(bars._counts[1])


def test_what_a_filter_hides_is_shown_before_it_is_selected(shown: Callable[..., QWidget]) -> None:
    figures = Figures(shown)
    figures.fresh(Filter(units=frozenset({1}), sources=frozenset({"hotline"})))
    bars = figures.pane.units
    keys = bars.keys()
    other = keys[1] if keys[0] == "1" else keys[0]
    count = int(bars._counts[keys.index(other)].sum())
    bars.taken.emit(other, "", "replace")
    assert selected(figures) == count
    assert figures.context.filter == Filter(sources=frozenset({"hotline"}))


def test_a_stretch_of_time_left_is_selected(shown: Callable[..., QWidget]) -> None:
    figures = Figures(shown)
    edges, counts = figures.pane.left._edges, figures.pane.left._counts
    figures.pane.left.taken.emit(float(edges[4]), float(edges[6]), "replace")
    assert selected(figures) == int(counts[4] + counts[5])
