"""Advice in the dialog that dispatches: the proposed unit and why, or why there is none; one key takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from db.advice.rules import Advice
from db.kernel.language import _
from desktop.core.words import number
from desktop.widgets.button import Button
from desktop.widgets.plain import Elided, label
from desktop.widgets.theme import Theme

TAKE_KEYS = "Ctrl+Return"
MOST_UNITS = 4


def grouped(advice: Mapping[int, Advice]) -> tuple[list[tuple[int, int]], int]:
    """Unit and number of cases for each advised unit, the most first; and how many are without advice."""
    counts = Counter(each.unit_id for each in advice.values())
    without = counts.pop(None, 0)
    return [(unit_id, count) for unit_id, count in counts.most_common() if unit_id is not None], without


class AdviceView(QWidget):
    """A quiet block over the fields. It proposes; nothing is chosen until somebody takes it."""

    taken = Signal(object)
    """The advice (``Advice``) for the one case in question is taken."""
    all_taken = Signal()
    """Of many cases, all that are advised are to go where it says."""

    def __init__(self, theme: Theme, name: Callable[[int], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name = name
        self._advice: dict[int, Advice] = {}
        self._build()

    def set_advice(self, advice: Mapping[int, Advice]) -> None:
        """Show it; nothing is shown for no case."""
        self._advice = dict(advice)
        groups, without = grouped(advice)
        if len(advice) == 1:
            self._show_one(next(iter(advice.values())))
        else:
            self._show_many(groups, without)
        self.setVisible(bool(advice))

    def take(self) -> None:
        """Take what is proposed, as its button and its key do."""
        if not self.button.isHidden():
            if len(self._advice) == 1:
                self.taken.emit(next(iter(self._advice.values())))
            else:
                self.all_taken.emit()

    def words(self) -> list[str]:
        """What stands there, line by line."""
        return [each.text() for each in (self._head, *self._lines) if each.text()]

    def _build(self) -> None:
        px = self._theme.px
        self._head = label("", "body", "text1", bold=True)
        self._lines = [Elided("", "label", "text2") for _ in range(MOST_UNITS + 1)]
        self.button = Button(self._theme, "", keys="Ctrl ⏎")
        self.button.clicked.connect(self.take)
        row = QHBoxLayout(self)
        row.setContentsMargins(px(12), px(8), px(12), px(8))
        row.setSpacing(px(12))
        column = QVBoxLayout()
        column.setSpacing(px(2))
        column.addWidget(self._head)
        for line in self._lines:
            column.addWidget(line)
        row.addLayout(column, 1)
        row.addWidget(self.button)
        self.hide()

    def _show_one(self, advice: Advice) -> None:
        if advice.unit_id is None:
            # zh: 无推荐
            self._say(_("No advice"), [advice.reason.text()], "")
            return
        # zh: 推荐：{unit}
        head = _("Advised: {unit}").format(unit=self._name(advice.unit_id))
        # zh: {reason}；把握 {sure}
        why = _("{reason}; {sure} sure").format(reason=advice.reason.text(), sure=f"{advice.precision:.0%}")
        # zh: 采用
        self._say(head, [why], _("Take it"))

    def _show_many(self, groups: list[tuple[int, int]], without: int) -> None:
        advised = sum(count for _unit, count in groups)
        # zh: {count} 件 → {unit}
        words = _("{count} → {unit}")
        lines = [
            words.format(count=number(count), unit=self._name(unit)) for unit, count in groups[:MOST_UNITS]
        ]
        if len(groups) > MOST_UNITS:
            rest = sum(count for _unit, count in groups[MOST_UNITS:])
            # zh: {count} 件 → 其他 {units} 个单位
            more = _("{count} → {units} more units")
            lines[-1] += "  ·  " + more.format(count=number(rest), units=len(groups) - MOST_UNITS)
        if without:
            # zh: {count} 件无推荐
            lines.append(_("{count} without advice").format(count=number(without)))
        # zh: 按推荐派遣 {count} 件
        button = _("Dispatch {count} as advised").format(count=number(advised)) if advised else ""
        head = _("Advised for {count} of {total}").format(
            count=number(advised), total=number(advised + without)
        )
        self._say(head, lines, button)

    def _say(self, head: str, lines: list[str], button: str) -> None:
        self._head.setText(head)
        for place, line in enumerate(self._lines):
            line.setText(lines[place] if place < len(lines) else "")
            line.setVisible(place < len(lines))
        self.button.setText(button)
        self.button.setVisible(bool(button))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._theme.color("line"))
        painter.setBrush(self._theme.color("raised"))
        radius = self._theme.px(6)
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), radius, radius)
        painter.end()
