"""The way of a case, step by step: who did what when, why, and how long it took to come to it."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from db.cases.queries import StepTaken
from db.cases.workflow import VERB_LABELS
from db.kernel.clock import to_ms
from db.kernel.language import _, language
from db.live.directory import Directory
from desktop.core.words import day_and_time, span
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

GUTTER = 22
DOT = 9


def step_words(taken: StepTaken, directory: Directory) -> str:
    """Who took a step, and for which unit."""
    unit = directory.label("unit", taken.unit_id or 0, language())
    return " · ".join(part for part in (taken.actor_name, unit) if part)


class Step(QWidget):
    """One step beside a line that leads from the one before to the next."""

    def __init__(self, theme: Theme, taken: StepTaken, words: str, at: str, passed: str, place: str) -> None:
        """`place`: "first", "middle", "last" or "only" of its line."""
        super().__init__()
        self._theme = theme
        self._place = place
        px = theme.px
        grid = QGridLayout(self)
        grid.setContentsMargins(px(GUTTER), 0, 0, px(12))
        grid.setHorizontalSpacing(px(10))
        grid.setVerticalSpacing(px(1))
        grid.setColumnStretch(1, 1)
        self._head = label(_(VERB_LABELS.get(taken.verb, taken.verb)), "body", "text1", bold=True)
        who = label(words, "body", "text2")
        who.setWordWrap(True)
        moment = label(at, "label", "text2")
        grid.addWidget(self._head, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(who, 0, 1)
        grid.addWidget(moment, 0, 2, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        if passed:
            # zh: 历时 {span}
            words_passed = label(_("after {span}").format(span=passed), "label", "text3")
            grid.addWidget(words_passed, 1, 2, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        if taken.note:
            note = label(taken.note, "body", "text1")
            note.setWordWrap(True)
            note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(note, 1, 0, 1, 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = QPointF(theme.px(DOT / 2) + 1, self._head.geometry().center().y() + 0.5)
        painter.setPen(QPen(theme.color("line"), max(1, theme.px(2))))
        if self._place in ("middle", "last"):
            painter.drawLine(QPointF(middle.x(), 0), middle)
        if self._place in ("first", "middle"):
            painter.drawLine(middle, QPointF(middle.x(), self.height()))
        is_last = self._place in ("last", "only")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent" if is_last else "text3"))
        radius = theme.px(DOT) / 2
        painter.drawEllipse(middle, radius, radius)
        painter.end()


class Timeline(QWidget):
    """All steps, the oldest first."""

    def __init__(self, theme: Theme, zone: ZoneInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._zone = zone
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def show_steps(self, steps: Sequence[StepTaken], directory: Directory) -> None:
        """Show these steps instead of what was there."""
        clear(self._column)
        before: StepTaken | None = None
        for index, taken in enumerate(steps):
            first, last = index == 0, index == len(steps) - 1
            place = "only" if first and last else "first" if first else "last" if last else "middle"
            at = to_ms(taken.at)
            passed = "" if before is None else span(at - to_ms(before.at))
            words = step_words(taken, directory)
            moment = day_and_time(at, self._zone)
            self._column.addWidget(Step(self._theme, taken, words, moment, passed, place))
            before = taken
        if before is None:
            nothing = label(_("Its steps are not kept; the times at the left are."), "label", "text3")
            self._column.addWidget(nothing)


def clear(layout: QVBoxLayout | QGridLayout | QHBoxLayout) -> None:
    """Take everything out of a layout, layouts inside it too."""
    while layout.count():
        item = layout.takeAt(0)
        if item is None:
            continue
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            clear(inner)  # type: ignore[arg-type]
