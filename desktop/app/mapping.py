"""What the map needs of the database: tiles, names to go to, rules, commands; and its acts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtPrintSupport import QPrintDialog
from PySide6.QtWidgets import QDialog, QFileDialog

from db.bootstrap import Core
from db.cases.commands.placing import MoveCases
from db.desk.commands import DropKept, Keep
from db.desk.queries import KeptValue, kept
from db.kernel.geo import Point
from db.kernel.language import N_, _, language, ngettext_
from db.kernel.refusal import Refused
from db.registers import hours, patrols
from db.registers.commands import DrawnArea, PutAreas, ReshapeAreas
from db.registers.datum import FRAMES
from db.registers.placing import Placed, gazetteer_of
from db.registers.queries import areas, outlines
from db.registers.reshaping import reshaped
from db.registers.topology import Findings, check
from db.tiles.registered import tile_sets
from db.tiles.rules import TileSet
from desktop.core.actions import Act
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.trouble import Kind
from desktop.core.words import clock_time, number
from desktop.map.areas import LEVELS, MEASURES, Floats, Layer, area_label
from desktop.map.choosing import Choice, Chooser
from desktop.map.classes import METHOD_LABELS, Method
from desktop.map.naming import NamingDialog
from desktop.map.overlays import Look, disc
from desktop.map.pane import MapPane
from desktop.map.picture import picture_of, print_on, printer_for, save
from desktop.map.tiles import OpenedSets, stamp_of
from desktop.map.view import CASES, View
from desktop.widgets.theme import Theme

Tell = Callable[..., None]
_Sets = list[tuple[TileSet, tuple[int, int] | None]]
"""Sets of tiles, each with the stamp of its file."""

_SNAP_M = 0.5
"""Metres within which a drawn corner is that of an area."""

_GAP = Look("over", fill="over", words=N_("Gap: nobody's ground"))  # zh: 缝隙
_OVERLAP = Look("soon", hatch="soon", words=N_("Overlap: claimed twice"))  # zh: 重叠
_DUE = Look("soon", dash=True, words=N_("Sensitive place, visits due"))  # zh: 敏感区域待巡查
_VISITED = Look("on_time", dash=True, words=N_("Sensitive place, visited"))
_FORMER = Look("text3", dash=True, words=N_("Border as it was"))
_COMING = Look("accent", fill="accent", words=N_("Border as it will be"))


@dataclass(frozen=True)
class _Reshaping:
    """A border that was drawn and waits for a yes."""

    area_id: int
    outline: str
    changed: int


class MapDesk:
    """Stands between one map pane and the database of a session. ``tell`` shows a notice in the room."""

    def __init__(
        self, core: Core, context: Context, jobs: Jobs, pane: MapPane, theme: Theme, tell: Tell
    ) -> None:
        self._core = core
        self._context = context
        self._jobs = jobs
        self._pane = pane
        self._theme = theme
        self._tell = tell
        self._moving: tuple[int, ...] = ()
        self._then: Callable[[float, float], None] | None = None
        self._drawn_sets: _Sets | None = None
        self._is_closed = False
        self._reshaped_id = 0
        pane.tools.placed.connect(self._on_placed)
        pane.tools.reshaped.connect(self._on_reshaped)
        pane.tools.outlined.connect(self._on_outlined)

    def close(self) -> None:
        """The pane is going: whatever is still being opened is closed again."""
        self._is_closed = True

    async def look_at_tiles(self) -> None:
        """Draw the registered sets of tiles, unless they and their files are those that are drawn already.

        Settings are no news of the feed, so somebody has to look; files are opened off the GUI thread.
        """
        found = await self._jobs.read(self._newer_tiles)
        if found is None:
            return
        sets, opened = found
        if self._is_closed:
            opened.close()
            return
        self._drawn_sets = sets
        self._pane.tiles.set_sets(opened)

    def acts(self) -> list[Act]:
        """The acts of the menus "Map" and "Map tools": together they would be higher than a small screen."""
        tools, shading = self._pane.tools, self._pane.shading

        def take(kind: str) -> Callable[[], None]:
            return lambda: tools.take(kind)

        def act(act_id: str, title: str, run: Callable[[], None], key: str, **more: Any) -> Act:
            return Act(f"map.{act_id}", title, run, f"Ctrl+M, {key}", **{"menu": "map", **more})

        def tool(*what: Any, **more: Any) -> Act:
            return act(*what, menu="map_tools", **more)

        def start(work: Callable[[], Any]) -> Callable[[], None]:
            return lambda: self._jobs.start(work()) and None

        return [
            act("find", N_("Go to a street or place…"), self.find, "G", words="街道 地名 搜索 去"),
            act("mine", N_("Go to my area"), start(self.go_to_mine), "H", words="我的网格 辖区"),
            act("views", N_("Views kept at hand…"), start(self.show_views), "V", words="书签 bookmark"),
            # zh: 套索选择
            tool("lasso", N_("Lasso: select what is inside"), take("lasso"), "L", words="圈选"),
            # zh: 框选
            tool("band", N_("Box: select what is inside"), take("band"), "Q", words="框选 rubber band"),
            tool("radius", N_("Radius: select what is near"), take("radius"), "R", words="周边 半径"),
            tool("narrow", N_("Show only what was drawn"), self.narrow, "O", why_not=self._why_not_narrow),
            tool("measure", N_("Measure length and area"), take("measure"), "M", words="测距 测面积"),
            act("colour", N_("Colour areas by…"), self.choose_measure, "C", words="专题图 choropleth"),
            act("level", N_("Next kind of areas"), self.next_level, "A", why_not=self._why_not_colour),
            act("method", N_("Divide the classes otherwise"), self.next_method, "J",
                why_not=self._why_not_colour),
            act("up", N_("One area up"), lambda: shading.leave() and None, "U", why_not=self._why_not_colour),
            # zh: 热力图
            act("heat", N_("Heat map of the cases"), self.toggle_heat, "D", why_not=self._why_not_heat,
                checkable=True, checked=self._shows_heat, words="热力图 密度 density"),
            act("nearest", N_("Who is nearest to the selected case"), self.show_nearest, "W",
                why_not=self._why_not_nearest, words="就近 附近 采集员 车辆"),
            # zh: 跟随采集员或车辆…
            act("follow", N_("Follow a collector or vehicle…"), self.choose_followed, "F",
                why_not=self._why_not_follow, words="跟随 跟踪"),
            act("hours", N_("What is allowed at what time"), start(self.show_hours), "Z", words="时段 早市"),
            act("sensitive", N_("Sensitive places with visits due"), start(self.show_sensitive), "I",
                words="敏感区域"),
            act("check", N_("Check the cells for gaps and overlaps"), start(self.check_grid), "T",
                words="拓扑 网格检查"),
            tool("where", N_("Coordinates under the pointer"), self.next_frame, "K", words="坐标 经纬度"),
            tool("copy_where", N_("Copy the coordinates"), self.copy_coordinates, "Y",
                why_not=self._why_not_coordinates),
            # zh: 在地图上选点上报…
            tool("report", N_("New case at a place…"), self.report_at_place, "E", permission="case.report",
                words="上报 登记 新案件"),
            tool("move_case", N_("Move the selected cases on the map…"), self.move_cases, "X",
                permission="case.place", why_not=self._why_not_move, words="纠正位置"),
            tool("reshape", N_("Move the border of the chosen area…"), start(self.reshape), "B",
                permission="registers.edit", why_not=self._why_not_reshape, words="改网格边界"),
            tool("draw", N_("Draw a new area…"), take("outline"), "N", permission="registers.edit",
                words="画网格 新网格"),
            act("copy", N_("Copy the map as a picture"), self.copy_picture, "P", words="截图"),
            act("save", N_("Save the map as picture or PDF…"), self.save_picture, "S", words="导出 图片"),
            # zh: 打印地图…
            act("print", N_("Print the map…"), self.print_picture, "Shift+P", words="打印 printer 纸"),
        ]  # fmt: skip

    # Going somewhere

    def find(self) -> Chooser:
        """Ask for a street or place and go there."""
        chooser = Chooser(
            self._theme, _("Go to a street or place"), _("Enter goes there"), self._pane.window()
        )

        async def look(words: str) -> None:
            found = await self._jobs.read(self._places, words)
            if chooser.field.text() == words:
                chooser.set_choices([Choice(each.name, each) for each in found])

        chooser.typed.connect(lambda words: self._jobs.start(look(words)))
        chooser.chosen.connect(self._go_to_place)
        chooser.open()
        return chooser

    def _go_to_place(self, place: Placed) -> None:
        self._pane.map.go_to(place.lon, place.lat, 15.0 if place.is_coarse else 17.0)

    def _places(self, words: str) -> list[Placed]:
        with self._core.database.read() as connection:
            return gazetteer_of(connection).find(words)

    async def go_to_mine(self) -> None:
        """Show the areas that the person may act in, or those of his or her unit."""
        ids = set(self._context.who.scope.areas)
        if not ids and self._context.who.unit_id is not None:
            ids = await self._jobs.read(self._areas_of_unit, self._context.who.unit_id)
        boxes = [
            box
            for level in LEVELS
            if (layer := self._pane.shading.layer(level)) is not None
            for key in ids
            if (box := layer.bounds(key)) is not None
        ]
        if not boxes:
            self._tell(Kind.DONE, _("Your account is bound to no area: the whole city is yours."))
            self._pane.map.fit()
            return
        west, south = np.min(np.array(boxes)[:, :2], axis=0).tolist()
        east, north = np.max(np.array(boxes)[:, 2:], axis=0).tolist()
        self._pane.map.fit((west, south, east, north))

    def _areas_of_unit(self, unit_id: int) -> set[int]:
        with self._core.database.read() as connection:
            return {
                each.id for level in LEVELS for each in areas(connection, level) if each.unit_id == unit_id
            }

    async def show_views(self) -> Chooser:
        """Views kept under a name: go to one, keep this one, drop one."""
        found = await self._jobs.read(self._views)
        hint = _("Enter goes there · type a new name and press Enter to keep this view · Delete drops one")
        chooser = Chooser(self._theme, _("Views kept at hand"), hint, self._pane.window())

        def fill(words: str) -> None:
            chooser.set_choices([Choice(_kept_words(each), each) for each in found if words in each.name])

        def drop(value: KeptValue) -> None:
            found.remove(value)
            fill("")
            self._jobs.start(self._jobs.write(self._core.bus.run, DropKept(value.id), self._context.who))

        chooser.typed.connect(fill)
        chooser.chosen.connect(lambda value: self._pane.map.restore_view(_view_of(value)))
        chooser.entered.connect(lambda name: (chooser.accept(), self._jobs.start(self._keep_view(name))))
        chooser.dropped.connect(drop)
        fill("")
        chooser.open()
        return chooser

    def _views(self) -> list[KeptValue]:
        with self._core.database.read() as connection:
            return kept(connection, self._context.who, "view")

    async def _keep_view(self, name: str) -> None:
        view = self._pane.map.view()
        if view is not None:
            content = {"lon": view.lon, "lat": view.lat, "zoom": view.zoom}
            await self._jobs.write(self._core.bus.run, Keep("view", name, content), self._context.who)
            self._tell(Kind.DONE, _("Kept as “{name}”").format(name=name), undo=True)

    # Areas in colours

    def choose_measure(self) -> Chooser:
        """Choose by what areas are coloured, or that they are not."""
        shading = self._pane.shading
        hint = _("Enter colours; then click areas to go in")
        chooser = Chooser(self._theme, _("Colour areas by"), hint, self._pane.window())

        def fill(words: str) -> None:
            choices = [Choice(_("No colours"), "", not shading.measure)]
            choices += [
                Choice(_(measure.title), key, key == shading.measure)
                for key, measure in MEASURES.items()
                if not measure.needs or self._may_patrol()
            ]
            chooser.set_choices([each for each in choices if words.casefold() in each.words.casefold()])

        chooser.typed.connect(fill)
        chooser.chosen.connect(lambda key: self._jobs.start(self.colour(key)))
        fill("")
        chooser.open()
        return chooser

    async def colour(self, measure: str) -> None:
        """Colour by a measure; what it needs is read first."""
        shading = self._pane.shading
        if measure and MEASURES[measure].needs:
            shading.set_extra(await self._jobs.read(self._patrols, shading.layer("cell")))
            if not shading.knows(measure):
                self._tell(Kind.DONE, _("Nobody has planned patrols: no cell has visits a day."))
                return
        shading.show(measure)

    def next_level(self) -> None:
        """Colour the next kind of areas, round and round."""
        shading = self._pane.shading
        shading.set_level(LEVELS[(LEVELS.index(shading.level) + 1) % len(LEVELS)])

    def next_method(self) -> None:
        """Divide the classes in the next way."""
        shading, methods = self._pane.shading, list(Method)
        shading.set_method(methods[(methods.index(shading.method) + 1) % len(methods)])
        self._tell(Kind.DONE, _(METHOD_LABELS[shading.method]))

    def _may_patrol(self) -> bool:
        return self._pane.shading.layer("cell") is not None

    def _patrols(self, layer: Layer | None) -> dict[str, dict[str, Floats]]:
        """Visits planned and made today, by cell in the order of the layer."""
        if layer is None:
            return {}
        with self._core.database.read() as connection:
            now = self._core.clock.now()
            found = patrols.density(connection, now.astimezone(self._context.zone).date(), now)
        planned, visited = np.full(len(layer), np.nan), np.zeros(len(layer))
        places = [layer.places.get(int(key), -1) for key in found.cell_id]
        at = np.array(places, np.int64)
        known = at >= 0
        planned[at[known]] = found.plan[known]
        visited[at[known]] = found.visits[known]
        return {"cell": {"planned": planned, "visited": visited}} if np.nansum(planned) > 0 else {}

    def _why_not_colour(self) -> str:
        return "" if self._pane.shading.measure else _("Areas are not coloured.")

    # Cases and people

    def toggle_heat(self) -> None:
        """Show or hide how densely the cases lie."""
        self._pane.map.set_layers({"density": not self._shows_heat()})

    def _shows_heat(self) -> bool:
        return self._pane.map.layers()["density"]

    def _why_not_heat(self) -> str:
        board = self._context.board
        known = board.lens.mask & ~np.isnan(board.store.lon[: board.store.size])
        if known.any() or self._shows_heat():
            return ""
        return _("None of the cases shown has a position.")

    def show_nearest(self) -> None:
        """List beside the map who is nearest to the selected case."""
        slot = self._selected_slot()
        if slot is not None:
            self._pane.people.show_nearest(CASES, slot)

    def _selected_slot(self) -> int | None:
        """Where the only selected case stands on the board; None when there is none or more."""
        selection = self._context.selection
        return self._context.board.store.slot_of(next(iter(selection))) if len(selection) == 1 else None

    def _why_not_nearest(self) -> str:
        slot = self._selected_slot()
        if slot is None:
            return _("Select one case first.")
        if np.isnan(self._context.board.store.lon[slot]):
            return _("The selected case has no position.")
        return self._why_not_follow()

    def choose_followed(self) -> Chooser:
        """Choose by name who stays in the middle of the map."""
        people = self._pane.people
        hint = _("Enter follows; a hand on the map lets go")
        chooser = Chooser(self._theme, _("Follow a collector or vehicle"), hint, self._pane.window())

        def fill(words: str) -> None:
            choices = [Choice(_("Follow nobody"), None)] if people.is_following else []
            choices += [Choice(each, (layer, slot)) for layer, slot, each in people.known()]
            chooser.set_choices([each for each in choices if words.casefold() in each.words.casefold()])

        def follow(mark: tuple[str, int] | None) -> None:
            if mark is None:
                people.let_go()
            else:
                self._pane.map.set_layers({mark[0]: True})
                people.follow(*mark)

        chooser.typed.connect(fill)
        chooser.chosen.connect(follow)
        fill("")
        chooser.open()
        return chooser

    def _why_not_follow(self) -> str:
        return "" if self._pane.people.is_anybody_known else _("No collector and no vehicle is on the map.")

    # Layers of rules and registers

    async def show_hours(self) -> None:
        """Show what is allowed where now, with a slider over the day; once more takes it away."""
        if self._pane.hours.isVisible():
            self._pane.hours.leave()
            return
        now = self._core.clock.now().astimezone(self._context.zone)
        found = await self._jobs.read(self._rules)
        if not found:
            self._tell(Kind.DONE, _("There are no rules by time of day."))
            return
        self._pane.hours.open(found, now)

    def _rules(self) -> list[hours.Rule]:
        with self._core.database.read() as connection:
            today = self._core.clock.now().astimezone(self._context.zone).date()
            return hours.rules(connection, today)

    async def show_sensitive(self) -> None:
        """Lay the sensitive places over the map, those with visits due in red; once more takes them away."""
        overlays = self._pane.overlays
        if overlays.has("sensitive"):
            overlays.lay("sensitive", ())
            return
        found = await self._jobs.read(self._visits)
        overlays.lay("sensitive", [_place_shape(each) for each in found])
        due = sum(each.due > 0 for each in found)
        words = _("{due} of {count} sensitive places have visits due")
        self._tell(Kind.DONE, words.format(due=number(due), count=number(len(found))))

    def _visits(self) -> list[patrols.SensitiveVisits]:
        with self._core.database.read() as connection:
            day = self._core.clock.now().astimezone(self._context.zone).date()
            return patrols.sensitive_visits(connection, day)

    async def check_grid(self) -> None:
        """Draw where the cells leave gaps or overlap; once more takes the drawing away."""
        overlays = self._pane.overlays
        if overlays.has("faults"):
            overlays.lay("faults", ())
            return
        found = await self._jobs.read(lambda: check(self._outlines("cell")))
        overlays.lay("faults", _fault_shapes(found))
        self._tell(Kind.DONE, _findings_words(found))
        if not found.is_clean:
            worst = max([*found.gaps, *found.overlaps], key=lambda each: each.square_metres)
            west, south, east, north = shapely.buffer(worst.outline, 0.0005).bounds
            self._pane.map.fit((west, south, east, north))

    # Coordinates

    def next_frame(self) -> None:
        """Tell the pointer's place in the next frame, in none after the last."""
        frames = ["", *FRAMES]
        tools = self._pane.tools
        tools.tell_coordinates(frames[(frames.index(tools.frame) + 1) % len(frames)])

    def copy_coordinates(self) -> None:
        """Put the place that the pointer was at last on the clipboard."""
        QGuiApplication.clipboard().setText(self._pane.tools.coordinates())

    def _why_not_coordinates(self) -> str:
        return "" if self._pane.tools.coordinates() else _("No coordinates are shown.")

    # Drawn shapes

    def narrow(self) -> None:
        """Let every pane show only what lies in the shape drawn last."""
        self._pane.tools.narrow()

    def _why_not_narrow(self) -> str:
        return (
            ""
            if self._pane.tools.shape
            else _("Nothing was drawn yet: take the lasso, the box or the radius.")
        )

    # Picking a place

    def report_at_place(self) -> None:
        """Pick the place where something is the matter; the intake opens there, as after a right click."""
        self._pick_place(self._point)

    def _point(self, lon: float, lat: float) -> None:
        self._pane.map.pointed.emit(lon, lat)

    def _pick_place(self, then: Callable[[float, float], None]) -> None:
        tools = self._pane.tools
        if tools.kind == "place" and then != self._then:
            # In the hand for something else: that is put away, this is begun.
            tools.leave()
        self._then = then
        tools.take("place")

    def _on_placed(self, lon: float, lat: float) -> None:
        if self._then is not None:
            self._then(lon, lat)

    # Moving cases

    def move_cases(self) -> None:
        """Pick the place at which the selected cases belong; the reason is asked after that."""
        self._moving = tuple(sorted(self._context.selection))
        self._pick_place(self._ask_reason)

    def _why_not_move(self) -> str:
        return "" if self._context.selection else _("No case is selected.")

    def _ask_reason(self, lon: float, lat: float) -> None:
        ids = self._moving
        words = ngettext_(
            "Why does {count} case belong there?", "Why do {count} cases belong there?", len(ids)
        )
        hint = _("Enter moves it; the history keeps who, from where and why")
        chooser = Chooser(self._theme, words.format(count=number(len(ids))), hint, self._pane.window())

        def fill(typed: str) -> None:
            usual = [_("Marked in the wrong place"), _("The address says otherwise")]
            chooser.set_choices([Choice(each, each) for each in usual if not typed])

        async def move(reason: str) -> None:
            await self._jobs.write(self._core.bus.run, MoveCases(ids, lon, lat, reason), self._context.who)
            done = ngettext_("{count} case moved", "{count} cases moved", len(ids))
            self._tell(Kind.DONE, done.format(count=number(len(ids))), undo=True)

        chooser.typed.connect(fill)
        chooser.chosen.connect(lambda reason: self._jobs.start(move(reason)))
        chooser.entered.connect(lambda reason: (chooser.accept(), self._jobs.start(move(reason))))
        fill("")
        chooser.open()

    # Moving borders

    async def reshape(self) -> None:
        """Take the corners of the one chosen area into the hand."""
        level, area_id = self._chosen_area()
        known = await self._jobs.read(self._outlines, level)
        outline = known.get(area_id)
        if outline is None or outline.geom_type != "Polygon" or len(outline.interiors):
            self._tell(Kind.DONE, _("This area has holes or several parts; import its border from a file."))
            return
        self._reshaped_id = area_id
        west, south, east, north = outline.bounds
        self._pane.map.fit((west, south, east, north))
        self._pane.tools.take("reshape", level=level, points=list(outline.exterior.coords)[:-1])

    def _chosen_area(self) -> tuple[str, int]:
        """The one area that the filter names at its lowest level; "" when there is none or more."""
        chosen = self._context.filter
        for level, held in (
            ("cell", chosen.cells),
            ("patrol", chosen.patrols),
            ("community", chosen.communities),
            ("district", chosen.districts),
        ):
            if held:
                return (level, next(iter(held))) if len(held) == 1 else ("", 0)
        return "", 0

    def _why_not_reshape(self) -> str:
        return "" if self._chosen_area()[0] else _("Choose one area first: colour areas and click into one.")

    def _on_reshaped(self, ring: list[tuple[float, float]]) -> None:
        self._jobs.start(self._foresee_border(ring))

    async def _foresee_border(self, ring: list[tuple[float, float]]) -> None:
        """Show what the drawn border changes, its neighbours included, and ask for a yes."""
        level, area_id = self._chosen_area()
        if area_id != self._reshaped_id:
            return

        def foresee() -> tuple[shapely.Geometry, dict[int, shapely.Geometry], dict[int, shapely.Geometry]]:
            known = self._outlines(level)
            drawn = shapely.Polygon(snapped(ring, known))
            if not drawn.is_valid:
                raise Refused("crosses_itself", N_("The border crosses itself."))
            changes = reshaped(known, {area_id: drawn})
            return drawn, {key: known[key] for key in changes}, changes

        drawn, former, changes = await self._jobs.read(foresee)
        shapes: list[tuple[shapely.Geometry, Look, str]] = [
            (outline, _look(_FORMER), "") for outline in former.values()
        ]
        directory = self._context.board.directory
        shapes += [(outline, _look(_COMING), area_label(directory, key)) for key, outline in changes.items()]
        self._pane.overlays.lay("preview", shapes)
        plan = _Reshaping(area_id, json.dumps(shapely.geometry.mapping(drawn)), len(changes))
        self._ask_border(plan)

    def _ask_border(self, plan: _Reshaping) -> None:
        words = ngettext_(
            "The border of {count} area changes", "The borders of {count} areas change", plan.changed
        )
        hint = _("Neighbours move along, so that no gap opens. Esc leaves everything as it was")
        chooser = Chooser(self._theme, words.format(count=number(plan.changed)), hint, self._pane.window())
        chooser.set_choices([Choice(_("Move it"), True), Choice(_("Leave it"), False)])
        chooser.chosen.connect(lambda yes: self._jobs.start(self._reshape(plan)) if yes else None)
        chooser.finished.connect(lambda _result: self._pane.overlays.lay("preview", ()))
        chooser.open()

    async def _reshape(self, plan: _Reshaping) -> None:
        command = ReshapeAreas(((plan.area_id, plan.outline),))
        outcome = await self._jobs.write(self._core.bus.run, command, self._context.who)
        count = len(outcome.result)
        words = ngettext_(
            "The border of {count} area was moved", "The borders of {count} areas were moved", count
        )
        self._tell(Kind.DONE, words.format(count=number(count)), undo=True)

    # New areas

    def _on_outlined(self, ring: list[tuple[float, float]]) -> None:
        dialog = NamingDialog(self._theme, self._pane.window())

        async def put(kind: str, code: str, name: str) -> None:
            try:
                await self._jobs.ask(self._put_area, DrawnArea(kind, code, name), ring)
            except Refused as refused:
                dialog.refuse(refused.text())
                return
            dialog.accept()
            self._tell(Kind.DONE, _("{name} is drawn").format(name=name), undo=True)

        dialog.sent.connect(lambda *area: self._jobs.start(put(*area)))
        dialog.open()

    def _put_area(self, area: DrawnArea, ring: Sequence[Point]) -> None:
        outline = shapely.Polygon(snapped(ring, self._outlines(area.kind)))
        drawn = area._replace(outline=json.dumps(shapely.geometry.mapping(outline)))
        self._core.bus.run(PutAreas((drawn,)), self._context.who)

    # Pictures

    def copy_picture(self) -> None:
        """Put the map with title and time on the clipboard."""
        QGuiApplication.clipboard().setImage(self._picture())
        self._tell(Kind.DONE, _("The map is on the clipboard"))

    def save_picture(self) -> None:
        """Ask for a file and write the map into it."""
        dialog = QFileDialog(self._pane.window(), _("Save the map"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([_("PDF (*.pdf)"), _("Picture (*.png)")])
        dialog.setDefaultSuffix("pdf")
        image, title = self._picture(), self._title()

        async def write(target: str) -> None:
            await self._jobs.read(save, image, Path(target), title)
            self._tell(Kind.DONE, _("Saved as {file}").format(file=Path(target).name))

        dialog.fileSelected.connect(lambda target: self._jobs.start(write(target)))
        dialog.open()

    def print_picture(self) -> None:
        """Ask for a printer and put the map on a sheet of paper, as it is now."""
        image, title = self._picture(), self._title()
        printer = printer_for(image, title)
        dialog = QPrintDialog(printer, self._pane.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(_("Print the map"))
        # One sheet: which of them, there is nothing to ask.
        dialog.setOption(QPrintDialog.PrintDialogOption.PrintPageRange, False)

        async def put() -> None:
            await self._jobs.read(print_on, printer, image)
            self._tell(Kind.DONE, _("The map is with the printer"))

        dialog.finished.connect(
            lambda how: self._jobs.start(put()) if how == QDialog.DialogCode.Accepted else None
        )
        # QPrintDialog has an open() of its own with a receiver of Qt's old kind.
        QDialog.open(dialog)

    def _picture(self) -> Any:
        zone = self._context.zone
        now = f"{self._core.clock.now().astimezone(zone):%Y-%m-%d %H:%M}"
        age = clock_time(self._context.age.at_ms, zone, seconds=True)
        below = _("{now} · data of {time} · {who}").format(now=now, time=age, who=self._context.who.name)
        return picture_of(self._pane.map, self._theme, self._title(), below)

    def _title(self) -> str:
        city, shown = self._context.city.label(language()), self._pane.shading.shown
        return f"{city} · {shown.title}" if shown is not None else city

    def _outlines(self, kind: str) -> dict[int, shapely.Geometry]:
        with self._core.database.read() as connection:
            return outlines(connection, kind)

    def _newer_tiles(self) -> tuple[_Sets, OpenedSets] | None:
        with self._core.database.read() as connection:
            sets = tile_sets(connection)
        found = [(each, stamp_of(each)) for each in sets]
        return None if found == self._drawn_sets else (found, OpenedSets(sets))


def snapped(ring: Sequence[Point], known: Mapping[int, shapely.Geometry]) -> list[Point]:
    """The corners of a drawn ring, those within ``_SNAP_M`` of a corner of an area moved onto it exactly.

    The page draws borders to some centimetres; borders that are to be one line must agree to the last digit.
    """
    corners = shapely.points(shapely.get_coordinates(list(known.values())))
    drawn = shapely.points(np.array(ring))
    found = list(ring)
    if len(corners):
        at, nearest = shapely.STRtree(corners).query_nearest(drawn, max_distance=_SNAP_M / 111_000.0)
        for place, corner in zip(at.tolist(), nearest.tolist(), strict=True):
            found[place] = (float(corners[corner].x), float(corners[corner].y))
    return found


def _kept_words(value: KeptValue) -> str:
    return value.name if value.is_own else f"{value.name} · {value.owner_name}"


def _view_of(value: KeptValue) -> View:
    return View(float(value.content["lon"]), float(value.content["lat"]), float(value.content["zoom"]))


def _look(look: Look) -> Look:
    return Look(look.stroke, look.fill, look.hatch, look.dash, _(look.words))


def _place_shape(each: patrols.SensitiveVisits) -> tuple[shapely.Geometry, Look, str]:
    name = (language() == "en" and each.name_en) or each.name
    words = _("{name}: {due} due").format(name=name, due=each.due) if each.due else name
    return disc(each.lon, each.lat, each.radius), _look(_DUE if each.due else _VISITED), words


def _fault_shapes(found: Findings) -> list[tuple[shapely.Geometry, Look, str]]:
    def size(square_metres: float) -> str:
        return _("{size} m²").format(size=number(round(square_metres)))

    gaps: Sequence[tuple[shapely.Geometry, Look, str]] = [
        (gap.outline, _look(_GAP), size(gap.square_metres)) for gap in found.gaps
    ]
    overlaps = [(each.outline, _look(_OVERLAP), size(each.square_metres)) for each in found.overlaps]
    return [*gaps, *overlaps]


def _findings_words(found: Findings) -> str:
    if found.is_clean:
        return _("The cells leave no gap and claim nothing twice.")
    return _("{gaps} gaps, {overlaps} overlaps; the largest is shown").format(
        gaps=number(len(found.gaps)), overlaps=number(len(found.overlaps))
    )
