"""A stall is legal at half past seven and a case at twenty to nine; the strip says which."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, cast

import pytest
import shapely
from PySide6.QtWidgets import QWidget

from db.registers.hours import Rule
from desktop.map.hours import HoursStrip
from desktop.map.overlays import Overlays
from desktop.map.view import MapView
from desktop.widgets.theme import Theme
from tests.db.live.rows import ZONE

MORNING = datetime(2026, 3, 16, 7, 32, tzinfo=ZONE)
SQUARE = shapely.box(117.1, 35.0, 117.11, 35.01)


def rule(name: str, begins: int, ends: int, *, allowed: bool) -> Rule:
    return Rule(1, name, "", "0", SQUARE, "1111111", begins, ends, allowed, date(2026, 1, 1), None)


RULES = (
    rule("早市", 5 * 60, 8 * 60 + 30, allowed=True),
    rule("严管", 8 * 60 + 30, 22 * 60, allowed=False),
    rule("夜市", 22 * 60, 26 * 60, allowed=True),
)


class Page:
    """Notes what is laid over the map."""

    laid: dict[str, Any]

    def put(self, _section: str, value: dict[str, Any]) -> int:
        self.laid = value
        return 0

    @property
    def words(self) -> list[str]:
        return [shape["words"] for shape in self.laid["shapes"]]


@pytest.fixture
def strip(shown: Callable[..., QWidget]) -> tuple[HoursStrip, Page]:
    page = Page()
    made = HoursStrip(Theme(), Overlays(cast(MapView, page)))
    shown(made, 700, 44)
    made.open(RULES, MORNING)
    return made, page


@pytest.mark.parametrize(
    "minute,words",
    [
        (7 * 60 + 30, ["早市 until 08:30"]),
        (8 * 60 + 40, ["严管 until 22:00"]),
        (4 * 60, []),
        (23 * 60, ["夜市 until 02:00"]),
        (60, ["夜市 until 02:00"]),
    ],
)
def test_each_minute_shows_the_rules_that_hold_then(
    strip: tuple[HoursStrip, Page], minute: int, words: list[str]
) -> None:
    hours, page = strip
    hours.go_to(minute)
    assert page.words == words


def test_it_begins_at_the_present_minute_and_comes_back_to_it(strip: tuple[HoursStrip, Page]) -> None:
    hours, page = strip
    assert hours._time.text() == "07:32"
    hours.go_to(12 * 60)
    assert hours._time.text() == "12:00"
    hours.go_to_now()
    assert (hours._time.text(), page.words) == ("07:32", ["早市 until 08:30"])


def test_the_legend_names_only_what_is_there(strip: tuple[HoursStrip, Page]) -> None:
    hours, page = strip
    assert [entry["words"] for entry in page.laid["legend"]] == ["Allowed at this time"]
    hours.go_to(9 * 60)
    assert [entry["words"] for entry in page.laid["legend"]] == ["Forbidden at this time"]


def test_leaving_takes_the_layer_away(strip: tuple[HoursStrip, Page]) -> None:
    hours, page = strip
    hours.leave()
    assert not hours.isVisible()
    assert page.laid == {"shapes": [], "legend": []}
