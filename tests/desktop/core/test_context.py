"""One filter and one selection for all screens; each change is told once."""

from __future__ import annotations

from db.live.filters import Filter, Scope
from desktop.core.context import City, Context, DataAge, Freshness
from tests.db.live.rows import case_row, delta_of
from tests.desktop.seeded import context_of

UNIT_1 = Filter(units=frozenset({1}))


def told(context: Context) -> list[str]:
    heard: list[str] = []
    context.filter_changed.connect(lambda: heard.append("filter"))
    context.selection_changed.connect(lambda: heard.append("selection"))
    context.news.connect(lambda _news: heard.append("news"))
    context.age_changed.connect(lambda: heard.append("age"))
    return heard


def test_a_filter_is_told_once_and_only_when_it_is_another_one() -> None:
    context = context_of([case_row(1, unit_id=1), case_row(2, unit_id=2)])
    heard = told(context)
    context.set_filter(UNIT_1)
    context.set_filter(UNIT_1)
    assert heard == ["filter"]
    assert context.board.lens.count == 1


def test_a_value_toggled_twice_is_no_filter() -> None:
    context = context_of([case_row(1, unit_id=1)])
    context.toggle("units", 1)
    assert context.filter == UNIT_1
    context.toggle("units", 1)
    assert context.filter == Filter()


def test_escape_lets_go_of_the_selection_first_and_of_the_filter_then() -> None:
    context = context_of([case_row(1, unit_id=1)])
    context.set_filter(Filter(units=frozenset({1}), scope=Scope.ALL))
    context.select(frozenset({1}))
    context.widen()
    assert (context.selection, context.filter.is_empty) == (frozenset(), False)
    context.widen()
    assert context.filter == Filter(scope=Scope.OPEN)


def test_picking_replaces_toggles_or_adds() -> None:
    context = context_of([case_row(i) for i in (1, 2, 3)])
    context.pick(frozenset({1, 2}), "replace")
    context.pick(frozenset({2, 3}), "toggle")
    assert context.selection == {1, 3}
    context.pick(frozenset({2}), "add")
    assert context.selection == {1, 2, 3}


def test_a_selected_case_that_the_filter_hides_stays_selected() -> None:
    context = context_of([case_row(1, unit_id=1), case_row(2, unit_id=2)])
    context.select(frozenset({2}))
    context.set_filter(UNIT_1)
    assert context.selection == {2}


def test_a_case_that_left_is_no_longer_selected() -> None:
    context = context_of([case_row(1), case_row(2)])
    context.select(frozenset({1, 2}))
    heard = told(context)
    context.announce(context.board.apply(delta_of([], gone=[1])))
    assert context.selection == {2}
    assert heard == ["news", "selection"]


def test_news_of_nothing_is_not_told() -> None:
    context = context_of([case_row(1)])
    heard = told(context)
    context.announce(context.board.set_filter(context.filter))
    context.set_age(context.age)
    assert heard == []
    context.set_age(DataAge(Freshness.STALE, 0))
    assert heard == ["age"]


def test_a_city_without_an_english_name_keeps_its_own() -> None:
    assert City("滕州市", "", is_invented=False).label("en") == "滕州市"
    assert City("滕州市", "Tengzhou", is_invented=False).label("en") == "Tengzhou"
    assert City("滕州市", "Tengzhou", is_invented=False).label("zh_CN") == "滕州市"
