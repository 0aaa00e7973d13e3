"""Collectors and vehicles: who is patched, what is said of them, who is near, what a trail shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget

from db.kernel.actor import Actor
from db.live.directory import Entry
from db.live.people import People
from db.people.tracking import Thresholds, Track, VehicleValue
from desktop.map.people import PeopleLayer, trail
from desktop.map.view import CASES, PEOPLE, VEHICLES
from tests.db.live.rows import NOON, case_row
from tests.desktop.seeded import GUEST, OFFICER, context_of

MINUTE = 60_000
ON, STALE, LOST = 0, 1, 2


class Recorder(QObject):
    """A map view that only remembers what it is told."""

    mark_picked = Signal(str, int)

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str, Any]] = []
        self.heard: dict[str, Callable[[Any], None]] = {}

    def set_hover_text(self, _provider: object, _layer: str) -> None: ...

    def hear(self, name: str, listener: Callable[[Any], None]) -> None:
        self.heard[name] = listener

    def set_points(self, layer: str, lon: Any, _lat: Any, style: Any, _shown: Any) -> None:
        self.told.append(("all", layer, (len(lon), style.tolist())))

    def patch_points(self, layer: str, slots: Any, _lon: Any, _lat: Any, style: Any, _shown: Any) -> None:
        self.told.append(("some", layer, (slots.tolist(), style.tolist())))

    def order(self, name: str, value: Any) -> None:
        self.told.append(("order", name, json.loads(json.dumps(value))))

    def put(self, section: str, value: Any) -> None:
        self.told.append(("put", section, value))


class Street:
    def __init__(self, who: Actor = OFFICER, parent: QWidget | None = None) -> None:
        self.context = context_of([case_row(1, lon=117.10, lat=35.10)], who)
        self.context.board.directory.persons[7] = Entry(7, "P7", "王敏", "", parent_id=1)
        self.context.board.directory.persons[8] = Entry(8, "P8", "李强", "", parent_id=2)
        self.view = Recorder()
        self.people((7, 117.11, NOON), (8, 117.12, NOON - 5 * MINUTE))
        self.layer = PeopleLayer(self.view, self.context, parent)  # type: ignore[arg-type]
        self.layer._beat.stop()

    def people(self, *places: tuple[int, float, int]) -> None:
        ids, lon, at = (np.array(column) for column in zip(*places, strict=True))
        self.context.board.people = People(ids, lon, np.full(len(ids), 35.1), at)

    def said(self) -> list[tuple[str, str, Any]]:
        told, self.view.told = self.view.told, []
        return told


@pytest.fixture
def street(application: QObject) -> Street:
    return Street()


def test_all_come_once_and_then_only_who_moved_or_fell_silent(street: Street) -> None:
    assert street.said() == [("all", PEOPLE, (2, [ON, STALE]))]
    street.layer.refresh()
    assert street.said() == []
    street.people((8, 117.13, NOON), (7, 117.11, NOON))
    street.layer.refresh()
    assert street.said() == [("some", PEOPLE, ([1], [ON]))]
    street.context.board.tick(NOON + 20 * MINUTE)
    street.layer.refresh()
    assert street.said() == [("some", PEOPLE, ([0, 1], [LOST, LOST]))]


def test_a_newcomer_is_added_and_when_somebody_leaves_all_are_laid_anew(street: Street) -> None:
    street.said()
    street.people((7, 117.11, NOON), (8, 117.12, NOON - 5 * MINUTE), (9, 117.2, NOON))
    street.layer.refresh()
    assert street.said() == [("some", PEOPLE, ([2], [ON]))]
    street.people((9, 117.2, NOON))
    street.layer.refresh()
    assert street.said() == [("all", PEOPLE, (1, [ON]))]


def test_the_thresholds_are_those_of_the_bureau(street: Street) -> None:
    street.said()
    street.layer.set_thresholds(Thresholds(10 * MINUTE, 20 * MINUTE))
    assert street.said() == [("some", PEOPLE, ([1], [ON]))]


def test_a_card_tells_name_signal_unit_and_when_heard_of(street: Street) -> None:
    card = street.layer.card(1)
    assert card is not None
    assert (card.title, card.remaining, card.tone) == ("李强", "Stale", STALE)
    assert card.lines == ("Unit 2 · P8", "seen 11:55:00")
    assert street.layer.card(9) is None


def test_vehicles_are_a_layer_of_their_own(street: Street) -> None:
    street.said()
    street.layer.set_vehicles([VehicleValue(3, "鲁D·1001", "", "enforcement", 1, 117.1, 35.1, NOON)])
    assert street.said() == [("all", VEHICLES, (1, [ON]))]
    card = street.layer.vehicle_card(0)
    assert card is not None
    assert (card.title, card.lines[0]) == ("鲁D·1001", "Enforcement vehicle · Unit 1")


def test_the_nearest_are_listed_with_their_distance_and_the_lost_come_last(street: Street) -> None:
    street.people((7, 117.101, 1), (8, 117.15, NOON))
    street.layer.refresh()
    street.said()
    street.view.heard["nearest"]([CASES, 0])
    ((kind, name, value),) = street.said()
    assert (kind, name, value["title"]) == ("order", "list", "Nearest to N1")
    assert [(row["title"].split(" · ")[0], row["note"]) for row in value["rows"]] == [
        ("李强", "4.5 km"),
        ("王敏", "91 m · Lost"),
    ]


def test_nobody_is_near_to_a_case_without_a_place(application: QObject) -> None:
    street = Street()
    street.context.board.store.lon[0] = np.nan
    street.said()
    street.view.heard["nearest"]([CASES, 0])
    assert street.said() == []


def test_who_is_followed_is_told_by_name(street: Street) -> None:
    names: list[str] = []
    street.layer.followed.connect(names.append)
    street.view.heard["followed"]([PEOPLE, 0])
    street.view.heard["followed"]([PEOPLE, -1])
    assert names == ["王敏", ""]


@pytest.mark.parametrize("who,may", [(OFFICER, True), (GUEST, False)])
def test_a_track_is_asked_for_only_by_who_may_see_it(
    shown: Callable[..., QWidget], who: Actor, may: bool
) -> None:
    street = Street(who, shown(QWidget(), 100, 100))
    asked: list[tuple[object, str]] = []
    street.layer.track_asked.connect(lambda person, name: asked.append((person, name)))
    street.view.mark_picked.emit(PEOPLE, 0)
    menu = street.layer._menu
    assert isinstance(menu, QMenu)
    track = next(action for action in menu.actions() if action.text().startswith("See the track"))
    track.trigger()
    menu.close()
    assert asked == ([(7, "王敏")] if may else [])


def test_a_trail_is_broken_where_nothing_was_told_and_marks_halts(street: Street) -> None:
    # Ten minutes' walk, eleven minutes at one place, then silence for an hour, then one more place.
    minutes = [0, 4, 8, 10, 14, 18, 21, 81]
    lon = [117.100, 117.102, 117.104, 117.106, 117.106, 117.106, 117.106, 117.12]
    at = NOON + np.array(minutes) * MINUTE
    drawn = trail(Track(7, at, np.array(lon), np.full(8, 35.1)), street.context)
    assert [len(line) // 2 for line in drawn["lines"]] == [7, 1]
    assert [words for _lon, _lat, words in drawn["stops"]] == ["12:00", "12:10–12:21", "13:21"]
    nothing = Track(7, np.empty(0, np.int64), np.empty(0), np.empty(0))
    assert trail(nothing, street.context) == {"lines": [], "stops": []}
