"""Shapes over the ground in a real page, and a page that nobody's words or files can take over."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import shapely

from desktop.map.overlays import Look, Overlays, disc, rings_of
from desktop.map.shading import Shading
from desktop.widgets.webview import ORIGIN, POLICY
from tests.desktop.map.chequered import SQUARES, case_in, town
from tests.desktop.map.probe import MIDDLE, MapProbe

# Chromium speaks of the graphics card it does not find, once per process.
pytestmark = pytest.mark.expects_qt_warning

LON, LAT = MIDDLE
HOSTILE = "<img src=x onerror='document.title=\"taken\"'>"
GAP = Look("over", fill="over", words="gap")


def test_a_shape_is_drawn_with_its_hole_and_taken_away(probe: MapProbe, until: Callable[..., None]) -> None:
    overlays = Overlays(probe.view)
    # A case far off: without any, the page says so in the middle.
    probe.view.set_points("cases", [LON + 0.04], [LAT], [0], [True])
    probe.settle()
    until(lambda: probe.ask("jingwei.margin.notice.hidden"))
    outer = shapely.Point(LON, LAT).buffer(0.01).difference(shapely.Point(LON, LAT).buffer(0.003))
    land = probe.colour(LON + 0.006, LAT)
    overlays.lay("faults", [(outer, GAP, "12 m²")])
    probe.settle()
    until(lambda: probe.colour(LON + 0.006, LAT).red() > land.red() + 15)
    assert probe.colour(LON + 0.0015, LAT + 0.0015).red() < land.red() + 15
    assert [entry["words"] for entry in probe.ask("jingwei.overlays.entries")] == ["gap"]
    overlays.lay("faults", [])
    probe.settle()
    until(lambda: probe.colour(LON + 0.006, LAT).red() < land.red() + 5)
    assert not overlays.has("faults")


def test_groups_do_not_disturb_one_another(probe: MapProbe) -> None:
    overlays = Overlays(probe.view)
    overlays.lay("one", [(disc(LON, LAT, 200.0), GAP, "")])
    overlays.lay("two", [(disc(LON, LAT, 400.0), Look("soon"), "")])
    overlays.lay("one", [])
    probe.settle()
    assert probe.ask("jingwei.overlays.shapes.length") == 1
    assert (overlays.has("one"), overlays.has("two")) == (False, True)


def test_rings_of_many_parts_are_all_there() -> None:
    both = shapely.MultiPolygon(
        [shapely.box(0, 0, 1, 1), shapely.box(2, 2, 5, 5).difference(shapely.box(3, 3, 4, 4))]
    )
    assert len(rings_of(both)) == 3
    assert rings_of(shapely.Point(0, 0)) == []


def test_words_of_registers_are_shown_as_text_everywhere_on_the_page(
    probe: MapProbe, until: Callable[..., None]
) -> None:
    context = town([case_in(1, 0, 0)])
    context.city = type(context.city)(HOSTILE, HOSTILE, True)
    shading = Shading(probe.view, context)
    overlays = Overlays(probe.view)
    probe.settle()
    probe.view.order("say_where", HOSTILE)
    shading.set_ground(SQUARES)
    shading.show("open")
    shading.step(1)
    overlays.lay("faults", [(disc(LON, LAT, 900.0), Look("over", words=HOSTILE), HOSTILE)])
    probe.view.put("tool", {"kind": "lasso", "hint": HOSTILE, "level": "cell", "points": []})
    probe.settle()
    until(lambda: probe.ask("jingwei.areas.crumbs.textContent") == HOSTILE)
    assert probe.ask("jingwei.tools.hint.textContent") == HOSTILE
    assert probe.ask("jingwei.tools.where.textContent") == HOSTILE
    assert probe.ask("document.querySelectorAll('.key img, .hint img, .where img, .legend img').length") == 0
    assert probe.ask("document.title") != "taken"


def test_the_policy_allows_our_own_origin_and_nothing_else() -> None:
    rules = dict(part.strip().split(" ", 1) for part in POLICY.split(";") if part.strip())
    assert rules.pop("default-src") == "'none'"
    assert {rules[kind] for kind in ("script-src", "style-src", "connect-src", "font-src")} == {ORIGIN}
    assert rules["img-src"].split() == [ORIGIN, "data:", "blob:"]
    assert {rules[kind] for kind in ("base-uri", "form-action", "frame-src", "object-src")} == {"'none'"}


@pytest.mark.expects_log(
    "nobody serves", "Refused a request", "execute inline event handler", "Refused to frame"
)
def test_a_handler_in_markup_is_never_run_and_no_frame_is_opened(
    probe: MapProbe, until: Callable[..., None]
) -> None:
    probe.settle()
    for markup in (
        "<img src='/map/none.png' onerror='taken = 1'>",
        "<iframe src='https://example.org/frame'></iframe>",
    ):
        probe.ask(f"(document.body.insertAdjacentHTML('beforeend', {json.dumps(markup)}), 1)")
    until(lambda: any("example.org" in url for url in probe.view.web.refused))
    until(lambda: "inline" in probe.view.web.refused)
    assert probe.ask("window.taken ?? 0") == 0
