"""Components on the map: style by class and state, the card, the cases about one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QObject

from db.cases.about import CaseAbout
from db.registers.components import Components
from desktop.map.components import ComponentLayer
from desktop.map.view import COMPONENTS
from tests.db.live.rows import NOON
from tests.desktop.map.test_people import Recorder
from tests.desktop.seeded import context_of

HELD = Components(
    np.array([11, 12]),
    np.array(["37040200101000001", "37040200103000002"], "S17"),
    np.array([1, 2]),
    np.array([1, 0]),
    np.array([0, 2], np.uint8),
    np.array([0, 1], np.uint8),
    np.array([117.1, 117.2]),
    np.array([35.1, 35.1]),
)


class View(Recorder):
    def set_labels(self, _provider: object, _layer: str) -> None: ...


@pytest.fixture
def layer(application: QObject) -> tuple[ComponentLayer, View, list[Any]]:
    view = View()
    context = context_of()
    opened: list[Any] = []
    context.opened.connect(opened.append)
    made = ComponentLayer(view, context)  # type: ignore[arg-type]
    made.show(HELD)
    return made, view, opened


def test_what_is_not_intact_has_a_style_of_its_own(layer: Any) -> None:
    _made, view, _opened = layer
    assert view.told == [("all", COMPONENTS, (2, [0, 7]))]


def test_the_card_tells_class_state_who_answers_and_code(layer: Any) -> None:
    made, _view, _opened = layer
    sound, damaged = made.card(0), made.card(1)
    assert (sound.title, sound.remaining, sound.lines) == (
        "Kind 1",
        "Intact",
        ("Unit 1", "37040200101000001"),
    )
    assert (damaged.remaining, damaged.tone, damaged.lines[0]) == ("Damaged", 1, "Nobody answers for it")
    assert made.card(2) is None
    assert made._labels([1, 5]) == ["Kind 2", ""]


def test_a_click_asks_for_the_cases_and_they_are_listed_under_it(layer: Any) -> None:
    made, view, opened = layer
    asked: list[object] = []
    made.asked.connect(asked.append)
    view.mark_picked.emit(COMPONENTS, 1)
    assert asked == [12]
    view.told.clear()
    big = 2**62 + 1
    made.show_cases(12, [CaseAbout(big, "2026-1", "handling", 1, NOON)])
    ((_kind, name, value),) = view.told
    assert (name, value["title"]) == ("list", "Component 37040200103000002: 1 cases about it")
    assert value["rows"][0]["slot"] == 1
    assert value["rows"][1]["case"] == str(big)
    view.heard["case"](value["rows"][1]["case"])
    assert opened == [big]
    made.show_cases(99, [])
    assert len(view.told) == 1
