"""The working calendar: a year at a glance, its days, the office's hours, and what a working day is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from db.calendars.commands import FIRST_YEAR, LAST_YEAR, LoadYear
from db.calendars.queries import CalendarPage
from db.calendars.rules import WORKING_DAY_LABELS, Window
from db.kernel.language import _
from db.kernel.refusal import Trouble
from desktop.calendars.forms import DayAsking, HoursAsking, RuleAsking, hours_text
from desktop.calendars.year import Legend, YearView
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.words import local
from desktop.widgets.button import Button
from desktop.widgets.changing import ChangingWindow
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

PERMISSION = "reference.load"


@dataclass(frozen=True)
class CalendarWork:
    """What the window asks for and does not know how: both are called off the GUI thread and may raise
    ``Trouble``.
    """

    read: Callable[[int], CalendarPage]
    """A year as it stands."""
    run: Callable[[Any], object]
    """A command of the calendar."""


class CalendarWindow(ChangingWindow):
    """Show it with ``show()``."""

    def __init__(
        self, theme: Theme, context: Context, jobs: Jobs, work: CalendarWork, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, jobs, work.run, parent)
        self._work = work
        self._may_change = context.who.may(PERMISSION)
        self._today = local(context.board.now_ms, context.zone).date()
        self.year = self._today.year
        self.page: CalendarPage | None = None
        self._build()
        self._wire()
        self.refresh()

    def choose(self, year: int) -> None:
        """Show another year."""
        self.year = min(max(year, FIRST_YEAR), LAST_YEAR)
        self.refresh()

    # Building.

    def _build(self) -> None:
        theme = self._theme
        self.setWindowTitle(_("Working calendar"))  # zh: 工作日历
        self.setMinimumSize(theme.px(900), theme.px(560))
        self.resize(theme.px(1240), theme.px(760))
        column = QVBoxLayout(self)
        column.setContentsMargins(*([theme.px(16)] * 4))
        column.setSpacing(theme.px(10))
        column.addLayout(self._build_top())
        middle = QHBoxLayout()
        middle.setSpacing(theme.px(24))
        self.year_view = YearView(theme, self._today)
        self.year_page = QWidget()
        inside = QVBoxLayout(self.year_page)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.year_view, 1)
        inside.addWidget(Legend(theme))
        self.stack = QStackedWidget()
        self.stack.addWidget(self.year_page)
        self.stack.addWidget(self._build_missing())
        middle.addWidget(self.stack, 1)
        middle.addWidget(self._build_side())
        column.addLayout(middle, 1)
        column.addLayout(self.build_foot())
        self._enable()
        self.year_view.setFocus()

    def _build_top(self) -> QHBoxLayout:
        theme = self._theme
        # zh: 上一年 / 下一年
        self.before_button = Button(theme, "‹")
        self.before_button.setAccessibleName(_("The year before"))
        self.after_button = Button(theme, "›")
        self.after_button.setAccessibleName(_("The year after"))
        self.year_label = label(str(self.year), "title", bold=True)
        self.source = label("", "label", "text3")
        row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        for widget in (self.before_button, self.year_label, self.after_button, self.source):
            row.addWidget(widget)
        row.addStretch(1)
        return row

    def _build_missing(self) -> QWidget:
        theme = self._theme
        self.missing_page = QWidget()
        self.missing = label("", "figure")
        # zh: 缺少工作日历时，无法计算时限
        why = label(_("Without it no case can be timed in that year."), "body", "text2")
        # zh: 载入公布的放假安排 / 先按周一至周五
        self.load_button = Button(theme, _("Load it from the public schedule"), kind="primary")
        self.plain_button = Button(theme, _("Begin with plain weekdays"))
        column = QVBoxLayout(self.missing_page)
        column.setSpacing(theme.px(12))
        column.addStretch(1)
        for words in (self.missing, why):
            words.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(words)
        row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        row.addStretch(1)
        row.addWidget(self.load_button)
        row.addWidget(self.plain_button)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(1)
        return self.missing_page

    def _build_side(self) -> QWidget:
        theme = self._theme
        side = QWidget()
        side.setFixedWidth(theme.px(300))
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(8))
        self.hours = label("", "body", "text1")
        self.rule = label("", "body", "text1")
        self.hours_button = Button(theme, _("Change the hours…"))
        self.rule_button = Button(theme, _("Change the rule…"))
        for title, words, button in (
            (_("Working hours"), self.hours, self.hours_button),
            (_("One working day"), self.rule, self.rule_button),
        ):
            words.setWordWrap(True)
            words.setAccessibleName(title)
            column.addWidget(label(title, "place", bold=True))
            column.addWidget(words)
            column.addWidget(button)
            column.addSpacing(theme.px(16))
        hint = label(_("Due times that stand are not changed."), "label", "text3")
        hint.setWordWrap(True)
        column.addWidget(hint)
        column.addStretch(1)
        return side

    def _wire(self) -> None:
        self.before_button.clicked.connect(lambda: self.choose(self.year - 1))
        self.after_button.clicked.connect(lambda: self.choose(self.year + 1))
        self.load_button.clicked.connect(lambda: self._do(LoadYear(self.year)))
        # zh: 人工录入
        self.plain_button.clicked.connect(lambda: self._do(LoadYear(self.year, _("entered by hand"))))
        self.year_view.picked.connect(self._on_day)
        self.hours_button.clicked.connect(self._on_hours)
        self.rule_button.clicked.connect(self._on_rule)

    # Reading.

    async def _read(self, asked: int) -> None:
        try:
            page = await self._jobs.read(self._work.read, self.year)
        except Trouble as trouble:
            if self._is_newest(asked):
                self._reading = False
                self._tell(trouble.text(), "over")
            return
        if self._is_newest(asked):
            self._reading = False
            self._show(page)

    def _show(self, page: CalendarPage) -> None:
        self.page = page
        self.year_label.setText(str(page.year))
        # zh: 来源：{source}
        self.source.setText(_("Source: {source}").format(source=page.source) if page.source else "")
        # zh: 缺少 {year} 年工作日历
        self.missing.setText(_("The calendar of {year} is missing").format(year=page.year))
        self.stack.setCurrentWidget(self.year_page if page.source else self.missing_page)
        self.year_view.set_page(page, self._may_change)
        self.hours.setText(hours_lines(page.windows, self._today) or _("None are set: no case can be timed."))
        self.rule.setText(rule_lines(page, self._today))
        self._enable()

    def _enable(self) -> None:
        may = self._may_change and not self._running and self.page is not None
        why = "" if self._may_change else _("Your role may look at the calendar, not change it.")
        for button in (self.load_button, self.plain_button, self.hours_button, self.rule_button):
            button.setEnabled(may)
            button.setToolTip(why)
            button.setAccessibleDescription(why)
        if why and not self.words.text():
            self._tell()

    def _rest_words(self) -> str:
        return (
            _("Click a day, or walk with the arrow keys and press Enter, to change what it is.")
            if self._may_change
            else _("Your role may look at the calendar, not change it.")
        )

    # Changing.

    def _on_day(self, day: date) -> None:
        if self.page is not None and not self.is_busy:
            title = self.year_view.said(day)
            self._ask(DayAsking(self._theme, day, self.page.days.get(day), title, self))

    def _on_hours(self) -> None:
        if self.page is not None:
            standing = [one for one in self.page.windows if one.valid_to is None]
            self._ask(HoursAsking(self._theme, standing, self._today, self))

    def _on_rule(self) -> None:
        if self.page is not None:
            self._ask(RuleAsking(self._theme, self.page.rule_on(self._today), self._today, self))


def hours_lines(windows: tuple[Window, ...], today: date) -> str:
    """The hours one season a line, those that are not yet or no longer in force with their dates."""
    lines = []

    def period(one: Window) -> tuple[date, date, str, str]:
        return one.valid_from, one.valid_to or date.max, one.season_from or "", one.season_to or ""

    for (valid_from, valid_to, begins, ends), group in groupby(sorted(windows, key=period), period):
        # zh: 全年
        when = f"{begins} – {ends}" if begins else _("All year")
        line = _("{when}: {hours}").format(when=when, hours=hours_text(list(group)))
        if valid_from > today:
            # zh: 自 {day} 起
            line += " (" + _("from {day}").format(day=valid_from) + ")"
        if valid_to != date.max:
            # zh: 至 {day}
            line += " (" + _("until {day}").format(day=valid_to) + ")"
        lines.append(line)
    return "\n".join(lines)


def rule_lines(page: CalendarPage, today: date) -> str:
    """What a working day is now, and what it will be."""
    lines = [_(WORKING_DAY_LABELS[page.rule_on(today)])]
    lines += [
        # zh: 自 {day} 起：{rule}
        _("from {day}: {rule}").format(day=valid_from, rule=_(WORKING_DAY_LABELS[rule]))
        for valid_from, rule in page.rules
        if valid_from > today
    ]
    return "\n".join(lines)
