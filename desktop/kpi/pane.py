"""The figures pane: cards and charts of the moment, each a way to narrow the room."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from db.cases.rules import BEFORE_DISPATCH, Light
from db.kernel.language import N_, _, language
from db.live.board import News
from db.live.filters import Filter, Scope
from db.live.lens import Lens
from db.live.tally import HOUR_MS, SOON_MS, Breakdown, Figures
from db.live.usual import Usual
from desktop.core.context import Context
from desktop.core.words import number
from desktop.widgets.bars import Pareto, StackedBars
from desktop.widgets.button import Button
from desktop.widgets.card import Card, CardGrid
from desktop.widgets.chart import Histogram, HourLines
from desktop.widgets.pane import Pane
from desktop.widgets.theme import Theme

CARDS = {
    "open": (N_("Open"), N_("All cases reported and not yet ended, whatever their stage.")),  # zh: 在办
    "due": (
        N_("Due within 2 h"),  # zh: 2小时内到期
        N_("In hand, the disposal clock running, two hours or less left."),
    ),
    "overdue": (
        N_("Overdue, open"),  # zh: 超期未结
        N_("Open and past the limit, or handed back after it and not closed yet."),
    ),
    "today": (
        N_("Reported / closed today"),  # zh: 今日上报 / 结案
        N_("Reports since midnight, and cases closed since midnight."),
    ),
    "on_time": (
        N_("On-time closing"),  # zh: 按期结案率（含超期）
        N_(
            "Closed on time ÷ (closed + overdue and still open), today."
            " Below it the figure of closed cases alone: it looks better the more is left lying."
        ),
    ),
    "rework": (
        N_("Reworked"),  # zh: 返工率
        N_("Cases closed today that had failed a check at least once ÷ cases closed today."),
    ),
}
"""Title and definition of each card; the definition is its tool tip."""

_CHARTS = {
    "hours": N_("By hour"),
    "units": N_("Units"),
    "categories": N_("Categories"),
    "left": N_("Time left"),
}
_LEAST = {"hours": 150, "units": 150, "categories": 140, "left": 130}
"""Heights under which a chart says nothing; when they do not all fit, they share one place under tabs."""
_STRETCH = {"hours": 5, "units": 6, "categories": 6, "left": 4}
_SHOWN = 12
DUE = (0, SOON_MS)
OVERDUE = frozenset({int(Light.OVER)})
"""What the cards of that name filter by."""
_LEFT_FROM, _LEFT_TO = -4.0, 12.0
"""Hours between which the histogram of time left stands."""


class KpiPane(Pane):
    """Follows the room's filter; a breakdown leaves its own part out, so that one can go on choosing."""

    def __init__(self, theme: Theme, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(theme, _("Figures"), _("today"), parent=parent)  # zh: 指标
        self._look = theme
        self._context = context
        self._usual: Usual | None = None
        self._by = "unit"
        self._tab = "hours"
        self._is_folded = False
        self._is_for_eyes = False
        self._make()
        self._connect()
        self._show()
        self._on_age()

    def set_usual(self, usual: Usual | None) -> None:
        """The grey band behind today's hours, and what there was at this hour yesterday."""
        self._usual = usual
        self._show()

    def hide_tools(self) -> None:
        """For the wall: without hands there are no tabs, so charts that do not fit are left out."""
        super().hide_tools()
        self._is_for_eyes = True
        self._fold(force=True)

    def _make(self) -> None:
        theme = self._look
        cards = [Card(theme, key, _(title), _(definition)) for key, (title, definition) in CARDS.items()]
        self.cards = CardGrid(theme, cards, columns=2)
        self.cards.cards["rework"].set_filters(False)
        self.hours = HourLines(
            theme, _("Reported and closed, by hour"), _("grey: usual range"), _("reported"), _("closed")
        )
        self.units = StackedBars(theme, _("Most open, by unit"))
        self.categories = Pareto(theme, _("What it is about"))
        self.left = Histogram(theme, _("Time left"), _("hours"))
        self.charts: dict[str, QWidget] = {
            "hours": self.hours,
            "units": self.units,
            "categories": self.categories,
            "left": self.left,
        }
        self._by_button = Button(theme, "", kind="quiet")
        self.add_tool(self._by_button)
        self._tabs = QWidget()
        row = QHBoxLayout(self._tabs)
        row.setContentsMargins(theme.px(8), theme.px(4), theme.px(8), 0)
        row.setSpacing(theme.px(2))
        self._tab_buttons: dict[str, Button] = {}
        for key, title in _CHARTS.items():
            button = self._tab_buttons[key] = Button(theme, _(title), kind="quiet")
            button.setCheckable(True)
            row.addWidget(button)
        row.addStretch(1)
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.cards, 0, Qt.AlignmentFlag.AlignTop)
        self._column.addWidget(self._tabs)
        for key, chart in self.charts.items():
            chart.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
            self._column.addWidget(chart, _STRETCH[key])
        self.set_content(inside)
        inside.installEventFilter(self)
        self._say_by()
        self._fold(force=True)

    def _connect(self) -> None:
        context = self._context
        context.news.connect(self._on_news)
        context.filter_changed.connect(self._show)
        context.age_changed.connect(self._on_age)
        self._look.changed.connect(self._on_theme)
        self.cards.pressed_for.connect(self._on_card)
        self.cards.taken_for.connect(self._on_card_taken)
        self.units.picked.connect(self._on_bar)
        self.units.taken.connect(self._on_bar_taken)
        self.categories.picked.connect(self._on_category)
        self.categories.taken.connect(self._on_category_taken)
        self.left.ranged.connect(self._on_range)
        self.left.taken.connect(self._on_range_taken)
        self.left.cleared.connect(lambda: context.set_filter(context.filter.without("slack")))
        self._by_button.clicked.connect(self._on_by)
        for key, button in self._tab_buttons.items():
            button.clicked.connect(lambda _on=False, key=key: self._choose_tab(key))

    # What is shown

    def _on_news(self, news: News) -> None:
        if news.figures_changed:
            self._show()

    def _show(self) -> None:
        figures = self._context.board.figures()
        self._show_cards(figures)
        self._show_hours(figures)
        self._show_bars(figures)
        self._show_left(figures)

    def _show_cards(self, figures: Figures) -> None:
        cards = self.cards.cards
        compared = ""
        if self._usual is not None and self._context.filter.is_empty:
            ended = figures.closed_today + figures.by_state["rejected"] + figures.by_state["void"]
            before = self._usual.open_at(figures.at_ms, figures.open, figures.arrived_today, ended)
            # zh: 较昨日同时 {difference}
            compared = _("{difference} on this time yesterday").format(
                difference=_signed(figures.open - before)
            )
        cards["open"].set_figure(number(figures.open), "", compared)
        waiting = sum(figures.by_state[state] for state in BEFORE_DISPATCH)
        cards["due"].set_figure(
            number(figures.due_within_2h),
            "",
            # zh: 另有 {count} 件未派遣
            _("{count} not yet dispatched").format(count=number(waiting)),
            "soon" if figures.due_within_2h else "neutral",
        )
        share = figures.overdue / figures.open if figures.open else None
        cards["overdue"].set_figure(
            number(figures.overdue),
            "",
            _("{share} of the open ones").format(share=percent(share)),
            "over" if figures.overdue else "neutral",
        )
        cards["today"].set_figure(
            number(figures.arrived_today),
            f"/ {number(figures.closed_today)}",
            self._compared_to_usual(figures),
        )
        cards["on_time"].set_figure(
            *_rate(figures.strict_on_time_rate),
            # zh: 仅算已结 {share}
            _("closed ones alone {share}").format(share=percent(figures.on_time_rate)),
        )
        cards["rework"].set_figure(
            *_rate(figures.rework_rate),
            # zh: {count} 件 / {total} 件
            _("{count} of {total} closed").format(
                count=number(figures.reworked_today), total=number(figures.closed_today)
            ),
        )
        self.cards.set_on(self._cards_on())

    def _compared_to_usual(self, figures: Figures) -> str:
        """How today's arrivals stand against the usual for this part of the day."""
        if self._usual is None or not self._context.filter.is_empty:
            return ""
        hours = (figures.at_ms - figures.day_start_ms) / HOUR_MS
        full = min(int(hours), 23)
        middle = self._usual.arrivals.so_far(hours - full, full)
        if middle < 1:
            return ""
        ratio = figures.arrived_today / middle - 1
        if abs(ratio) < 0.08:
            # zh: 与平日同时段相当
            return _("as usual for the hour")
        # zh: 比平日同时段 {difference}
        return _("{difference} on the usual").format(difference=f"{ratio:+.0%}".replace("-", "−"))

    def _show_hours(self, figures: Figures) -> None:
        now = min(int((figures.at_ms - figures.day_start_ms) // HOUR_MS), 23)
        low = high = None
        if self._usual is not None and self._usual.days and self._context.filter.is_empty:
            low, high = self._usual.arrivals.low, self._usual.arrivals.high
        else:
            # The usual is known for the whole city only.
            low = high = np.zeros(0)
        self.hours.set_data(
            figures.arrivals_by_hour[:now].astype(float),
            figures.closings_by_hour[:now].astype(float),
            low,
            high,
        )

    def _show_bars(self, figures: Figures) -> None:
        directory = self._context.board.directory
        breakdown = figures.by_unit if self._by == "unit" else figures.by_district
        part = "units" if self._by == "unit" else "districts"
        keys, names, counts = _top(
            breakdown, lambda key: directory.label(self._by, key, language()) or _("none yet")
        )
        # Without a clock there is no light: those cases count as grey length.
        three = np.stack(
            [
                counts[:, Light.OVER],
                counts[:, Light.SOON],
                counts[:, Light.ON_TIME] + counts[:, Light.NO_CLOCK],
            ],
            axis=1,
        )
        self.units.set_data(keys, names, three)
        self.units.set_on(str(value) for value in getattr(self._context.filter, part))
        keys, names, counts = _top(
            figures.by_category, lambda key: directory.label("category", key, language()) or _("none")
        )
        totals = counts.sum(axis=1)
        self.categories.set_data(keys, names, totals, float(figures.by_category.totals.sum()))
        self.categories.set_on(str(value) for value in self._context.filter.categories)

    def _show_left(self, figures: Figures) -> None:
        """The hours around now; what is due later is said in words, or it would dwarf the rest."""
        bins = figures.slack
        edges = bins.edges / HOUR_MS
        totals = bins.lights.sum(axis=1)
        inner = totals[1:-1]
        shown = (edges[:-1] >= _LEFT_FROM) & (edges[1:] <= _LEFT_TO)
        counts = inner[shown].astype(float)
        counts[0] += totals[0] + inner[edges[1:] <= _LEFT_FROM].sum()
        later = int(totals[-1] + inner[edges[:-1] >= _LEFT_TO].sum())
        self.left.set_counts(np.append(edges[:-1][shown], _LEFT_TO), counts)
        # zh: 小时；另有 {count} 件更晚
        note = _("hours; {count} later").format(count=number(later)) if later else _("hours")
        self.left.set_title(_("Time left"), note)
        slack = self._context.filter.slack
        if slack is None:
            self.left.set_range(None, None)
        else:
            self.left.set_range(
                -math.inf if slack[0] is None else slack[0] / HOUR_MS,
                math.inf if slack[1] is None else slack[1] / HOUR_MS,
            )

    def _cards_on(self) -> list[str]:
        chosen = self._context.filter
        on = []
        if chosen.slack == DUE:
            on.append("due")
        if chosen.lights == OVERDUE:
            on.append("overdue")
        if chosen.arrived is not None and chosen.arrived == (
            self._context.board.figures().day_start_ms,
            None,
        ):
            on.append("today")
        if chosen.scope is Scope.TODAY_CLOSED:
            on.append("on_time")
        return on

    # What a click does

    def _on_card(self, key: str) -> None:
        context = self._context
        chosen = context.filter
        is_on = key in self._cards_on()
        if key == "open":
            # The number counts what the filter lets through, so the press keeps the filter.
            context.set_filter(_in_scope(chosen, Scope.OPEN))
        elif key == "due":
            turned = chosen.without("slack")
            context.set_filter(_in_scope(turned if is_on else replace(turned, slack=DUE), Scope.OPEN))
        elif key == "overdue":
            turned = chosen.without("lights")
            context.set_filter(_in_scope(turned if is_on else replace(turned, lights=OVERDUE), Scope.OPEN))
        elif key == "today":
            turned = chosen.toggled("arrived", (context.board.figures().day_start_ms, None))
            context.set_filter(_in_scope(turned, Scope.OPEN if turned.arrived is None else Scope.ALL))
        elif key == "on_time":
            context.set_filter(_in_scope(chosen, Scope.OPEN if is_on else Scope.TODAY_CLOSED))

    def _on_bar(self, key: str, segment: str) -> None:
        part, value = "units" if self._by == "unit" else "districts", int(key)
        chosen = _in_scope(self._context.filter, Scope.OPEN)
        light = {"over": Light.OVER, "soon": Light.SOON}.get(segment)
        if light is None:
            chosen = chosen.toggled(part, value)
        else:
            # A colour of a row is that row in that light; a second press lets the light go.
            is_on = getattr(chosen, part) == {value} and chosen.lights == {int(light)}
            lights = frozenset() if is_on else frozenset({int(light)})
            chosen = replace(chosen, **{part: frozenset({value}), "lights": lights})
        self._context.set_filter(chosen)

    def _on_category(self, key: str) -> None:
        # The classes above are left out of these bars' counts, so they go from the filter as well.
        chosen = _in_scope(self._context.filter.without("majors"), Scope.OPEN)
        self._context.set_filter(chosen.toggled("categories", int(key)))

    def _on_range(self, low: float, high: float) -> None:
        slack = _span(low, high)
        self._context.set_filter(_in_scope(replace(self._context.filter, slack=slack), Scope.OPEN))

    # What a press with Ctrl or Shift does: the cases are selected, as many as the number says

    def _on_card_taken(self, key: str, mode: str) -> None:
        chosen = self._context.filter
        if key == "due":
            self._take(_in_scope(replace(chosen, slack=DUE), Scope.OPEN), mode, "slack")
        elif key == "overdue":
            self._take(_in_scope(replace(chosen, lights=OVERDUE), Scope.OPEN), mode, "lights")
        elif key == "today":
            arrived = (self._context.board.figures().day_start_ms, None)
            self._take(_in_scope(replace(chosen, arrived=arrived), Scope.ALL), mode, "arrived")
        elif key == "on_time":
            self._take(_in_scope(chosen, Scope.TODAY_CLOSED), mode)
        else:
            self._take(_in_scope(chosen, Scope.OPEN), mode)

    def _on_bar_taken(self, key: str, segment: str, mode: str) -> None:
        part = "units" if self._by == "unit" else "districts"
        chosen = replace(self._context.filter, **{part: frozenset({int(key)})})
        light = {"over": Light.OVER, "soon": Light.SOON}.get(segment)
        if light is not None:
            chosen = replace(chosen, lights=frozenset({int(light)}))
        self._take(_in_scope(chosen, Scope.OPEN), mode, part, *([] if light is None else ["lights"]))

    def _on_category_taken(self, key: str, mode: str) -> None:
        chosen = replace(self._context.filter.without("majors"), categories=frozenset({int(key)}))
        self._take(_in_scope(chosen, Scope.OPEN), mode, "categories", "majors")

    def _on_range_taken(self, low: float, high: float, mode: str) -> None:
        chosen = replace(self._context.filter, slack=_span(low, high))
        self._take(_in_scope(chosen, Scope.OPEN), mode, "slack")

    def _take(self, chosen: Filter, mode: str, *own: str) -> None:
        """Select the cases of a filter. Where the room's own hides some, the parts in question give way.

        All of them stand in the list afterwards: nobody acts on what is not seen.
        """
        context, store = self._context, self._context.board.store
        wanted = Lens(store, chosen).mask
        if (wanted & ~context.board.lens.mask).any():
            widened = _in_scope(context.filter, chosen.scope)
            for part in own:
                widened = widened.without(part)
            context.set_filter(widened)
        context.pick(frozenset(store.id[wanted].tolist()), mode)

    def _on_by(self) -> None:
        self._by = "district" if self._by == "unit" else "unit"
        self._say_by()
        self._show()

    def _say_by(self) -> None:
        by_unit = self._by == "unit"
        self._by_button.setText(_("By district") if by_unit else _("By unit"))
        self.units.set_title(_("Most open, by unit") if by_unit else _("Most open, by district"))

    # Room for the charts

    def _on_theme(self) -> None:
        self._fold(force=True)

    def _choose_tab(self, key: str) -> None:
        self._tab = key
        self._fold(force=True)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Of the content, not of the pane: before the first show the one has its size and the other not yet.
        if watched is self.content() and event.type() == QEvent.Type.Resize:
            self._fold()
        return super().eventFilter(watched, event)

    def _fold(self, *, force: bool = False) -> None:
        """All charts under one another where they fit, else one at a time under tabs."""
        needed = self._look.px(sum(_LEAST.values())) + self.cards.sizeHint().height()
        content = self.content()
        if self._is_for_eyes:
            self._leave_out(0 if content is None else content.height() - self.cards.sizeHint().height())
            return
        folded = content is not None and content.height() < needed
        if folded == self._is_folded and not force:
            return
        self._is_folded = folded
        self._tabs.setVisible(folded)
        for key, chart in self.charts.items():
            chart.setVisible(not folded or key == self._tab)
        for key, button in self._tab_buttons.items():
            button.setChecked(key == self._tab)

    def _leave_out(self, room: int) -> None:
        self._tabs.hide()
        for key, chart in self.charts.items():
            needed = self._look.px(_LEAST[key])
            chart.setVisible(needed <= room)
            # The first that does not fit ends it: what comes after weighs less.
            room = room - needed if needed <= room else 0

    def _on_age(self) -> None:
        self.show_age(self._context.age, self._context.zone)


def percent(share: float | None) -> str:
    """A share as a percentage with two digits; "—" where there is nothing to divide by (DOMAIN 3.2)."""
    return "—" if share is None else f"{share:.2%}"


def _rate(share: float | None) -> tuple[str, str]:
    """A share as a big number and its small unit."""
    return ("—", "") if share is None else (f"{share * 100:.2f}", "%")


def _signed(value: int) -> str:
    return f"+{value:,}" if value > 0 else f"−{-value:,}" if value < 0 else "±0"


def _span(low: float, high: float) -> tuple[int | None, int]:
    """A range of the histogram in milliseconds; what lies beyond its last bar is not in it, so only the first
    bar is open.
    """
    return (
        None if math.isinf(low) else round(low * HOUR_MS),
        round((_LEFT_TO if math.isinf(high) else high) * HOUR_MS),
    )


def _in_scope(chosen: Filter, scope: Scope) -> Filter:
    return replace(chosen, scope=scope)


def _top(breakdown: Breakdown, name: Callable[[int], str]) -> tuple[list[str], list[str], np.ndarray]:
    ids = [int(key) for key in breakdown.ids[:_SHOWN]]
    return [str(key) for key in ids], [name(key) for key in ids], breakdown.lights[:_SHOWN]
