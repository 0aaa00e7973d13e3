"""Going into areas and out again: the filter, the level and the page say the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

from db.live.filters import Filter
from desktop.map.areas import PART_OF
from desktop.map.classes import Method
from desktop.map.shading import Shading
from desktop.map.view import MapView
from tests.db.live.rows import HOUR, NOON
from tests.desktop.map.chequered import SQUARES, case_in, cell_id, community_id, district_id, town

LATE = {"due_at": NOON - HOUR, "soon_at": NOON - 3 * HOUR}


class Page:
    """Notes what a page would have been told."""

    def __init__(self) -> None:
        self.put_: dict[str, Any] = {}
        self.ordered: list[tuple[str, Any]] = []
        self.looks: list[Any] = []
        self.heard: dict[str, Callable[[Any], None]] = {}
        self.layers: dict[str, bool] = {}

    def put(self, section: str, value: Any) -> int:
        self.put_[section] = value
        return 0

    def order(self, name: str, value: Any = None) -> None:
        self.ordered.append((name, value))

    def hear(self, name: str, listener: Callable[[Any], None]) -> None:
        self.heard[name] = listener

    def set_layers(self, layers: dict[str, bool]) -> int:
        self.layers.update(layers)
        return 0

    def fit(self, bounds: Any = None) -> int:
        self.looks.append(bounds)
        return 0

    def go_to(self, lon: float, lat: float, zoom: float | None = None) -> int:
        self.looks.append((lon, lat))
        return 0


@pytest.fixture
def room(application: Any) -> tuple[Shading, Page, Any]:
    rows = [case_in(n, n % 4, n // 4 % 4, **LATE) for n in range(1, 31)] + [case_in(99, 3, 3, **LATE)]
    context, page = town(rows), Page()
    shading = Shading(cast(MapView, page), context)
    shading.set_ground(SQUARES)
    return shading, page, context


def place(shading: Shading, area_id: int) -> int:
    layer = shading.layer(shading.level)
    assert layer is not None
    return layer.places[area_id]


def test_nothing_is_coloured_until_a_measure_is_chosen(room: tuple[Shading, Page, Any]) -> None:
    shading, page, _context = room
    assert "areas" not in page.put_
    shading.show("open")
    assert page.put_["areas"]["level"] == "district"
    assert page.layers == {"cases": False}
    shading.show("")
    assert page.put_["areas"] is None
    assert page.layers == {"cases": True}


def test_a_click_goes_in_level_by_level_and_backspace_comes_out(room: tuple[Shading, Page, Any]) -> None:
    shading, page, context = room
    shading.show("open")
    shading.enter(place(shading, district_id(0)))
    assert (shading.level, context.filter.districts) == ("community", {district_id(0)})
    assert page.put_["areas"]["crumbs"] == ["Squares", "District 0"]
    shading.enter(place(shading, community_id(0, 2)))
    assert (shading.level, context.filter.communities) == ("cell", {community_id(0, 2)})
    assert page.put_["areas"]["crumbs"] == ["Squares", "District 0", "Community 02"]
    shading.enter(place(shading, cell_id(1, 3)))
    assert (shading.level, context.filter.cells) == ("cell", {cell_id(1, 3)})
    assert page.put_["areas"]["chosen"] == [place(shading, cell_id(1, 3))]
    for level in ("cell", "community", "district"):
        assert shading.leave()
        assert shading.level == level
    assert context.filter == Filter()
    assert not shading.leave()
    assert page.looks[-1] is None


def test_the_list_holds_what_the_area_that_was_entered_said(room: tuple[Shading, Page, Any]) -> None:
    shading, _page, context = room
    shading.show("open")
    assert shading.shown is not None
    said = shading.shown.values[place(shading, district_id(2))]
    shading.enter(place(shading, district_id(2)))
    assert context.board.lens.count == said


def test_a_cell_clicked_twice_is_let_go_and_control_adds(room: tuple[Shading, Page, Any]) -> None:
    shading, _page, context = room
    shading.show("open")
    shading.set_level("cell")
    one, other = place(shading, cell_id(0, 0)), place(shading, cell_id(1, 0))
    shading.enter(one)
    shading.enter(other, more=True)
    assert context.filter.cells == {cell_id(0, 0), cell_id(1, 0)}
    shading.enter(other, more=True)
    shading.enter(one)
    assert context.filter == Filter()


def test_a_crumb_goes_up_at_once(room: tuple[Shading, Page, Any]) -> None:
    shading, _page, context = room
    shading.show("open")
    shading.enter(place(shading, district_id(0)))
    shading.enter(place(shading, community_id(0, 0)))
    shading.climb(1)
    assert (shading.level, context.filter) == ("community", Filter(districts=frozenset({district_id(0)})))
    shading.climb(0)
    assert (shading.level, context.filter) == ("district", Filter())


def test_areas_outside_of_the_one_gone_into_lose_their_colour(room: tuple[Shading, Page, Any]) -> None:
    shading, page, _context = room
    shading.show("open")
    shading.enter(place(shading, district_id(0)))
    layer = shading.layer("community")
    assert layer is not None
    inside = layer.parents == district_id(0)
    coloured = np.array(page.put_["areas"]["classes"]) > 0
    assert coloured.tolist() == inside.tolist()


def test_keys_step_from_the_worst_area_down_and_round(room: tuple[Shading, Page, Any]) -> None:
    shading, page, _context = room
    shading.show("open")
    assert shading.shown is not None
    order = np.argsort(-shading.shown.values, kind="stable").tolist()
    marked = []
    for way in (1, 1, 1, -1):
        shading.step(way)
        marked.append(page.ordered[-1][1]["place"])
    assert marked == [order[0], order[1], order[0], order[1]]
    words = page.ordered[-1][1]["words"]
    assert "open" in words
    assert "km²" in words


def test_the_pointer_is_told_what_it_points_at(room: tuple[Shading, Page, Any]) -> None:
    shading, page, _context = room
    shading.show("open")
    page.heard["area_pointed"](0)
    assert page.ordered[-1] == ("mark_area", {"place": 0, "words": shading._words(0)})
    page.heard["area_pointed"](-1)
    assert page.ordered[-1] == ("mark_area", {"place": -1, "words": ""})


def test_the_page_hears_only_of_what_changes_a_colour_or_a_word(room: tuple[Shading, Page, Any]) -> None:
    shading, page, context = room
    shading.show("open")
    page.put_.clear()
    shading.refresh()
    assert page.put_ == {}
    context.set_filter(Filter(text="N1"))
    assert "areas" in page.put_


def test_another_way_of_dividing_is_said_in_the_notes(room: tuple[Shading, Page, Any]) -> None:
    shading, page, _context = room
    shading.show("open")
    shading.set_method(Method.EQUAL)
    assert page.put_["areas"]["notes"] == ["Equal steps"]


def test_a_measure_that_needs_a_register_goes_to_the_level_that_has_it(
    room: tuple[Shading, Page, Any],
) -> None:
    shading, page, _context = room
    assert not shading.knows("patrol")
    planned = np.full(16, 4.0)
    planned[0] = np.nan
    shading.set_extra({"cell": {"planned": planned, "visited": np.arange(16.0)}})
    assert shading.knows("patrol")
    shading.show("patrol")
    assert page.put_["areas"]["level"] == "cell"
    assert page.put_["areas"]["classes"][0] == 0


def test_every_level_sets_a_part_of_the_filter() -> None:
    assert all(hasattr(Filter(), part) for part in PART_OF.values())
