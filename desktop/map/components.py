"""The components of the city on the map: columns once, a card on pointing, the cases about one on a click."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, Signal

from db.cases.about import CaseAbout
from db.cases.rules import STATES
from db.kernel.language import _, language
from db.registers.components import STATE_CODES, STATE_LABELS, Components
from desktop.core.context import Context
from desktop.core.words import day_and_time
from desktop.map.bridge import HoverCard
from desktop.map.view import COMPONENTS, MapView

UNSOUND = 5
"""Added to the class of a component that is not intact: a style of its own."""


class ComponentLayer(QObject):
    """Lays the components under the cases and words what is said of them."""

    asked = Signal(object)
    """The id of a component that was clicked: which cases are about it?"""

    def __init__(self, view: MapView, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._context = context
        self._all = Components()
        view.set_hover_text(self.card, COMPONENTS)
        view.set_labels(self._labels, COMPONENTS)
        view.mark_picked.connect(self._on_picked)
        view.hear("case", lambda case_id: context.opened.emit(int(case_id)))

    def __len__(self) -> int:
        return len(self._all)

    def show(self, components: Components) -> None:
        """Take these, all there are."""
        self._all = components
        style = components.classes + np.where(components.states > 0, UNSOUND, 0).astype(np.uint8)
        shown = np.ones(len(components), bool)
        self._view.set_points(COMPONENTS, components.lon, components.lat, style, shown)

    def card(self, slot: int) -> HoverCard | None:
        """Class, state, who answers for it, and code."""
        if slot >= len(self):
            return None
        held = self._all
        directory = self._context.board.directory
        state = STATE_CODES[held.states[slot]]
        unit = directory.label("unit", int(held.units[slot]), language()) or _("Nobody answers for it")
        return HoverCard(
            self._class(slot), _(STATE_LABELS[state]), 1 if held.states[slot] else 0, (unit, self._code(slot))
        )

    def show_cases(self, component_id: int, cases: Sequence[CaseAbout]) -> None:
        """List the cases about a component beside the map; Enter opens one."""
        found = np.flatnonzero(self._all.ids == component_id)
        if not len(found):
            return
        slot = int(found[0])
        zone = self._context.zone
        rows = [
            {
                # As text: JavaScript's numbers end at 53 bits.
                "case": str(case.id),
                "title": f"{case.number} · {_(STATES[case.state].label)}",
                "note": day_and_time(case.reported_at, zone),
            }
            for case in cases
        ]
        own = {"layer": COMPONENTS, "slot": slot, "title": self._title(slot), "note": ""}
        # zh: 部件 {code}：{count} 件案件
        title = _("Component {code}: {count} cases about it").format(code=self._code(slot), count=len(cases))
        self._view.order("list", {"title": title, "rows": [own, *rows]})

    def _title(self, slot: int) -> str:
        card = self.card(slot)
        assert card is not None
        return " · ".join((card.title, card.remaining, card.lines[0]))

    def _class(self, slot: int) -> str:
        category_id = int(self._all.categories[slot])
        return self._context.board.directory.label("category", category_id, language())

    def _code(self, slot: int) -> str:
        return bytes(self._all.codes[slot]).decode()

    def _labels(self, slots: list[int]) -> list[str]:
        return [self._class(slot) if slot < len(self) else "" for slot in slots]

    def _on_picked(self, layer: str, slot: int) -> None:
        if layer == COMPONENTS and slot < len(self):
            self.asked.emit(int(self._all.ids[slot]))
