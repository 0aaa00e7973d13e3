"""The acts of the map in the whole room: what they show, what they write, and how it is taken back."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtPrintSupport import QPrintDialog
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMenu

from db.cases.queries import case_details
from db.kernel.actor import SYSTEM
from db.live.filters import Filter
from db.registers.queries import outlines
from db.registers.topology import check
from db.tiles.commands import AddTiles, RemoveTiles
from db.tiles.rules import TileSet
from desktop.app import mapping
from desktop.app.mapping import snapped
from desktop.intake.dialog import IntakeDialog
from desktop.map.areas import LEVELS
from desktop.map.choosing import Chooser
from desktop.map.naming import NamingDialog
from desktop.map.picture import save
from desktop.map.tiles import OpenedSets
from tests.db.tiles.drawn import pmtiles, png
from tests.desktop.map.probe import MapProbe
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


def look(room: OpenRoom, lon: float, lat: float, zoom: float) -> None:
    """Look there, and wait until the page does: until then it may still tell of an earlier place."""
    view = room.session.panes.map.map
    drawn: list[int] = []
    connection = view.drawn.connect(drawn.append)
    goal = view.restore_view((lon, lat, zoom))
    room.until(lambda: bool(drawn) and drawn[-1] >= goal)
    view.drawn.disconnect(connection)
    assert view.view().zoom == zoom


def test_every_act_of_the_map_has_a_key_a_menu_and_a_title(room: OpenRoom) -> None:
    acts = room.session.maps.acts()
    assert len({act.keys for act in acts}) == len(acts)
    assert all(act.keys.startswith("Ctrl+M, ") and act.title for act in acts)
    assert {act.menu for act in acts} == {"map", "map_tools"}


def test_the_menus_are_no_higher_than_a_small_screen(room: OpenRoom) -> None:
    menus = [each for each in room.window.findChildren(QMenu) if each.title()]
    assert menus
    for menu in menus:
        rows = sum(menu.actionGeometry(action).height() for action in menu.actions())
        # 1366 by 768, without the bar above.
        assert rows <= room.theme.px(768 - 48), menu.title()


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
    look(room, 117.161, 35.081, 16.0)
    run(room, "views")
    chooser: Chooser = opened(room, Chooser)
    chooser.field.setText("市场门口")
    QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    room.until(lambda: bool(words))
    look(room, 117.1, 35.0, 12.0)
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
    case_id = placed_case(room)
    slot = store.slot_of(case_id)
    assert slot is not None
    before = float(store.lon[slot]), float(store.lat[slot])
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


def placed_case(room: OpenRoom) -> int:
    """A case that has a position; its number."""
    context = room.session.context
    store = context.board.store
    slot = int(np.flatnonzero(context.board.lens.mask & ~np.isnan(store.lon[: store.size]))[0])
    return int(store.id[slot])


def test_a_new_case_is_reported_at_a_place_picked_by_keyboard(room: OpenRoom) -> None:
    view, tools = room.session.panes.map.map, room.session.panes.map.tools
    room.session.context.select(frozenset({placed_case(room)}))
    run(room, "move_case")
    assert tools.kind == "place"
    # In the hand for something else: what was asked for last counts.
    run(room, "report")
    assert tools.kind == "place"
    probe = MapProbe(view, room.until)
    probe.until(lambda: probe.ask("jingwei.tools.kind?.tells") == "place_picked")
    probe.ask("jingwei.map.getContainer().focus()")
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        space = QKeyEvent(kind, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, " ")
        QApplication.sendEvent(view.web.focusProxy(), space)
    intake: IntakeDialog = opened(room, IntakeDialog)
    middle = probe.ask("jingwei.map.getCenter()")
    assert intake.place.text() == f"{middle['lng']:.6f}, {middle['lat']:.6f}"
    assert tools.kind == ""
    assert not room.window.findChildren(Chooser)
    intake.reject()


def test_the_same_act_again_puts_the_place_away(room: OpenRoom) -> None:
    run(room, "report")
    run(room, "report")
    assert room.session.panes.map.tools.kind == ""


def test_heat_is_switched_by_an_act_that_shows_its_state(room: OpenRoom) -> None:
    layers = room.session.panes.map.map.layers
    action = room.window.actions_["map.heat"]
    run(room, "heat")
    assert layers()["density"]
    assert action.isChecked()
    run(room, "heat")
    assert not layers()["density"]
    assert not action.isChecked()
    room.session.context.toggle("text", "no such case")
    assert room.window.actions_.why_not("map.heat") == "None of the cases shown has a position."


def test_who_is_nearest_to_the_one_selected_case_is_listed(room: OpenRoom) -> None:
    actions = room.window.actions_
    assert actions.why_not("map.nearest") == "Select one case first."
    case_id = placed_case(room)
    room.session.context.select(frozenset({case_id}))
    assert actions.why_not("map.nearest") == ""
    run(room, "nearest")
    probe = MapProbe(room.session.panes.map.map, room.until)
    slot = room.session.context.board.store.slot_of(case_id)
    assert slot is not None
    number = room.session.context.board.store.plain(slot)["number"]
    probe.until(lambda: number in (probe.ask("document.body.innerText") or ""))


def test_somebody_is_chosen_by_name_and_followed_until_nobody_is(room: OpenRoom) -> None:
    people = room.session.panes.map.people
    run(room, "follow")
    chooser: Chooser = opened(room, Chooser)
    name = people.known()[0][2].split(" · ")[0]
    chooser.field.setText(name)
    QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    room.until(lambda: people.is_following)
    assert f"following {name}" in room.session.panes.map._subtitle.text()
    run(room, "follow")
    chooser = opened(room, Chooser)
    QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    room.until(lambda: not people.is_following)


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
    for key in ("nearest", "level", "method", "up", "copy_where", "move_case", "reshape"):
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


def test_the_map_is_printed_when_the_dialog_says_so(room: OpenRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    words, sheets = said(room), []
    monkeypatch.setattr(mapping, "print_on", lambda printer, image: sheets.append((printer, image)))
    run(room, "print")
    dialog: QPrintDialog = opened(room, QPrintDialog)
    dialog.reject()
    run(room, "print")
    dialog = opened(room, QPrintDialog)
    dialog.done(QDialog.DialogCode.Accepted)
    room.until(lambda: bool(words))
    assert words == ["The map is with the printer"]
    ((printer, image),) = sheets
    assert printer.docName() == room.session.maps._title()
    assert image.width() == room.session.panes.map.map.width()


@pytest.mark.expects_log("Tiles p: .* cannot be read")
def test_tiles_registered_or_renewed_elsewhere_are_drawn_within_a_minute(
    room: OpenRoom, tmp_path: Path
) -> None:
    view, session = room.session.panes.map.map, room.session
    bounds = (100.0, 20.0, 120.0, 40.0)

    def minute() -> None:
        task = session._jobs.start(session._each_minute())
        room.until(task.done)

    minute()
    path = pmtiles(tmp_path / "a", {(0, 0, 0): png((1, 2, 3))}, bounds)
    room.core.bus.run(AddTiles("p", str(path), "gcj02", 0, 0), SYSTEM)
    minute()
    (drawn,) = view._values["tiles"]
    assert (drawn["name"], drawn["datum"], drawn["max"]) == ("p", "gcj02", 0)
    # Nothing is another one: nothing is opened, nothing is drawn anew.
    files, generation = session.panes.map.tiles._files[:], view.generation
    minute()
    assert session.panes.map.tiles._files == files
    assert view.generation == generation
    # Another file in its place, as a survey office delivers it.
    pmtiles(tmp_path / "b", {(0, 0, 0): png((1, 2, 3)), (1, 1, 0): png((3, 2, 1))}, bounds).replace(path)
    minute()
    assert view._values["tiles"][0]["max"] == 1
    # Its disk is away, and there again.
    path.rename(tmp_path / "away")
    minute()
    assert view._values["tiles"] == []
    assert list(session.panes.map.tiles.missing) == ["p"]
    (tmp_path / "away").rename(path)
    minute()
    assert len(view._values["tiles"]) == 1
    room.core.bus.run(RemoveTiles("p"), SYSTEM)
    minute()
    assert view._values["tiles"] == []


def test_files_opened_for_a_map_that_is_gone_are_closed_again(
    room: OpenRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pmtiles(tmp_path / "a", {(0, 0, 0): png((1, 2, 3))}, (100.0, 20.0, 120.0, 40.0))
    opened = OpenedSets([TileSet("p", str(path), "gcj02", 0, 0)])
    maps = room.session.maps
    monkeypatch.setattr(maps, "_newer_tiles", lambda: ([], opened))
    monkeypatch.setattr(maps, "_is_closed", True)
    before = room.session.panes.map.tiles._files[:]
    room.until(room.session._jobs.start(maps.look_at_tiles()).done)
    assert room.session.panes.map.tiles._files == before
    with pytest.raises(ValueError, match="closed"):
        opened.sources["p"](0, 0, 0)


def test_drawn_corners_become_those_of_the_areas_to_the_last_digit() -> None:
    known = {1: shapely.box(117.1, 35.0, 117.2, 35.1)}
    ring = [(117.1000012, 35.0000021), (117.15, 35.0), (117.2, 35.05)]
    assert snapped(ring, known) == [(117.1, 35.0), (117.15, 35.0), (117.2, 35.05)]
    assert snapped(ring, {}) == ring
