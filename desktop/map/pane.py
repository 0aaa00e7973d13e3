"""The map pane: live cases and collectors over the base map, linked with the other panes."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from db.cases.rules import STATES, Light
from db.kernel.language import N_, _, language
from db.live.board import News
from db.registers.queries import BaseMap as RegisterMap
from desktop.core.context import Context
from desktop.core.words import number, time_left
from desktop.map.bridge import HoverCard
from desktop.map.components import ComponentLayer
from desktop.map.drawing import Tools
from desktop.map.ground import ground
from desktop.map.hours import HoursStrip
from desktop.map.overlays import Overlays
from desktop.map.people import PeopleLayer
from desktop.map.shading import Shading
from desktop.map.tiles import TileSets
from desktop.map.view import CASES, MapView
from desktop.widgets.button import Button
from desktop.widgets.pane import Pane
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

LAYER_NAMES = {
    "cases": N_("Cases"),
    # zh: 部件
    "components": N_("Components"),
    "people": N_("Collectors"),
    # zh: 执法车辆
    "vehicles": N_("Vehicles"),
    # zh: 底图图片
    "tiles": N_("Picture map"),
    "districts": N_("Districts"),
    "communities": N_("Communities"),
    "cells": N_("Cells"),
    "roads": N_("Roads"),
    "names": N_("Road names"),
    "water": N_("Water"),
    "parks": N_("Parks"),
    # zh: 热力图
    "density": N_("Heat map"),
    # zh: 标注
    "labels": N_("Labels"),
    "legend": N_("Legend"),
}
"""What can be switched on and off."""
_MOST = (0.5, 99.5)
"""Percentiles between which the first view lies."""


def page_words() -> dict[str, str]:
    """What the page says, in the reader's language."""
    return {
        "loading": _("The map is being drawn…"),
        "returning": _("The map stopped and is coming back…"),
        "returning_often": _(
            "The map stopped {count} times within a minute. It tries again in {seconds} s; the list works on."
        ),
        "no_ground": _("No base map in this database"),
        "no_points": _("No case with a position"),
        "on_time": _("On time"),
        "soon": _("Due soon"),
        "over": _("Overdue"),
        "no_clock": _("Clock not running"),
        "person": _("Collector"),
        "person_stale": _("Collector, not heard of lately"),
        "person_lost": _("Collector, lost"),
        # zh: 执法车辆
        "vehicle": _("Vehicle"),
        "vehicle_stale": _("Vehicle, not heard of lately"),
        "vehicle_lost": _("Vehicle, lost"),
        # zh: 公用设施
        "utility": _("Utilities"),
        # zh: 交通设施
        "traffic": _("Traffic facilities"),
        # zh: 市容环境
        "sanitation": _("Sanitation facilities"),
        # zh: 园林绿化
        "greenery": _("Greenery"),
        # zh: 其他部件
        "other_component": _("Other components"),
        # zh: 破损、丢失或废弃
        "unsound": _("Damaged, lost or derelict"),
        # zh: 部件
        "component": _("Component"),
        "components_closer": _("Components appear closer in"),
        "at_one_place": _("{count} cases at one place"),
        # zh: 热力图（件/平方千米，{metres} 米范围）
        "density": _("Cases per km² within about {metres} m"),
        "metres": _("m"),
        "kilometres": _("km"),
    }


class MapPane(Pane):
    """Sends the page what the board holds, and turns what the hand does there into selection and filter."""

    drawn = Signal(int)
    """The generation now on screen."""

    def __init__(self, theme: Theme, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(theme, _("Map"), parent=parent)  # zh: 地图
        self._context = context
        self._theme_now = theme
        self.map = MapView(theme.colors(), page_words(), self)
        self.map.set_scale(theme.scale)
        self.map.web.setAccessibleName(_("Map"))
        self.shading = Shading(self.map, context, self)
        self.tiles = TileSets(self.map, self)
        self.tools = Tools(self.map, context, self)
        self.overlays = Overlays(self.map)
        self.hours = HoursStrip(theme, self.overlays)
        self.map.add_layers({"tiles": True})
        self._hidden: frozenset[str] = frozenset()
        self._followed = ""
        self._codes: dict[str, int] = {}
        self._add_tools()
        self.set_content(self.map)
        self.setFocusProxy(self.map)
        self.add_footer(self.hours)
        self.map.set_hover_text(self._card)
        self.map.set_labels(self._labels)
        self.components = ComponentLayer(self.map, context, self)
        self._connect()
        self.people = PeopleLayer(self.map, context, self)
        self.people.counted.connect(self._on_counted)
        self.people.followed.connect(self._on_followed)
        self.people.refresh()
        self._replace()
        self._on_selection()
        self._on_age()

    def set_ground(self, source: RegisterMap) -> None:
        """Lay the base map of this database under the cases."""
        areas = self._context.board.store.directory.areas
        self._codes = {
            entry.code: key for key, entry in areas.items() if entry.kind in ("district", "community")
        }
        codes = {key: entry.code for key, entry in areas.items()}
        city = self._context.city
        words = _("{city} · invented for the demo") if city.is_invented else "{city}"
        self.map.set_base(ground(source, language(), words.format(city=city.label(language())), codes))
        self.shading.set_ground(source)

    def step_back(self) -> bool:
        """Put the tool away; with nothing selected, leave the area that was gone into."""
        return self.tools.leave() or (not self._context.selection and self.shading.leave())

    def fit_cases(self) -> None:
        """Show the cases that have a position: all of them, but for a few far off."""
        store = self._context.board.store
        shown = self._context.board.lens.mask & ~np.isnan(store.lon[: store.size])
        if not shown.any():
            self.map.fit()
            return
        # One case typed in wrongly on the other side of the county must not make the town a speck.
        west, east = np.percentile(store.lon[: store.size][shown], _MOST)
        south, north = np.percentile(store.lat[: store.size][shown], _MOST)
        self.map.fit((float(west), float(south), float(east), float(north)))

    def _add_tools(self) -> None:
        self._people = label("", "label", "text2")
        self.add_tool(self._people)
        self._layers = Button(self._theme_now, _("Layers"), kind="quiet")
        self._layers.set_drops()
        self._layers.clicked.connect(self._on_layers)
        self.add_tool(self._layers)

    def _on_layers(self) -> None:
        menu = QMenu(self)
        shown = self.map.layers()
        for layer, words in LAYER_NAMES.items():
            action = menu.addAction(_(words))
            action.setCheckable(True)
            action.setChecked(shown[layer])
            action.toggled.connect(lambda on, layer=layer: self.map.set_layers({layer: on}))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self._layers.mapToGlobal(self._layers.rect().bottomLeft()))

    def _connect(self) -> None:
        context = self._context
        context.news.connect(self._on_news)
        context.filter_changed.connect(self._on_filter)
        context.selection_changed.connect(self._on_selection)
        context.age_changed.connect(self._on_age)
        self._theme_now.changed.connect(self._on_theme)
        self.map.picked.connect(self._on_picked)
        self.map.opened.connect(lambda slot: context.opened.emit(int(context.board.store.id[slot])))
        self.map.area_picked.connect(self._on_area)
        self.map.drawn.connect(self.drawn)
        self.map.view_changed.connect(lambda _view: self._say_where())

    # What the page is told

    def _replace(self) -> None:
        store = self._context.board.store
        n = store.size
        mask = self._context.board.lens.mask
        self.map.set_points(CASES, store.lon[:n], store.lat[:n], store.light[:n], mask[:n])
        self._say_where()

    def _on_news(self, news: News) -> None:
        applied = news.applied
        if applied.reset:
            self._replace()
            self._on_selection()
            return
        store = self._context.board.store
        slots = np.unique(applied.touched)
        if len(slots):
            mask = self._context.board.lens.mask
            self.map.patch_points(
                CASES, slots, store.lon[slots], store.lat[slots], store.light[slots], mask[slots]
            )
            self._say_where()

    def _on_filter(self) -> None:
        self.map.set_visible(self._context.board.lens.mask)
        self._say_where()

    def _on_selection(self) -> None:
        slots = [self._context.board.store.slot_of(case_id) for case_id in self._context.selection]
        self.map.set_selected([slot for slot in slots if slot is not None])

    def _on_counted(self, count: int, lost: int) -> None:
        words = _("{count} collectors").format(count=number(count)) if count else ""
        if lost:
            # zh: {words}，{count} 人失联
            words = _("{words}, {count} lost").format(words=words, count=number(lost))
        self._people.setText(words)

    def _on_followed(self, name: str) -> None:
        self._followed = name
        self._say_where()

    # What the hand did

    def _on_picked(self, slots: list[int], mode: str) -> None:
        store = self._context.board.store
        ids = frozenset(int(store.id[slot]) for slot in slots if slot < store.size and store.alive[slot])
        self._context.pick(ids, mode)

    def _on_area(self, kind: str, code: str) -> None:
        area_id = self._codes.get(code)
        if area_id is not None:
            self._context.toggle("districts" if kind == "district" else "communities", area_id)

    # Words

    def _card(self, slot: int) -> HoverCard | None:
        store = self._context.board.store
        if slot >= store.size or not store.alive[slot]:
            return None
        row = store.plain(slot)
        directory = store.directory
        light = Light(row["light"])
        if light is Light.NO_CLOCK:
            remaining = _("Clock not running")
        else:
            remaining = time_left(row["due_at"] - (row["stopped_at"] or store.now_ms))
        stage = _(STATES[row["state"]].label)
        unit = directory.label("unit", row["unit_id"], language())
        where = " · ".join(part for part in (row["address"], stage) if part)
        who = " · ".join(part for part in (unit, row["number"]) if part)
        return HoverCard(
            directory.label("category", row["category_id"], language()),
            remaining,
            int(light),
            tuple(line for line in (where, who) if line),
        )

    def _labels(self, slots: list[int]) -> list[str]:
        store = self._context.board.store
        directory = store.directory
        return [
            directory.label("category", store.plain(slot)["category_id"], language())
            if slot < store.size and store.alive[slot]
            else ""
            for slot in slots
        ]

    def _say_where(self) -> None:
        board = self._context.board
        store = board.store
        missing = int(np.count_nonzero(board.lens.mask & np.isnan(store.lon[: store.size])))
        parts = [self._context.city.label(language())]
        if self._followed:
            # zh: 正在跟随 {name}
            parts.append(_("following {name}").format(name=self._followed))
        if missing:
            parts.append(_("{count} without position").format(count=number(missing)))
        self.set_subtitle(" · ".join(part for part in parts if part))

    def _on_age(self) -> None:
        self.show_age(self._context.age, self._context.zone)

    def _on_theme(self) -> None:
        self.map.set_palette(self._theme_now.colors())
        self.map.set_scale(self._theme_now.scale)
