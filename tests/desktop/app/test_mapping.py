"""The acts of the map in the whole room: what they show, what they write, and how it is taken back."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from db.cases.queries import case_details
from db.kernel.actor import SYSTEM
from db.live.filters import Filter
from db.registers.queries import outlines
from db.registers.topology import check
from db.tiles.commands import AddTiles, RemoveTiles
from desktop.app.mapping import snapped
from desktop.map.areas import LEVELS
from desktop.map.choosing import Chooser
from desktop.map.naming import NamingDialog
from desktop.map.picture import save
from tests.db.tiles.drawn import pmtiles, png
from tests.desktop.open_room import DEADLINE_S, OpenRoom


@pytest.fixture(autouse=True, scope="module")
def threads(room: OpenRoom) -> None:
    """Pools start their threads one by one when they are needed; here all at once, before any test counts."""
    site = room.session.panes.map.map.web.site
    for pool in (room.session._jobs._readers, *(pool for _provider, pool in site._slow.values())):
        gate = threading.Barrier(pool._max_workers + 1)
        for _thread in range(pool._max_workers):
            pool.submit(gate.wait)
        gate.wait(DEADLINE_S)


@pytest.fixture(autouse=True)
def beginning(room: OpenRoom) -> None:
    room.fresh()
    room.session.panes.map.shading.show("")
    room.session.panes.map.shading.set_level("district")
    room.session.panes.map.tools.leave()


def opened(room: OpenRoom, kind: type[QDialog]) -> Any:
    """The dialog of this kind, once it is open."""
    found: list[QDialog] = []

    def is_open() -> bool:
        found[:] = [each for each in room.window.findChildren(kind) if each.isVisible()]
        return bool(found)

    room.until(is_open)
    return found[0]


def said(room: OpenRoom) -> list[str]:
    """Collects the notices from now on."""
    words: list[str] = []
    room.session.maps._tell = lambda _kind, sentence, **_more: words.append(sentence)
    return words


def run(room: OpenRoom, act: str) -> None:
    room.window.actions_.run(f"map.{act}")


def test_every_act_of_the_map_has_a_key_a_menu_and_a_title(room: OpenRoom) -> None:
    acts = room.session.maps.acts()
    assert len({act.keys for act in acts}) == len(acts)
    assert all(act.keys.startswith("Ctrl+M, ") and act.menu == "map" and act.title for act in acts)


def test_a_street_is_found_and_gone_to(room: OpenRoom) -> None:
    run(room, "find")
    chooser: Chooser = opened(room, Chooser)
    chooser.field.setText("荆河路")
    room.until(lambda: chooser.list.count() > 0)
    view = room.session.panes.map.map
    before = view.generation
    QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    room.until(lambda: view.generation > before and view.view() is not None and view.view().by_hand)


def test_a_view_is_kept_gone_to_and_dropped(room: OpenRoom) -> None:
    words = said(room)
    view = room.session.panes.map.map
    view.restore_view((117.161, 35.081, 16.0))
    room.until(lambda: view.view() is not None and view.view().zoom == 16)
    run(room, "views")
    chooser: Chooser = opened(room, Chooser)
    chooser.field.setText("市场门口")
    QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    room.until(lambda: bool(words))
    view.restore_view((117.1, 35.0, 12.0))
    run(room, "views")
    chooser = opened(room, Chooser)
    room.until(lambda: chooser.list.count() == 1)
    QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    room.until(lambda: view.view().zoom == 16)
    assert view.view().lon == pytest.approx(117.161)
    run(room, "views")
    chooser = opened(room, Chooser)
    room.until(lambda: chooser.list.count() == 1)
    QTest.keyClick(chooser.field, Qt.Key.Key_Delete)
    room.until(lambda: chooser.list.count() == 0)
    chooser.reject()


def test_areas_are_coloured_and_the_title_of_the_picture_says_by_what(room: OpenRoom) -> None:
    run(room, "colour")
    chooser: Chooser = opened(room, Chooser)
    chooser.field.setText("per km²")
    QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    shading = room.session.panes.map.shading
    room.until(lambda: shading.measure == "open_per_km2")
    run(room, "level")
    assert shading.level == LEVELS[1]
    assert shading.shown is not None
    assert room.session.maps._title().endswith(shading.shown.title)
    shading.enter(int(np.argmax(np.nan_to_num(shading.shown.values))))
    assert room.session.context.filter.communities
    room.window.actions_.run("widen")
    assert not room.session.context.filter.communities
    assert shading.level == LEVELS[1]


def test_the_patrol_plan_is_a_measure_of_cells(room: OpenRoom) -> None:
    room.session._jobs.start(room.session.maps.colour("patrol"))
    shading = room.session.panes.map.shading
    room.until(lambda: shading.shown is not None)
    assert shading.level == "cell"
    assert shading.shown is not None
    assert shading.shown.measure == "patrol"


def test_what_is_allowed_at_half_past_seven_is_not_at_twenty_to_nine(room: OpenRoom) -> None:
    hours = room.session.panes.map.hours
    run(room, "hours")
    room.until(lambda: hours.isVisible())
    hours.go_to(7 * 60 + 30)
    early = {rule.name for rule in hours.holding(hours._now.replace(hour=7, minute=30)) if rule.allowed}
    late = {rule.name for rule in hours.holding(hours._now.replace(hour=8, minute=40)) if rule.allowed}
    assert early
    assert not early & late
    legend = room.session.panes.map.map._values["overlays"]["legend"]
    assert any(entry["words"] == "Allowed at this time" for entry in legend)
    run(room, "hours")
    room.until(lambda: not hours.isVisible())
    assert not room.session.panes.map.overlays.has("hours")


def test_sensitive_places_are_laid_over_the_map_and_taken_away(room: OpenRoom) -> None:
    words = said(room)
    overlays = room.session.panes.map.overlays
    run(room, "sensitive")
    room.until(lambda: overlays.has("sensitive"))
    assert "sensitive places have visits due" in words[0]
    run(room, "sensitive")
    room.until(lambda: not overlays.has("sensitive"))


def test_the_cells_of_the_demo_are_found_clean(room: OpenRoom) -> None:
    words = said(room)
    run(room, "check")
    room.until(lambda: bool(words))
    assert words == ["The cells leave no gap and claim nothing twice."]


def test_a_case_is_moved_with_a_reason_and_moved_back(room: OpenRoom) -> None:
    words = said(room)
    context, store = room.session.context, room.session.context.board.store
    slot = int(np.flatnonzero(context.board.lens.mask & ~np.isnan(store.lon))[0])
    case_id, before = int(store.id[slot]), (float(store.lon[slot]), float(store.lat[slot]))
    context.select(frozenset({case_id}))
    run(room, "move_case")
    tools = room.session.panes.map.tools
    assert tools.kind == "place"
    tools.placed.emit(before[0] + 0.001, before[1])
    chooser: Chooser = opened(room, Chooser)
    QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    room.until(lambda: words == ["1 case moved"])

    def place() -> tuple[float, float]:
        with room.core.database.read() as connection:
            details = case_details(connection, case_id)
        assert details is not None
        return details.lon, details.lat  # type: ignore[return-value]

    assert place() == (pytest.approx(before[0] + 0.001), before[1])
    room.core.bus.undo(context.who)
    assert place() == before


def test_a_border_is_moved_with_its_neighbours_and_moved_back(room: OpenRoom) -> None:
    words = said(room)
    with room.core.database.read() as connection:
        cells = outlines(connection, "cell")
    rim = shapely.union_all(list(cells.values())).boundary
    area_id = next(key for key, shape in cells.items() if not shape.interiors and shape.distance(rim) > 0)
    room.session.context.set_filter(Filter(cells=frozenset({area_id})))
    run(room, "reshape")
    tools = room.session.panes.map.tools
    room.until(lambda: tools.kind == "reshape")
    value = room.session.panes.map.map._values["tool"]
    ring = [tuple(corner) for corner in value["points"]]
    middle = cells[area_id].centroid
    moved = [
        (ring[0][0] + (middle.x - ring[0][0]) * 0.2, ring[0][1] + (middle.y - ring[0][1]) * 0.2),
        *ring[1:],
    ]
    tools.reshaped.emit(moved)
    chooser: Chooser = opened(room, Chooser)
    assert room.session.panes.map.overlays.has("preview")
    QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    room.until(lambda: bool(words) or bool(room.told))
    assert room.told == []
    assert "moved" in words[0]
    assert not room.session.panes.map.overlays.has("preview")
    with room.core.database.read() as connection:
        after = outlines(connection, "cell")
    assert check(after).is_clean
    assert after[area_id].area < cells[area_id].area
    room.core.bus.undo(room.session.context.who)
    with room.core.database.read() as connection:
        assert outlines(connection, "cell")[area_id].equals(cells[area_id])


def test_a_new_area_with_a_wrong_code_keeps_its_drawing(room: OpenRoom) -> None:
    ring = [(117.16, 35.08), (117.161, 35.08), (117.161, 35.081)]
    room.session.panes.map.tools.outlined.emit(ring)
    dialog: NamingDialog = opened(room, NamingDialog)
    dialog.form.sent.emit()
    assert dialog.form.fields["code"].error()
    dialog.code.setText("12")
    dialog.name.setText("新网格")
    dialog.form.sent.emit()
    room.until(lambda: dialog.form._general.isVisible())
    assert dialog.isVisible()
    dialog.reject()


def test_acts_that_do_not_fit_say_why(room: OpenRoom) -> None:
    acts = {act.id: act for act in room.session.maps.acts()}
    for key in ("level", "method", "up", "copy_where", "move_case", "reshape"):
        assert acts[f"map.{key}"].why_not().endswith((".", "one")), key
    room.session.context.select(frozenset({1}))
    assert acts["map.move_case"].why_not() == ""


def test_the_picture_has_a_title_and_goes_to_paper(room: OpenRoom, tmp_path: Path) -> None:
    words = said(room)
    run(room, "copy")
    assert words == ["The map is on the clipboard"]
    image = QGuiApplication.clipboard().image()
    shown = room.session.panes.map.map
    assert image.width() == shown.width()
    assert image.height() > shown.height()
    for name, beginning in (("a.pdf", b"%PDF"), ("a.png", b"\x89PNG")):
        save(image, tmp_path / name, "title")
        assert (tmp_path / name).read_bytes().startswith(beginning)


def test_tiles_that_are_registered_are_drawn(room: OpenRoom, tmp_path: Path) -> None:
    path = pmtiles(tmp_path / "a", {(0, 0, 0): png((1, 2, 3))}, (100.0, 20.0, 120.0, 40.0))
    room.core.bus.run(AddTiles("p", str(path), "gcj02", 0, 0), SYSTEM)
    room.session._jobs.start(room.session.maps.load())
    view = room.session.panes.map.map
    room.until(lambda: len(view._values["tiles"]) == 1)
    assert view._values["tiles"][0]["datum"] == "gcj02"
    room.core.bus.run(RemoveTiles("p"), SYSTEM)
    room.session._jobs.start(room.session.maps.load())
    room.until(lambda: view._values["tiles"] == [])


def test_drawn_corners_become_those_of_the_areas_to_the_last_digit() -> None:
    known = {1: shapely.box(117.1, 35.0, 117.2, 35.1)}
    ring = [(117.1000012, 35.0000021), (117.15, 35.0), (117.2, 35.05)]
    assert snapped(ring, known) == [(117.1, 35.0), (117.15, 35.0), (117.2, 35.05)]
    assert snapped(ring, {}) == ring
