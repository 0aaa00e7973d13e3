"""A map on a small invented ground, in a real page."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QWidget

from desktop.map.view import WORDS, MapView
from desktop.widgets.webview import register_scheme
from tests.desktop.map.probe import GROUND, MIDDLE, MapProbe, tokens

# Both before the application exists; without the flag Chromium looks for a graphics card and complains.
os.environ.setdefault("QTWEBENGINE_CHROMIUM_FLAGS", "--disable-gpu")
register_scheme()


@pytest.fixture
def probe(shown: Callable[..., QWidget], until: Callable[..., None]) -> MapProbe:
    view = MapView(tokens("dark"), {word: word for word in WORDS})
    probe = MapProbe(view, until)
    shown(view, 500, 400)
    view.set_layers({"roads": False, "names": False})
    view.set_base(GROUND)
    view.go_to(*MIDDLE, 13)
    return probe
