"""The strip above the panes: the filter as removable chips, the true count, and the menu of filters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QMenu, QWidget

from db.cases.rules import LIGHT_LABELS, SOURCES, STATES
from db.kernel.language import N_, _, language
from db.live.board import News
from db.live.filters import Filter, Scope
from db.live.tally import Breakdown
from desktop.core.context import Context, Freshness
from desktop.core.words import chip_label, count_sentence, number
from desktop.widgets.button import Button
from desktop.widgets.chips import Chip, ChipRow
from desktop.widgets.theme import Theme

PARTS = {
    "lights": N_("Light"),  # zh: 时限
    "states": N_("Stage"),
    "districts": N_("District"),
    "units": N_("Unit"),
    "majors": N_("Class"),  # zh: 大类
    "categories": N_("Category"),
    "sources": N_("Source"),
}
"""The parts of a filter that the menu offers."""

_SCOPE = "scope"
_LONGEST = 40
"""A longer menu is cut to the most frequent entries; the quick filter reaches the rest."""


class FilterStrip(ChipRow):
    """Chips of the room's one filter."""

    def __init__(self, theme: Theme, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._context = context
        self._filter_button = Button(theme, _("Filter"), kind="quiet", icon_name="filter")
        self._filter_button.set_drops()
        self.add_action(self._filter_button)
        self._filter_button.clicked.connect(self.open_menu)
        self.removed.connect(self._on_removed)
        self.opened.connect(self._on_opened)
        self.cleared.connect(lambda: context.set_filter(Filter()))
        context.filter_changed.connect(self.refresh)
        context.news.connect(self._on_news)
        context.age_changed.connect(self._say_count)
        self.refresh()

    def refresh(self) -> None:
        """Show the filter as it is."""
        chosen = self._context.filter
        directory, zone = self._context.board.directory, self._context.zone
        chips = [Chip(part, chip_label(part, values, directory, zone)) for part, values in chosen.parts()]
        if chosen.scope is Scope.TODAY_CLOSED:
            chips.insert(0, Chip(_SCOPE, _("Ended today")))
        elif chosen.scope is Scope.ALL:
            chips.insert(0, Chip(_SCOPE, _("Open and ended today")))
        self.set_chips(chips)
        self._say_count()

    def open_menu(self) -> None:
        """The menu of all filters, one submenu a part."""
        menu = QMenu(self)
        for part, title in PARTS.items():
            self._fill(menu.addMenu(_(title)), part)
        menu.addSeparator()
        no_position = menu.addAction(_("Without position"))
        no_position.setCheckable(True)
        no_position.setChecked(self._context.filter.no_position)
        no_position.triggered.connect(lambda: self._context.toggle("no_position", True))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self._filter_button.mapToGlobal(self._filter_button.rect().bottomLeft()))

    def _on_news(self, news: News) -> None:
        if news.rows_changed or news.names_changed or not news.applied.is_empty:
            self._say_count()
        if news.names_changed:
            self.refresh()

    def _say_count(self) -> None:
        if self._context.age.state is Freshness.LOADING:
            self.set_count("")
            return
        lens = self._context.board.lens
        self.set_count(count_sentence(lens.count, lens.total_open, lens.filter))

    def _on_removed(self, part: str) -> None:
        if part == _SCOPE:
            self._context.set_filter(replace(self._context.filter, scope=Scope.OPEN))
        else:
            self._context.set_filter(self._context.filter.without(part))

    def _on_opened(self, part: str) -> None:
        if part not in PARTS:
            return
        menu = QMenu(self)
        self._fill(menu, part)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _fill(self, menu: QMenu, part: str) -> None:
        held = getattr(self._context.filter, part)
        for value, words, count in self._choices(part):
            action = menu.addAction(f"{words}\t{number(count)}".replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(value in held)
            action.triggered.connect(lambda _on=False, value=value: self._toggle(part, value))
        if menu.isEmpty():
            menu.addAction(_("nothing to choose")).setEnabled(False)

    def _toggle(self, part: str, value: Any) -> None:
        chosen = self._context.filter.toggled(part, value)
        if part == "states":
            # What has ended is not among the open cases: its number in the menu is of all of them.
            ended = any(not STATES[state].open for state in chosen.states)
            chosen = replace(chosen, scope=Scope.ALL if ended else Scope.OPEN)
        self._context.set_filter(chosen)

    def _choices(self, part: str) -> list[tuple[Any, str, int]]:
        figures = self._context.board.figures()
        if part == "lights":
            return [(int(light), _(words), figures.lights[light]) for light, words in LIGHT_LABELS.items()]
        if part == "states":
            return [
                (code, _(state.label), figures.by_state.get(code, 0))
                for code, state in STATES.items()
                if state.open or figures.by_state.get(code, 0)
            ]
        if part == "sources":
            return [(code, _(words), figures.by_source.get(code, 0)) for code, words in SOURCES.items()]
        directory = self._context.board.directory
        if part == "majors":
            return [
                (key, directory.label("major", key, language()), n)
                for key, n in figures.by_major.items()
                if key
            ]
        kind, breakdown = {
            "districts": ("district", figures.by_district),
            "units": ("unit", figures.by_unit),
            "categories": ("category", figures.by_category),
        }[part]
        return [
            (key, directory.label(kind, key, language()) or _("none"), total)
            for key, total in _most(breakdown)
        ]


def _most(breakdown: Breakdown) -> list[tuple[int, int]]:
    pairs = zip(breakdown.ids.tolist(), breakdown.totals.tolist(), strict=True)
    return [(key, total) for key, total in pairs if total][:_LONGEST]
