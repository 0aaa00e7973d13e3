"""The live layers in a real page: what is seen is what is picked, stacks open, keys walk, heat is honest."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from desktop.map.bridge import HoverCard
from tests.desktop.map.probe import MIDDLE, MapProbe

# Chromium speaks of the graphics card it does not find, once per process.
pytestmark = pytest.mark.expects_qt_warning

LON, LAT = MIDDLE
ON_TIME, SOON, OVER, NO_CLOCK = range(4)
METRE = 1 / 111_195


def lay(probe: MapProbe, places: list[tuple[float, float]], styles: list[int], layer: str = "cases") -> None:
    """Points so many metres east and north of the middle."""
    lon = [LON + east * METRE / math.cos(math.radians(LAT)) for east, _north in places]
    lat = [LAT + north * METRE for _east, north in places]
    probe.view.set_points(layer, lon, lat, styles, [True] * len(places))
    probe.settle()


def look(probe: MapProbe, zoom: float) -> None:
    probe.view.restore_view((LON, LAT, zoom))
    probe.settle()


def press(probe: MapProbe, key: Qt.Key, text: str = "") -> None:
    target = probe.view.web.focusProxy()
    target.setFocus()
    probe.ask("jingwei.map.getContainer().focus()")
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.sendEvent(target, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, text))


def wait_for_more(until: Callable[..., None], seen: list[int]) -> None:
    count = len(seen)
    until(lambda: len(seen) > count)


def words(probe: MapProbe, title: str = "case {slot}") -> None:
    probe.view.set_hover_text(lambda slot: HoverCard(title.format(slot=slot), "-0:58", OVER, ("here",)))


def test_what_is_seen_under_the_pointer_is_what_is_picked(probe: MapProbe) -> None:
    chance = np.random.default_rng(5)
    places = chance.normal(0, 150, (4_000, 2))
    lay(probe, [(float(east), float(north)) for east, north in places], chance.integers(0, 4, 4_000).tolist())
    look(probe, 15)
    differ, touched = probe.ask(
        """(() => {
        const { cases, picture, sheet, map, palette } = jingwei;
        const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
        const fill = cases.styles.map(({ colour, open }) => {
          pen.fillStyle = palette[open ? "land" : colour];
          pen.fillRect(0, 0, 1, 1);
          return new Uint32Array(pen.getImageData(0, 0, 1, 1).data.buffer)[0];
        });
        const differ = [];
        let touched = 0;
        for (let i = 0; i < 8000; i++) {
          const point = L.point((i * 7919) % 500, (i * 104729) % 400);
          const corner = map.getPixelBounds().min;
          const x = point.x + corner.x - sheet.frame.left;
          const y = point.y + corner.y - sheet.frame.top;
          const pixel = picture.pixels[Math.floor(y) * sheet.frame.deviceWidth + Math.floor(x)];
          const style = fill.indexOf(pixel);
          if (style < 0 || cases.styles[style].open) continue; // a rim, or nothing
          touched++;
          const mark = cases.hit(point);
          if (cases.columns.style[mark.slot] !== style) differ.push([point.x, point.y]);
        }
        return [differ, touched];
        })()"""
    )
    assert touched > 200
    assert differ == []


def test_points_that_move_far_are_found_where_they_went_even_when_they_are_many(probe: MapProbe) -> None:
    count = 6_000
    lay(probe, [(i % 100, i // 100) for i in range(count)], [ON_TIME] * count)
    moved = np.arange(1, 3_001)
    for north in (0.004, -0.004, 0.006):  # more than the tail holds
        where = np.full(3_000, LAT + north)
        probe.view.patch_points("cases", moved, np.full(3_000, LON), where, [OVER] * 3_000, [True] * 3_000)
        probe.settle()
    look(probe, 14)
    assert probe.ask("jingwei.cases.buckets.map((bucket) => bucket.count)") == [0, 3_000, 0, 3_000]
    x, y = probe.place(LON, LAT + 0.006)
    assert probe.ask(f"jingwei.cases.hit(L.point({x}, {y})).slot") in moved
    assert probe.ask("jingwei.cases.columns.count") < 6_000 + 4_096
    inside = probe.ask(f"jingwei.cases.within(L.point({x - 3}, {y - 3}), L.point({x + 3}, {y + 3})).length")
    assert inside == 3_000


def test_one_far_off_slip_leaves_the_order_of_the_city(probe: MapProbe) -> None:
    count = 3_000
    chance = np.random.default_rng(2)
    lon = np.append(LON + chance.normal(0, 0.01, count), -70.0)
    lat = np.append(LAT + chance.normal(0, 0.01, count), 10.0)
    probe.view.set_points("cases", lon, lat, [ON_TIME] * (count + 1), [True] * (count + 1))
    probe.settle()
    look(probe, 17)
    candidates = probe.ask(
        "(() => { const pairs = jingwei.cases._around(L.point(250, 200), 8); let n = 0;"
        " for (let i = 0; i < pairs.length; i += 2) n += pairs[i + 1] - pairs[i]; return n; })()"
    )
    assert candidates < count / 4


def test_cases_at_one_place_have_a_number_that_opens_a_list(
    probe: MapProbe, until: Callable[..., None]
) -> None:
    hostile = "<img src=x onerror='document.title=\"taken\"'>"
    words(probe, hostile + " {slot}")
    lay(probe, [(0, 0), (1, 0), (0, 1), (80, 0)], [ON_TIME, OVER, SOON, OVER])
    look(probe, 17)
    assert probe.ask("jingwei.stacks.badges.map(({ slots }) => slots)") == [[1, 2, 0]]
    left, top, right, bottom = probe.ask(
        "(() => { const { frame } = jingwei.sheet, corner = jingwei.map.getPixelBounds().min;"
        " return jingwei.stacks.badges[0].box.map((side, i) =>"
        " side + (i % 2 ? frame.top - corner.y : frame.left - corner.x)); })()"
    )
    probe.click(((left + right) / 2, (top + bottom) / 2))
    until(lambda: probe.ask("!jingwei.list.box.hidden"))
    assert probe.ask("jingwei.list.rows.map(({ slot }) => slot)") == [1, 2, 0]
    assert probe.ask("jingwei.list.body.children[0].textContent").startswith(hostile)
    assert probe.ask("document.querySelectorAll('.list img').length") == 0
    assert probe.ask("document.title") != "taken"


def test_the_list_is_walked_opened_and_closed_by_keyboard(
    probe: MapProbe, until: Callable[..., None]
) -> None:
    words(probe)
    opened: list[int] = []
    picked: list[tuple[list[int], str]] = []
    probe.view.opened.connect(opened.append)
    probe.view.picked.connect(lambda slots, mode: picked.append((slots, mode)))
    lay(probe, [(0, 0), (0, 0), (0, 0)], [ON_TIME, OVER, SOON])
    look(probe, 17)
    view = probe.view.view()
    press(probe, Qt.Key.Key_BracketRight, "]")
    press(probe, Qt.Key.Key_Return, "\r")
    until(lambda: probe.ask("!jingwei.list.box.hidden"))
    press(probe, Qt.Key.Key_Down)
    press(probe, Qt.Key.Key_Space, " ")
    until(lambda: bool(picked))
    press(probe, Qt.Key.Key_Return, "\r")
    until(lambda: bool(opened))
    assert picked == [([2], "toggle")]
    assert opened == [2]
    assert probe.ask("jingwei.list.box.hidden")
    assert probe.view.view() == view


def test_brackets_go_from_the_most_pressing_on_and_round(probe: MapProbe, until: Callable[..., None]) -> None:
    words(probe)
    lay(probe, [(-60, 0), (60, 0), (0, 40), (0, 0), (5_000, 0)], [ON_TIME, OVER, OVER, SOON, OVER])
    look(probe, 16)
    seen: list[int] = []
    probe.view.hovered.connect(seen.append)
    for key in "]]]]][":
        press(probe, Qt.Key.Key_BracketRight if key == "]" else Qt.Key.Key_BracketLeft, key)
        wait_for_more(until, seen)
    assert seen == [2, 1, 3, 0, 2, 0]


def test_the_backslash_turns_to_the_next_of_one_place(probe: MapProbe, until: Callable[..., None]) -> None:
    words(probe)
    lay(probe, [(0, 0), (0, 0), (0, 0)], [OVER] * 3)
    look(probe, 17)
    seen: list[int] = []
    probe.view.hovered.connect(seen.append)
    for key, text in ((Qt.Key.Key_BracketRight, "]"), *((Qt.Key.Key_Backslash, "\\"),) * 3):
        press(probe, key, text)
        wait_for_more(until, seen)
    assert seen == [2, 1, 0, 2]


def test_words_stand_beside_marks_and_never_over_one_another(
    probe: MapProbe, until: Callable[..., None]
) -> None:
    asked: list[int] = []

    def labels(slots: list[int]) -> list[str]:
        asked.extend(slots)
        return [f"暴露垃圾 {slot}" for slot in slots]

    probe.view.set_labels(labels)
    chance = np.random.default_rng(3)
    places = chance.uniform(-120, 120, (120, 2))
    lay(probe, [(float(east), float(north)) for east, north in places], [ON_TIME] * 120)
    look(probe, 18)
    until(lambda: probe.ask("jingwei.labels.laid.length") > 10)
    boxes = probe.ask("jingwei.labels.laid.map(({ box }) => box)")
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:i]:
            assert right <= other[0] or left >= other[2] or bottom <= other[1] or top >= other[3]
    assert len(asked) == len(set(asked))
    probe.view.patch_points("cases", [0], [LON], [LAT], [OVER], [True])
    probe.settle()
    until(lambda: asked.count(0) == 2)


def test_components_appear_from_a_zoom_on_and_the_legend_says_so(probe: MapProbe) -> None:
    lay(probe, [(0, 0), (30, 0)], [0, 5], "components")
    look(probe, 13)
    assert probe.ask("jingwei.components.legend()") == [{"words": "components_closer"}]
    assert probe.ask("jingwei.components.hit(L.point(250, 200))") is None
    look(probe, 17)
    assert [entry["words"] for entry in probe.ask("jingwei.components.legend()")] == ["component", "unsound"]
    assert probe.ask("jingwei.components.hit(L.point(250, 200)).slot") == 0
    picked: list[tuple[str, int]] = []
    probe.view.mark_picked.connect(lambda layer, slot: picked.append((layer, slot)))
    probe.click(probe.place(LON, LAT))
    probe.until(lambda: picked == [("components", 0)])


def test_the_heat_map_says_cases_per_square_kilometre(probe: MapProbe) -> None:
    lay(probe, [(0, 0)] * 5_000, [ON_TIME] * 5_000)
    probe.view.set_layers({"density": True})
    look(probe, 14)
    metres, steps = probe.ask("[jingwei.density.metres, jingwei.density.steps]")
    peak = 5_000 / (2 * math.pi * (metres / 1000) ** 2)
    most = probe.ask("jingwei.density.most")
    assert most == pytest.approx(peak, rel=0.1)
    assert steps[-1] <= most < steps[-1] * 2.5
    assert [later / earlier for earlier, later in pairwise(steps)] == pytest.approx([2] * 4, rel=0.1)
    entries = [entry["words"] for entry in probe.ask("jingwei.density.legend()")]
    assert entries[0] == "density"
    assert len(entries) == 6
    probe.view.set_visible([False] * 5_000)
    probe.settle()
    assert probe.ask("jingwei.density.legend()") == []


def test_a_person_glides_and_only_who_moved_travels_to_the_page(
    probe: MapProbe, until: Callable[..., None]
) -> None:
    lay(probe, [(0, 0), (50, 0)], [0, 0], "people")
    look(probe, 17)
    # The clock of the page stands far ahead: who sets out now is under way until it is set right.
    probe.ask("(performance.now = () => 1e12, 0)")
    probe.view.patch_points("people", [0], [LON], [LAT + 20 * METRE], [0], [True])
    probe.settle()
    assert probe.ask("[...jingwei.people.gliding.keys()]") == [0]
    between = probe.ask("jingwei.people.at(0, jingwei.people.gliding.get(0).since + 450).y")
    ends = probe.ask("[jingwei.people.gliding.get(0).y, jingwei.people.columns.y[0]]")
    assert between == pytest.approx(sum(ends) / 2, abs=1e-12)
    probe.ask("(delete performance.now, jingwei.people.gliding.get(0).since = performance.now(), 0)")
    until(lambda: probe.ask("jingwei.people.gliding.size") == 0)


def test_who_is_followed_stays_in_the_middle_until_a_hand_moves_the_map(
    probe: MapProbe, until: Callable[..., None]
) -> None:
    told: list[Any] = []
    probe.view.hear("followed", told.append)
    lay(probe, [(0, 0)], [0], "people")
    look(probe, 16)
    probe.view.order("follow", ["people", 0])
    until(lambda: told == [["people", 0]])
    probe.view.patch_points("people", [0], [LON + 0.002], [LAT], [0], [True])
    probe.settle()
    until(lambda: abs(probe.view.view().lon - LON - 0.002) < 1e-4)
    press(probe, Qt.Key.Key_Right)
    until(lambda: told[-1] == ["people", -1])
    where = probe.view.view()
    probe.view.patch_points("people", [0], [LON - 0.01], [LAT], [0], [True])
    probe.settle()
    assert abs(probe.view.view().lon - where.lon) < 0.005


def test_whoever_is_followed_next_takes_the_place_of_the_last(
    probe: MapProbe, until: Callable[..., None]
) -> None:
    told: list[Any] = []
    probe.view.hear("followed", told.append)
    lay(probe, [(0, 0)], [0], "people")
    lay(probe, [(0.001, 0)], [0], "vehicles")
    probe.view.order("follow", ["people", 0])
    probe.view.order("follow", ["vehicles", 0])
    until(lambda: told == [["people", 0], ["people", -1], ["vehicles", 0]])


def test_a_trail_is_drawn_and_taken_away(probe: MapProbe) -> None:
    look(probe, 16)
    line = [LON, LAT, LON + 0.002, LAT]
    probe.view.put("trail", {"lines": [line], "stops": [[LON, LAT, "12:00–12:10"]]})
    probe.settle()
    inked = (
        "(() => { const canvas = document.querySelector('.sheet-above');"
        " const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
        " return data.some((value) => value > 0); })()"
    )
    assert probe.ask(inked)
    probe.view.put("trail", None)
    probe.settle()
    assert not probe.ask(inked)


@pytest.mark.expects_log("The page died")
def test_a_page_that_dies_again_and_again_is_waited_for_and_the_pane_says_so(
    probe: MapProbe, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(probe.view.web), "RETURN_AFTER_MS", (0, 0, 2_000))
    monkeypatch.setattr(type(probe.view.web), "FORGIVEN_AFTER_S", 3600.0)
    said = {"returning_often": "{count} times, again in {seconds} s"}
    probe.view.add_words(said)
    lay(probe, [(0, 0), (40, 0)], [OVER, ON_TIME])
    probe.view.set_selected([1])
    probe.view.set_layers({"parks": False})
    look(probe, 16)
    returned: list[bool] = []
    probe.view.ready.connect(lambda: returned.append(True))
    died: list[int] = []
    probe.view.web.died.connect(lambda deaths, _wait: died.append(deaths))
    for death in (1, 2, 3):
        os.kill(probe.view.web.page().renderProcessPid(), signal.SIGKILL)
        until(lambda death=death: died[-1:] == [death])
        if death == 3:
            assert probe.view._cover.text() == "3 times, again in 2 s"
        until(lambda death=death: len(returned) == death)
    probe.settle()
    assert probe.view.view().zoom == 16
    assert probe.ask("[[...jingwei.cases.lifted], jingwei.layers.parks, jingwei.cases.columns.length]") == [
        [1],
        False,
        2,
    ]
