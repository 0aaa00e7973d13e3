"""The page folium draws up: nothing foreign, nothing inline."""

from __future__ import annotations

import re

from desktop.map.page import draw_up, split_inline
from desktop.widgets.webview import ORIGIN, POLICY


def test_every_address_on_the_page_is_ours() -> None:
    assert set(re.findall(r"\w+://[^/\"]*", draw_up())) == {ORIGIN}


def test_no_code_is_left_inline_and_none_is_lost() -> None:
    page = split_inline(draw_up())
    assert not re.search(r"<style|<script>| on\w+=| style=", page.html)
    assert "L.map(" in page.script
    assert "live.open(map_room)" in page.script
    assert "#map_room" in page.style
    assert "unsafe" not in POLICY


def test_the_page_is_the_same_from_start_to_start() -> None:
    assert draw_up() == draw_up()
