"""The small forms of the calendar: each asks for what one command needs and stays until it was taken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, time

from PySide6.QtCore import QDate
from PySide6.QtWidgets import QComboBox, QDateEdit, QHBoxLayout, QLineEdit, QWidget

from db.calendars.commands import SetDay, SetWindows, SetWorkingDayRule
from db.calendars.holidays import NamedDay
from db.calendars.rules import WORKING_DAY_LABELS, Window, WorkingDay
from db.kernel.language import _
from desktop.widgets.asking import Asking
from desktop.widgets.form import Field, Form
from desktop.widgets.theme import Theme

_DASH = re.compile(r"\s*([-–—~至])\s*")
_BETWEEN = re.compile(r"[\s,，、;；]+")


class DayAsking(Asking):
    """What one day is. The other of what it is now is chosen already, so that Enter toggles it."""

    def __init__(
        self, theme: Theme, day: date, named: NamedDay | None, title: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, title, parent)
        self._day = day
        self.kind = QComboBox()
        # zh: 节假日（休息） / 上班（调休） / 按星期
        self.kind.addItem(_("Holiday: the office is closed"), "holiday")
        self.kind.addItem(_("Working day: the office is open"), "workday")
        self.kind.addItem(_("As usual: Monday to Friday are worked"), None)
        other = "holiday" if day.weekday() < 5 else "workday"
        self.kind.setCurrentIndex(2 if named is not None else self.kind.findData(other))
        self.name = QLineEdit(named.name if named else "")
        self.name.setMaxLength(60)
        self.form.add("kind", _("This day is"), self.kind)
        # zh: 名称，如春节
        self.form.add("name", _("Name"), self.name, _("Such as “Spring Festival”; it may be empty."))
        self.kind.currentIndexChanged.connect(lambda _index: self._on_kind())
        self._on_kind()
        (self.name if self.name.isEnabled() else self.kind).setFocus()

    def command(self) -> SetDay:
        kind = self.kind.currentData()
        return SetDay(self._day.isoformat(), kind, self.name.text().strip() if kind else "")

    def _on_kind(self) -> None:
        # A day as usual has no name.
        self.name.setEnabled(self.kind.currentData() is not None)


class HoursAsking(Asking):
    """The hours of the year, and those of each season; one empty season more than there are."""

    def __init__(
        self, theme: Theme, windows: Sequence[Window], today: date, parent: QWidget | None = None
    ) -> None:
        """``windows``: those in force."""
        super().__init__(theme, _("Working hours"), parent)
        self.hours = QLineEdit(hours_text([one for one in windows if not one.seasonal]))
        # zh: 工作时间
        hint = _("Begin and end of each stretch, such as 08:00-12:00, 14:00-18:00")
        self.form.add("hours", _("Hours"), self.hours, hint)
        self.seasons: list[tuple[QLineEdit, QLineEdit, QLineEdit]] = []
        dates = sorted({(one.season_from or "", one.season_to or "") for one in windows if one.seasonal})
        for begins, ends in dates:
            self._add_season(
                begins, ends, [w for w in windows if (w.season_from, w.season_to) == (begins, ends)]
            )
        self._add_season("", "", [])
        self.valid_from = _add_day(self.form, today)
        self.hours.setFocus()

    def command(self) -> SetWindows:
        seasons = tuple(
            (begins.text().strip(), ends.text().strip(), stretches(hours.text()))
            for begins, ends, hours in self.seasons
            if begins.text().strip() or ends.text().strip() or hours.text().strip()
        )
        return SetWindows(
            self.valid_from.date().toString("yyyy-MM-dd"), stretches(self.hours.text()), seasons
        )

    def _add_season(self, begins: str, ends: str, windows: Sequence[Window]) -> None:
        edits = (QLineEdit(begins), QLineEdit(ends), QLineEdit(hours_text(windows)))
        self.seasons.append(edits)
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(self._theme.px(8))
        # zh: 季节自 / 至 / 季节工作时间
        titles = (_("Season from"), _("Season to"), _("Hours of the season"))
        hints = (_("Such as 06-01"), _("Such as 09-30"), _("Such as 08:00-12:00, 14:30-18:30"))
        for edit, title, hint, share in zip(edits, titles, hints, (1, 1, 3), strict=True):
            row.addWidget(Field(self._theme, title, edit, hint), share)
        self.form.add_widget(line)


class RuleAsking(Asking):
    """What one working day is, and from when on."""

    def __init__(self, theme: Theme, rule: WorkingDay, today: date, parent: QWidget | None = None) -> None:
        """``rule``: the one in force."""
        # zh: 一个工作日
        super().__init__(theme, _("One working day"), parent)
        self.rule = QComboBox()
        for each, words in WORKING_DAY_LABELS.items():
            self.rule.addItem(_(words), each.value)
        self.rule.setCurrentIndex(self.rule.findData(rule.value))
        self.form.add("rule", _("One working day is"), self.rule)
        self.valid_from = _add_day(self.form, today)
        self.rule.setFocus()

    def command(self) -> SetWorkingDayRule:
        return SetWorkingDayRule(self.rule.currentData(), self.valid_from.date().toString("yyyy-MM-dd"))


def _add_day(form: Form, today: date) -> QDateEdit:
    edit = QDateEdit(QDate(today.year, today.month, today.day))
    edit.setDisplayFormat("yyyy-MM-dd")
    edit.setCalendarPopup(True)
    # zh: 自此日起
    form.add("valid_from", _("Valid from"), edit, _("Due times that stand are not changed."))
    return edit


def stretches(text: str) -> tuple[str, ...]:
    """Hours as they are typed, one by one."""
    return tuple(part for part in _BETWEEN.split(_DASH.sub(r"\1", text).strip()) if part)


def hours_text(windows: Sequence[Window]) -> str:
    """Windows as they would be typed."""
    ordered = sorted(windows, key=lambda one: one.begins)
    return ", ".join(f"{one.begins:%H:%M}-{_end(one.ends)}" for one in ordered)


def _end(ends: time) -> str:
    """Midnight ends the day, it does not begin it."""
    return f"{ends:%H:%M}" if ends != time() else "24:00"
