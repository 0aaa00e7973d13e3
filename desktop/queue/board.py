"""The board of units beside the queue: how much each has in hand, and where the selected cases are put."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from db.cases.scope import beyond_target
from db.kernel.language import _
from db.live.board import News
from desktop.core.context import Context
from desktop.core.words import number
from desktop.queue.units import COLUMNS, NOTHING, UnitRows, loads
from desktop.widgets.acting import VERBS, slots_of
from desktop.widgets.button import Button, IconButton
from desktop.widgets.pane import Pane, paint_strip
from desktop.widgets.plain import Elided
from desktop.widgets.rows import TableModel
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

GIVES = "case.dispatch"
"""The permission to put cases into a unit's hands."""


class BoardPane(Pane):
    """Takes the selected cases three ways: rows carried onto a unit, Enter on it, or the button at its foot.

    It only says which unit was ``chosen``; what is done with the cases, and by which rules, the dialog says.
    """

    chosen = Signal(object)
    """The selected cases are wanted there: the id of the unit."""
    closed = Signal()
    """The board is to go away."""

    def __init__(self, theme: Theme, context: Context, carried: Table, parent: QWidget | None = None) -> None:
        """``carried``: the list whose rows may be carried here."""
        super().__init__(theme, _("Units"), parent=parent)  # zh: 责任单位
        self._context = context
        self._carried = carried
        self.rows = UnitRows()
        self.rows.why_not = self.why_not
        self.model = TableModel(self.rows, COLUMNS, self)
        self.table = Table(theme, self.model)
        self._look = theme
        self._is_old = True
        self._make()
        self._connect()
        self._on_age()

    def set_on_duty(self, on_duty: Mapping[int, Sequence[str]]) -> None:
        """Who is on shift in each unit."""
        self.rows.on_duty = on_duty
        self.model.refresh_cells()

    def why_not(self, unit_id: int) -> str:
        """Why whoever is signed in may not give cases to a unit; "" when nothing speaks against it."""
        refusal = beyond_target(self._context.who, unit_id, self.rows.name(unit_id))
        return refusal.text() if refusal is not None else ""

    def _why_no_act(self) -> str:
        """Why whoever is signed in may give cases to no unit at all."""
        who = self._context.who
        if who.may(GIVES):
            return ""
        return _("{who} may not do this: {what}.").format(who=who.name, what=VERBS["dispatch"].named())

    def stand_on(self, unit_id: int) -> None:
        """Let the keyboard stand on a unit."""
        self.table.select({unit_id}, reveal=True)
        self._say_effect()

    def current_unit(self) -> int | None:
        """The unit that the keyboard stands on."""
        found = self.table.current_id()
        return found if found is not None and self.rows.is_unit(found) else None

    def refresh(self) -> None:
        """Count anew; rows keep their places while a hand or the keyboard is on them."""
        board = self._context.board
        units = [entry for entry in board.directory.of("unit") if entry.active]
        held = self._ghost.isVisible() or self.table.hasFocus()
        self.rows.set_units(units, loads(board.store), keep_order=held)
        self.model.refresh()
        self.set_subtitle(number(len(units)))
        self._is_old = False
        self._say_effect()

    def _make(self) -> None:
        theme = self._look
        self.table.setAccessibleName(_("Units"))
        self.set_content(self.table)
        self.setFocusProxy(self.table)
        shut = IconButton(theme, "close", _("Put the units away"))
        shut.clicked.connect(self.closed)
        self.add_tool(shut)
        self._foot = _Foot(theme)
        self.add_footer(self._foot)
        self.table.set_state("empty", _("No units yet"))
        # A window of its own, because the board may stand in another one than the list.
        self._ghost = QLabel()
        self._ghost.setWindowFlags(Qt.WindowType.ToolTip | Qt.WindowType.WindowTransparentForInput)
        self._ghost.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self._ghost.setTextFormat(Qt.TextFormat.PlainText)
        self._ghost.setObjectName("carried")
        self.destroyed.connect(self._ghost.deleteLater)

    def _connect(self) -> None:
        context = self._context
        context.news.connect(self._on_news)
        context.selection_changed.connect(self._say_effect)
        context.age_changed.connect(self._on_age)
        self.table.picked.connect(lambda _ids: self._say_effect())
        self.table.opened.connect(self._on_opened)
        self._foot.button.clicked.connect(lambda: self._on_opened(self.table.current_id()))
        self._carried.dragged.connect(self._on_dragged)
        self._carried.dropped.connect(self._on_dropped)
        self._carried.drag_left.connect(self._put_down)

    def effect(self, unit_id: int) -> str:
        """What the whole selection would do to a unit's load; the dialog says which of it can move."""
        store = self._context.board.store
        slots = slots_of(self._context, self._context.selection)
        if not len(slots):
            return ""
        there = int((store.codes["unit"].ids[store.unit[slots]] == unit_id).sum())
        before = self.rows.loads.get(unit_id, NOTHING).open
        return _("{unit}: open {before} → {after}").format(
            unit=self.rows.name(unit_id),
            before=number(before),
            after=number(before + len(slots) - there),
        )

    def _say_effect(self) -> None:
        if not self.isVisible():
            return
        count, unit = len(self._context.selection), self.current_unit()
        if why := self._why_no_act():
            self._foot.say(why, can=False)
        elif not count:
            self._foot.say(_("Select cases, then choose a unit for them."), can=False)
        elif unit is None:
            # zh: 为选中的 {count} 件选择单位
            self._foot.say(_("Choose a unit for {count} cases.").format(count=number(count)), can=False)
        elif why := self.why_not(unit):
            self._foot.say(why, can=False)
        else:
            self._foot.say(self.effect(unit), can=True)

    def _on_news(self, news: News) -> None:
        if news.applied.is_empty and not news.names_changed:
            return
        self._is_old = True
        if self.isVisible():
            self.refresh()

    def _on_opened(self, unit_id: int | None) -> None:
        if unit_id is None or not self.rows.is_unit(unit_id) or not self._context.selection:
            return
        if not self._why_no_act() and not self.why_not(unit_id):
            self.chosen.emit(unit_id)

    # Rows carried with the mouse.

    def _on_dragged(self, place: QPoint) -> None:
        unit_id = self._unit_at(place)
        why = self._why_no_act() or (self.why_not(unit_id) if unit_id is not None else "")
        self.table.set_target(None if why else unit_id)
        count = _("{count} cases").format(count=number(len(self._context.selection)))
        told = why or (self.effect(unit_id) if unit_id is not None else "")
        self._ghost.setText(f"{count}  ·  {told}" if told else count)
        self._ghost.adjustSize()
        self._ghost.move(place + QPoint(self._look.px(14), self._look.px(10)))
        self._ghost.show()

    def _on_dropped(self, place: QPoint) -> None:
        unit_id = self._unit_at(place)
        self._put_down()
        if unit_id is not None:
            self.stand_on(unit_id)
            self._on_opened(unit_id)

    def _put_down(self) -> None:
        self._ghost.hide()
        self.table.set_target(None)

    def _unit_at(self, place: QPoint) -> int | None:
        found = self.table.id_at(place) if self.isVisible() else None
        return found if found is not None and self.rows.is_unit(found) else None

    def _on_age(self) -> None:
        self.show_age(self._context.age, self._context.zone)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        if self._is_old:
            self.refresh()
        self._say_effect()

    def hideEvent(self, event: object) -> None:
        self._put_down()
        super().hideEvent(event)  # type: ignore[arg-type]


class _Foot(QWidget):
    """What would be, beside the button that does it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._words = Elided("", "label", "text2")
        # zh: 派给它…
        self.button = Button(theme, _("Give it these…"), keys="⏎", kind="primary")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(12), theme.px(8), theme.px(12), theme.px(8))
        row.setSpacing(theme.px(8))
        row.addWidget(self._words, 1)
        row.addWidget(self.button)

    def say(self, words: str, *, can: bool) -> None:
        """The effect, or what is to be done first."""
        self._words.setText(words)
        self.button.setVisible(can)

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_strip(self, self._theme)
