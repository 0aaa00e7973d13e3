"""Collectors and vehicles on the map: where, how fresh, who is near, who is followed, where one has been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu, QWidget

from db.kernel.actor import Actor
from db.kernel.geo import EARTH_METRES
from db.kernel.language import N_, _, language
from db.people.tracking import SEE_TRACKS, SIGNAL_LABELS, Thresholds, Track, VehicleValue
from db.people.tracking import Signal as Freshness
from desktop.core.context import Context
from desktop.core.words import clock_time, number
from desktop.map.bridge import HoverCard, list_row
from desktop.map.view import CASES, PEOPLE, VEHICLES, MapView

Floats = npt.NDArray[np.float64]

BEAT_MS = 1000
MOST_NEAR = 8
_HALT_MS = 10 * 60_000
"""Who stays within ``_HALT_METRES`` for so long halts: the trail says when."""
_HALT_METRES = 40.0
_GAP_MS = 5 * 60_000
"""A track that tells nothing for so long is broken there: the way between is not known."""
VEHICLE_KINDS = {
    "enforcement": N_("Enforcement vehicle"),  # zh: 执法车
    "sanitation": N_("Sanitation vehicle"),  # zh: 环卫车
    "service": N_("Repair vehicle"),  # zh: 抢修车
}


@dataclass
class _Crew:
    """What of one layer is on the map: slot by id, and the columns last sent."""

    slots: dict[int, int] = field(default_factory=dict)
    lon: Floats = field(default_factory=lambda: np.empty(0))
    lat: Floats = field(default_factory=lambda: np.empty(0))
    style: npt.NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    at: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


class PeopleLayer(QObject):
    """Sends the page once a second who moved or fell silent, and nothing of the others."""

    counted = Signal(int, int)
    """How many collectors there are, and how many of them are lost."""
    followed = Signal(str)
    """The name of who is followed, "" when nobody is any more."""
    track_asked = Signal(object, str)
    """The id and the name of a person whose track somebody wants to see."""

    def __init__(self, view: MapView, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._context = context
        self._parent = parent
        self._limits = Thresholds()
        self._crews = {PEOPLE: _Crew(), VEHICLES: _Crew()}
        self._vehicles: dict[int, VehicleValue] = {}
        self._followed = ""
        self._menu: QMenu | None = None
        view.set_hover_text(self.card, PEOPLE)
        view.set_hover_text(self.vehicle_card, VEHICLES)
        view.mark_picked.connect(self._on_picked)
        view.hear("nearest", lambda mark: self.show_nearest(*mark))
        view.hear("followed", lambda mark: self._on_followed(*mark))
        self._beat = QTimer(self)
        self._beat.setInterval(BEAT_MS)
        self._beat.timeout.connect(self.refresh)
        self._beat.start()
        self.refresh()

    def set_thresholds(self, limits: Thresholds) -> None:
        """From which age a signal is stale and lost in this bureau."""
        self._limits = limits
        self.refresh()

    def set_vehicles(self, vehicles: Sequence[VehicleValue]) -> None:
        """Take all vehicles with their newest places."""
        self._vehicles = {vehicle.id: vehicle for vehicle in vehicles}
        self.refresh()

    def refresh(self) -> None:
        """Look who moved or fell silent and patch just those."""
        people = self._context.board.people
        self._patch(PEOPLE, people.ids, people.lon, people.lat, people.at)
        fleet = list(self._vehicles.values())
        self._patch(
            VEHICLES,
            np.array([each.id for each in fleet], np.int64),
            np.array([each.lon for each in fleet], np.float64),
            np.array([each.lat for each in fleet], np.float64),
            np.array([each.at_ms for each in fleet], np.int64),
        )
        style = self._crews[PEOPLE].style
        self.counted.emit(len(people), int(np.count_nonzero(style == Freshness.LOST)))

    def _patch(
        self,
        layer: str,
        ids: npt.NDArray[np.int64],
        lon: Floats,
        lat: Floats,
        at: npt.NDArray[np.int64],
    ) -> None:
        crew = self._crews[layer]
        if set(crew.slots) - set(ids.tolist()):
            crew.slots.clear()  # somebody left: everybody gets a new slot
        fresh = not crew.slots
        slots = np.array([crew.slots.setdefault(each, len(crew.slots)) for each in ids.tolist()], np.int64)
        order = np.argsort(slots)
        lon, lat, at = lon[order], lat[order], at[order]
        style = self._limits.signals(at, self._context.board.now_ms)
        shown = np.ones(len(ids), bool)
        known = len(crew.lon)
        if fresh:
            if len(ids) or known:
                self._view.set_points(layer, lon, lat, style, shown)
        else:
            same = np.zeros(len(ids), bool)
            same[:known] = (
                (lon[:known] == crew.lon) & (lat[:known] == crew.lat) & (style[:known] == crew.style)
            )
            changed = np.flatnonzero(~same)
            if len(changed):
                self._view.patch_points(
                    layer, changed, lon[changed], lat[changed], style[changed], shown[changed]
                )
        crew.lon, crew.lat, crew.style, crew.at = lon, lat, style, at

    def _id(self, layer: str, slot: int) -> int | None:
        ids = list(self._crews[layer].slots)
        return ids[slot] if slot < len(ids) else None

    # What is said

    def card(self, slot: int) -> HoverCard | None:
        """Name, unit, staff number, and when the person was heard of."""
        person_id = self._id(PEOPLE, slot)
        store = self._context.board.store
        entry = store.directory.persons.get(person_id or 0)
        if entry is None:
            return None
        unit = store.directory.label("unit", entry.parent_id or 0, language())
        return HoverCard(
            entry.name, *self._signal(PEOPLE, slot), (f"{unit} · {entry.code}", self._seen(PEOPLE, slot))
        )

    def vehicle_card(self, slot: int) -> HoverCard | None:
        """Number plate, kind, unit, and when the vehicle was heard of."""
        vehicle = self._vehicles.get(self._id(VEHICLES, slot) or 0)
        if vehicle is None:
            return None
        unit = self._context.board.directory.label("unit", vehicle.unit_id, language())
        kind = _(VEHICLE_KINDS.get(vehicle.kind, vehicle.kind))
        return HoverCard(
            vehicle.code, *self._signal(VEHICLES, slot), (f"{kind} · {unit}", self._seen(VEHICLES, slot))
        )

    def _signal(self, layer: str, slot: int) -> tuple[str, int]:
        style = Freshness(int(self._crews[layer].style[slot]))
        return _(SIGNAL_LABELS[style]), int(style)

    def _seen(self, layer: str, slot: int) -> str:
        at = int(self._crews[layer].at[slot])
        return _("seen {time}").format(time=clock_time(at, self._context.zone, seconds=True)) if at else ""

    # Who is near

    def nearest(self, lon: float, lat: float) -> list[tuple[str, int, float]]:
        """Layer, slot and distance in metres of who is nearest to a place; whoever is lost comes last."""
        found: list[tuple[bool, float, str, int]] = []
        for layer, crew in self._crews.items():
            metres = np.hypot((crew.lon - lon) * np.cos(np.radians(lat)), crew.lat - lat) * np.radians(
                EARTH_METRES
            )
            known = np.flatnonzero(~np.isnan(metres))
            found += [
                (bool(crew.style[slot] == Freshness.LOST), float(metres[slot]), layer, int(slot))
                for slot in known
            ]
        return [(layer, slot, metres) for _lost, metres, layer, slot in sorted(found)[:MOST_NEAR]]

    def show_nearest(self, layer: str, slot: int) -> None:
        """List beside the map who is nearest to a mark, a case as a rule."""
        store = self._context.board.store
        if layer == CASES:
            if slot >= store.size or np.isnan(store.lon[slot]):
                return
            lon, lat = float(store.lon[slot]), float(store.lat[slot])
            title = _("Nearest to {what}").format(what=store.plain(slot)["number"])
        elif layer in self._crews:
            crew = self._crews[layer]
            lon, lat = float(crew.lon[slot]), float(crew.lat[slot])
            title = _("Nearest to {what}").format(what=self._name(layer, slot))
        else:
            return
        rows = []
        for near, index, metres in self.nearest(lon, lat):
            card = self.card(index) if near == PEOPLE else self.vehicle_card(index)
            if card is not None and (near, index) != (layer, slot):
                signal = "" if card.tone == Freshness.ONLINE else f" · {card.remaining}"
                rows.append(list_row(near, index, card, _away(metres) + signal))
        self._view.order("list", {"title": title, "rows": rows})

    # What the hand did

    def _on_picked(self, layer: str, slot: int) -> None:
        if layer not in self._crews or self._parent is None:
            return
        name = self._name(layer, slot)
        self._menu = menu = QMenu(self._parent)
        # zh: 跟随 {name}
        words = _("Stop following {name}") if self._followed == name else _("Follow {name}")
        goal = -1 if self._followed == name else slot
        menu.addAction(words.format(name=name)).triggered.connect(
            lambda: self._view.order("follow", [layer, goal])
        )
        menu.addAction(_("Who is nearest")).triggered.connect(lambda: self.show_nearest(layer, slot))
        if layer == PEOPLE:
            # zh: 查看轨迹…
            track = menu.addAction(_("See the track…"))
            person_id = self._id(layer, slot)
            track.triggered.connect(lambda: self.track_asked.emit(person_id, name))
            if not may_see_tracks(self._context.who):
                track.setEnabled(False)
                track.setText(_("See the track (your role may not)"))
        # zh: 隐藏轨迹
        menu.addAction(_("Hide the track")).triggered.connect(lambda: self._view.put("trail", None))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(QCursor.pos())

    def _name(self, layer: str, slot: int) -> str:
        card = self.card(slot) if layer == PEOPLE else self.vehicle_card(slot)
        return card.title if card else ""

    def _on_followed(self, layer: str, slot: int) -> None:
        self._followed = self._name(layer, slot) if slot >= 0 else ""
        self.followed.emit(self._followed)

    def show_track(self, track: Track) -> None:
        """Draw where somebody has been; where nothing was told for minutes, the line is broken."""
        self._view.put("trail", trail(track, self._context))


def _away(metres: float) -> str:
    if metres < 1000:
        return _("{count} m").format(count=number(round(metres)))
    return _("{count} km").format(count=f"{metres / 1000:.1f}")


def may_see_tracks(who: Actor) -> bool:
    """Whether the person at this screen may look at tracks at all."""
    return who.may(SEE_TRACKS)


def trail(track: Track, context: Context) -> dict[str, Any]:
    """A track as the page draws it: lines without gaps in time, and the moments of ends and halts."""
    if not len(track):
        return {"lines": [], "stops": []}
    breaks = np.flatnonzero(np.diff(track.at) > _GAP_MS) + 1
    lines = [
        np.column_stack([track.lon[part], track.lat[part]]).ravel().tolist()
        for part in np.split(np.arange(len(track)), breaks)
    ]
    stops = [
        [float(track.lon[first]), float(track.lat[first]), _times(track, first, last, context)]
        for first, last in _halts(track)
    ]
    return {"lines": lines, "stops": stops}


def _times(track: Track, first: int, last: int, context: Context) -> str:
    begins, ends = (clock_time(int(track.at[place]), context.zone) for place in (first, last))
    return begins if begins == ends else f"{begins}–{ends}"


def _halts(track: Track) -> list[tuple[int, int]]:
    """First and last place of each halt; the ends of the track are always among them."""
    east = np.cos(np.radians(track.lat)) * track.lon * np.radians(EARTH_METRES)
    north = track.lat * np.radians(EARTH_METRES)
    found: list[tuple[int, int]] = []
    first = 0
    for place in range(1, len(track) + 1):
        away = place < len(track) and np.hypot(east[place] - east[first], north[place] - north[first])
        if place < len(track) and away <= _HALT_METRES:
            continue
        if track.at[place - 1] - track.at[first] >= _HALT_MS:
            found.append((first, place - 1))
        first = place
    last = len(track) - 1
    if not found or found[0][0] > 0:
        found.insert(0, (0, 0))
    if found[-1][1] < last:
        found.append((last, last))
    return found
