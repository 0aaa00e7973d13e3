"""The map in a real page: what is drawn where, what a click gives back, what survives a death."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QApplication

from desktop.map.bridge import HoverCard
from tests.desktop.map.probe import GROUND, MIDDLE, MapProbe, tokens

# Chromium speaks of the graphics card it does not find, once per process.
pytestmark = pytest.mark.expects_qt_warning

LON, LAT = MIDDLE
ON_TIME, SOON, OVER, NO_CLOCK = range(4)


def one_case(probe: MapProbe, style: int = OVER, lon: float = LON, lat: float = LAT) -> None:
    probe.view.set_points("cases", [lon], [lat], [style], [True])
    probe.settle()


def sees(probe: MapProbe, token: str, lon: float = LON, lat: float = LAT, theme: str = "dark") -> bool:
    """Wait for a colour at a place; the frame may still be on its way from the page to the widget."""
    probe.until(lambda: close_to(probe.colour(lon, lat), token, theme))
    return True


def close_to(seen: QColor, token: str, theme: str = "dark") -> bool:
    wanted = QColor(tokens(theme)[token])
    return all(abs(a - b) <= 3 for a, b in zip(seen.getRgb(), wanted.getRgb(), strict=True))


@pytest.mark.parametrize(
    "style,token",
    [(ON_TIME, "on_time_fill"), (SOON, "soon_fill"), (OVER, "over_fill"), (NO_CLOCK, "land")],
)
def test_a_case_lies_where_leaflet_projects_it_in_the_colour_of_its_light(
    probe: MapProbe, style: int, token: str
) -> None:
    one_case(probe, style, LON + 0.011, LAT - 0.007)
    assert sees(probe, token, LON + 0.011, LAT - 0.007)


def test_a_patch_moves_a_case_and_may_bring_slots_beyond_the_end(probe: MapProbe) -> None:
    one_case(probe)
    probe.view.patch_points("cases", [0, 7], [LON + 0.01, LON], [LAT, LAT + 0.01], [OVER, SOON], [True, True])
    probe.settle()
    assert sees(probe, "land", LON, LAT)
    assert sees(probe, "over_fill", LON + 0.01, LAT)
    assert sees(probe, "soon_fill", LON, LAT + 0.01)
    assert probe.ask("jingwei.cases.columns.length") == 8


def test_the_mask_hides_and_a_place_that_is_not_known_is_not_drawn(probe: MapProbe) -> None:
    probe.view.set_points("cases", [LON, LON + 0.01, np.nan], [LAT, LAT, np.nan], [OVER] * 3, [True] * 3)
    probe.settle()
    probe.view.set_visible([False, True, True])
    probe.settle()
    assert sees(probe, "land", LON, LAT)
    assert sees(probe, "over_fill", LON + 0.01, LAT)
    assert probe.ask("jingwei.cases.buckets.map((bucket) => bucket.count)") == [0, 0, 0, 1]


def test_a_new_palette_is_worn_without_a_new_page(probe: MapProbe) -> None:
    one_case(probe)
    probe.ask("(window.same = true)")
    probe.view.set_palette(tokens("light"))
    probe.settle()
    assert sees(probe, "over_fill", LON, LAT, "light")
    assert probe.ask("window.same")


def test_a_click_picks_the_topmost_case_and_modifiers_toggle(
    probe: MapProbe, until: Callable[..., None]
) -> None:
    probe.view.set_points("cases", [LON] * 3, [LAT] * 3, [SOON, OVER, ON_TIME], [True] * 3)
    probe.settle()
    picks: list[tuple[list[int], str]] = []
    probe.view.picked.connect(lambda slots, mode: picks.append((slots, mode)))
    at = probe.place(LON, LAT)
    probe.click(at)
    until(lambda: len(picks) == 1)
    probe.click((at[0] + 5, at[1]), Qt.KeyboardModifier.ControlModifier)
    until(lambda: len(picks) == 2)
    probe.click((at[0] + 60, at[1]))
    until(lambda: len(picks) == 3)
    assert picks == [([1], "replace"), ([1], "toggle"), ([], "replace")]


def test_a_band_drawn_with_shift_picks_what_lies_inside(probe: MapProbe, until: Callable[..., None]) -> None:
    lon = [LON, LON + 0.005, LON + 0.03]
    probe.view.set_points("cases", lon, [LAT] * 3, [OVER, ON_TIME, SOON], [True] * 3)
    probe.settle()
    picks: list[list[int]] = []
    probe.view.picked.connect(lambda slots, _mode: picks.append(slots))
    x, y = probe.place(LON, LAT)
    far, _ = probe.place(LON + 0.005, LAT)
    view, shift = probe.view.view(), Qt.KeyboardModifier.ShiftModifier
    probe.mouse(QEvent.Type.MouseButtonPress, (x - 15, y - 15), shift)
    probe.mouse(QEvent.Type.MouseMove, (far, y), shift)
    probe.mouse(QEvent.Type.MouseMove, (far + 15, y + 15), shift)
    probe.mouse(QEvent.Type.MouseButtonRelease, (far + 15, y + 15), shift)
    until(lambda: bool(picks))
    assert sorted(picks[0]) == [0, 1]
    assert probe.view.view() == view


def test_a_click_on_a_name_picks_the_district(probe: MapProbe, until: Callable[..., None]) -> None:
    one_case(probe)
    areas: list[tuple[str, str]] = []
    probe.view.area_picked.connect(lambda kind, code: areas.append((kind, code)))
    probe.click(probe.place(117.2, 35.06))
    until(lambda: bool(areas))
    assert areas == [("district", "d1")]


def test_a_right_click_points_at_a_place(probe: MapProbe, until: Callable[..., None]) -> None:
    one_case(probe)
    places: list[tuple[float, float]] = []
    probe.view.pointed.connect(lambda lon, lat: places.append((lon, lat)))
    probe.right_click(probe.place(LON + 0.01, LAT))
    until(lambda: bool(places))
    assert places == [(pytest.approx(LON + 0.01, abs=2e-4), pytest.approx(LAT, abs=2e-4))]


def test_words_of_a_citizen_are_shown_as_text(probe: MapProbe, until: Callable[..., None]) -> None:
    hostile = "<img src=x onerror='document.title=\"taken\"'>"
    probe.view.set_hover_text(lambda slot: HoverCard(hostile, "-0:58", OVER, (f"<b>{slot}</b>",)))
    one_case(probe)
    hovered: list[int] = []
    probe.view.hovered.connect(hovered.append)
    probe.mouse(QEvent.Type.MouseMove, probe.place(LON, LAT))
    until(lambda: bool(hovered))
    until(lambda: probe.ask("!jingwei.card.box.hidden"))
    assert hovered == [0]
    assert probe.ask("jingwei.card.title.textContent") == hostile
    assert probe.ask("jingwei.card.lines.textContent") == "<b>0</b>"
    assert probe.ask("document.querySelectorAll('.card img, .card b').length") == 0
    assert probe.ask("document.title") != "taken"


@pytest.mark.expects_log("Refused a request", "Content Security Policy", "Fetch API")
def test_no_request_leaves_the_machine(
    probe: MapProbe, until: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    one_case(probe)
    probe.ask("document.body.appendChild(Object.assign(new Image(), {src: 'https://example.org/x.png'})).src")
    probe.ask("void fetch('https://example.org/y').catch(() => 0)")
    probe.ask(
        "document.body.appendChild(Object.assign(document.createElement('script'), {text: 'taken=1'})).id"
    )
    until(lambda: len(probe.view.web.refused) >= 2)
    assert {url.rsplit("/", 1)[-1] for url in probe.view.web.refused if "example" in url} == {"x.png", "y"}
    assert probe.ask("window.taken ?? 0") == 0
    # The console speaks when it comes to it.
    until(lambda: all(words in caplog.text for words in ("Content Security Policy", "Fetch API")))


@pytest.mark.expects_log("The page died")
def test_a_page_that_dies_comes_back_with_the_same_view(probe: MapProbe, until: Callable[..., None]) -> None:
    one_case(probe)
    probe.view.go_to(LON + 0.002, LAT, 16)
    probe.settle()
    until(lambda: probe.view.view().zoom == 16)
    before = probe.view.view()
    returned: list[bool] = []
    probe.view.ready.connect(lambda: returned.append(True))
    os.kill(probe.view.web.page().renderProcessPid(), signal.SIGKILL)
    until(lambda: bool(returned))
    probe.settle()
    after = probe.view.view()
    assert after.zoom == before.zoom
    assert abs(after.lon - before.lon) < 1e-4
    assert abs(after.lat - before.lat) < 1e-4
    assert sees(probe, "over_fill", LON, LAT)


def test_data_never_moves_a_map_that_was_moved_by_hand(probe: MapProbe) -> None:
    probe.view.go_to(LON, LAT, 16)
    probe.settle()
    view = probe.view.view()
    one_case(probe, lon=117.11)
    assert probe.view.view() == view


def test_a_new_ground_leaves_the_map_where_it_is(probe: MapProbe) -> None:
    probe.view.fit((117.16, 35.08, 117.17, 35.09))
    probe.settle()
    view = probe.view.view()
    probe.view.set_base(GROUND)
    probe.settle()
    assert probe.view.view() == view


def test_home_shows_all_again_and_arrows_and_signs_move(probe: MapProbe, until: Callable[..., None]) -> None:
    one_case(probe)
    target = probe.view.web.focusProxy()
    target.setFocus()
    probe.ask("jingwei.map.getContainer().focus()")

    def press(key: Qt.Key, text: str = "") -> None:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(target, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, text))

    press(Qt.Key.Key_Plus, "+")
    until(lambda: probe.view.view().zoom == 14)
    press(Qt.Key.Key_Right)
    until(lambda: probe.view.view().lon > LON + 0.001)
    assert probe.view.view().by_hand
    press(Qt.Key.Key_Home)
    until(lambda: probe.view.view().zoom < 13)
    assert not probe.view.view().by_hand


def test_a_fitted_map_fits_again_when_the_window_changes(probe: MapProbe, until: Callable[..., None]) -> None:
    one_case(probe)
    probe.view.fit()
    probe.settle()
    zoom = probe.view.view().zoom
    probe.view.resize(900, 700)
    until(lambda: probe.view.view().zoom > zoom)
    probe.view.set_layers({"cases": False})
    probe.settle()
    sees(probe, "land")


def test_a_selected_case_is_ringed_and_lies_above_what_alarms(
    probe: MapProbe, until: Callable[..., None]
) -> None:
    probe.view.set_points("cases", [LON, LON], [LAT, LAT], [ON_TIME, OVER], [True, True])
    probe.view.set_selected([0])
    probe.settle()
    sees(probe, "on_time_fill")
    x, y = probe.place(LON, LAT)
    picture = probe.view.grab().toImage()
    assert any(close_to(picture.pixelColor(int(x) + step, int(y)), "accent") for step in range(5, 11))
    probe.view.set_selected([])
    probe.settle()
    sees(probe, "over_fill")
