"""The sheet of one's own acts: what of each goes back, what no longer can and why, and one key to undo it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from db.desk.queries import OwnAct, Undoable
from db.kernel.clock import to_ms
from db.kernel.language import N_, _
from db.kernel.refusal import Trouble
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.words import day_and_time, number
from desktop.widgets.button import Button
from desktop.widgets.effect import stay_lines, stays
from desktop.widgets.plain import label, set_tone
from desktop.widgets.rows import RIGHT, Column, ListedRows, TableModel
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

_COLUMNS = (
    Column("at", N_("When"), 96, sortable=False),  # zh: 时间
    Column("what", N_("What I did"), 220, stretch=True, sortable=False),  # zh: 我的操作
    Column("size", N_("Cases"), 72, align=RIGHT, sortable=False),  # zh: 案件数
)
_MOST_REASONS = 4
_ROWS = 6


@dataclass(frozen=True)
class UndoWork:
    """What the sheet asks for; called off the GUI thread, and may raise ``Trouble``."""

    look: Callable[[int], Undoable | None]


def back_words(found: Undoable) -> str:
    """How much of an act goes back, in one sentence."""
    if not found.back:
        return _("Nothing of it can be undone any more.")
    if found.back == found.size:
        # zh: {count} 项全部恢复
        return _("All of it goes back: {count}.").format(count=number(found.size))
    # zh: {size} 件中恢复 {back} 件，{lost} 件无法恢复
    return _("{back} of {size} go back; {lost} no longer can.").format(
        back=number(found.back), size=number(found.size), lost=number(len(found.lost))
    )


class UndoSheet(QDialog):
    """Enter undoes the act on which the keyboard stands: the newest one, until somebody goes to another."""

    wanted = Signal(object)
    """The act to undo: its number in the journal."""
    proposed = Signal(object)
    """The same, where a second officer has to confirm it."""

    def __init__(
        self,
        theme: Theme,
        context: Context,
        jobs: Jobs,
        work: UndoWork,
        acts: Sequence[OwnAct],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._context = context
        self._jobs = jobs
        self._work = work
        self._acts = {act.seq: act for act in acts}
        self.found: Undoable | None = None
        self._build()
        self._wire()
        self._choose(acts[0].seq if acts else None)

    def _build(self) -> None:
        px = self._theme.px
        # zh: 撤销
        self.setWindowTitle(_("Undo"))
        rows = ListedRows(
            (
                act.seq,
                {
                    "at": day_and_time(to_ms(act.at), self._context.zone),
                    "what": _(act.label),
                    "size": number(act.size),
                },
            )
            for act in self._acts.values()
        )
        self.table = Table(self._theme, TableModel(rows, _COLUMNS, self))
        # zh: 我的操作
        self.table.setAccessibleName(_("What I did"))
        self.table.set_dense(True)
        self.table.set_state("empty", _("There is nothing to undo."))
        self.table.setFixedHeight(px(32 + 26 * _ROWS))
        self._head = label("", "body", "text1", bold=True)
        self._head.setWordWrap(True)
        self._lines = [label("", "label", "text2") for _ in range(_MOST_REASONS)]
        # zh: 撤销件数较多，须由另一位人员复核确认。
        self._second = label(
            _("So many cases go back only after a second officer confirms it."), "label", "soon"
        )
        self._second.setWordWrap(True)
        self.copy_button = Button(self._theme, _("Copy the list"), kind="quiet")
        self.undo_button = Button(self._theme, _("Undo"), keys="⏎", kind="primary")
        self._cancel = Button(self._theme, _("Cancel"), keys="Esc")
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(8))
        column.addWidget(label(_("Undo"), "place", "text1", bold=True))
        column.addWidget(self.table)
        column.addSpacing(px(4))
        column.addWidget(self._head)
        for line in self._lines:
            line.setWordWrap(True)
            column.addWidget(line)
        column.addWidget(self._second)
        column.addWidget(self.copy_button)
        foot = QHBoxLayout()
        foot.setSpacing(px(8))
        foot.addStretch(1)
        foot.addWidget(self._cancel)
        foot.addWidget(self.undo_button)
        column.addLayout(foot)
        self.setMinimumWidth(px(560))
        self.table.setFocus()

    def _wire(self) -> None:
        self.table.picked.connect(lambda _ids: self._choose(self.table.current_id()))
        self.table.opened.connect(lambda _seq: self._send())
        self.undo_button.clicked.connect(self._send)
        self._cancel.clicked.connect(self.reject)
        self.copy_button.clicked.connect(self._on_copy)

    def lines(self) -> list[str]:
        """What the sheet says about the act, line by line."""
        return [each.text() for each in (self._head, *self._lines) if each.text()]

    def _choose(self, seq: int | None) -> None:
        self.found = None
        self._show()
        if seq is not None:
            self.table.select({seq})
            self._jobs.start(self._look(seq))

    async def _look(self, seq: int) -> None:
        found, trouble = None, ""
        try:
            found = await self._jobs.read(self._work.look, seq)
        except Trouble as error:
            trouble = error.text()
        if isValid(self) and self.table.current_id() == seq:
            self.found = found
            self._show(trouble or ("" if found else _("Nothing of it can be undone any more.")))

    def _show(self, trouble: str = "") -> None:
        found = self.found
        self._head.setText(trouble if found is None else back_words(found))
        set_tone(self._head, "over" if trouble or (found is not None and not found.back) else "text1")
        reasons = [] if found is None else stays(found.lost)
        for place, line in enumerate(self._lines):
            words = f"{number(reasons[place][0])} · {reasons[place][1]}" if place < len(reasons) else ""
            line.setText(words)
            line.setVisible(bool(words))
        self.copy_button.setVisible(bool(reasons))
        can = found is not None and found.back > 0
        self.undo_button.setEnabled(can)
        words = _("Undo")
        if found is not None and can:
            # zh: 撤销 {count} 项
            words = _("Undo {count}").format(count=number(found.back))
            if found.second_officer:
                # zh: 提请复核撤销 {count} 件
                words = _("Propose to undo {count}").format(count=number(found.back))
        self._second.setVisible(found is not None and can and found.second_officer)
        self.undo_button.setText(words)
        self.layout().activate()
        self.resize(self.width(), self.sizeHint().height())

    def _send(self) -> None:
        if self.found is not None and self.found.back:
            (self.proposed if self.found.second_officer else self.wanted).emit(self.found.seq)
            self.accept()

    def _on_copy(self) -> None:
        if self.found is not None:
            QGuiApplication.clipboard().setText(stay_lines(self.found.lost))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._send()
        else:
            super().keyPressEvent(event)
