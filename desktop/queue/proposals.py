"""Mass changes that wait for a second officer: what each would do now, and confirm, refuse or withdraw it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget
from shiboken6 import isValid

from db.cases.foresight import Foresight
from db.desk.commands import ConfirmProposal, RefuseProposal, WithdrawProposal
from db.desk.queries import DecidedProposal, ProposalValue
from db.kernel.clock import to_ms
from db.kernel.language import N_, _, language
from db.kernel.refusal import Trouble
from db.live.board import News
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.words import day_and_time, number
from desktop.widgets.button import Button
from desktop.widgets.effect import EffectView
from desktop.widgets.form import Field
from desktop.widgets.plain import Elided, label
from desktop.widgets.rows import RIGHT, Cell, Column, ListedRows, TableModel
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

_COLUMNS = (
    Column("what", N_("Change"), 170, stretch=True, sortable=False),  # zh: 变更
    Column("size", N_("Cases"), 72, align=RIGHT, sortable=False),
    Column("who", N_("Proposed by"), 96, sortable=False),  # zh: 提请人
    Column("at", N_("When"), 96, sortable=False),
    Column("state", N_("What became of it"), 190, stretch=True, sortable=False),  # zh: 结果
)
STATES = {
    "waiting": N_("waits for a second officer"),  # zh: 待复核
    "confirmed": N_("confirmed"),  # zh: 已确认
    "refused": N_("turned down"),  # zh: 已驳回
    "withdrawn": N_("withdrawn"),  # zh: 已撤回
}
_ROWS = 6
_SPOKEN = ("reason", "demand", "note", "remark", "word")
"""Fields of commands that hold the proposer's own words."""


@dataclass(frozen=True)
class ProposalWork:
    """What the sheet asks for; called off the GUI thread, and may raise ``Trouble``."""

    read: Callable[[], tuple[list[ProposalValue], list[DecidedProposal]]]
    """What waits, and what became of one's own proposals."""
    foresee: Callable[[ProposalValue], Foresight]


class ProposalSheet(QDialog):
    """Shows what a change would do as of now before it is confirmed; one's own can only be withdrawn."""

    commanded = Signal(object)

    def __init__(
        self, theme: Theme, context: Context, jobs: Jobs, work: ProposalWork, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._context = context
        self._jobs = jobs
        self._work = work
        self._waiting: dict[int, ProposalValue] = {}
        self._looks = 0
        self._rows = ListedRows()
        self._model = TableModel(self._rows, _COLUMNS, self)
        self.table = Table(theme, self._model)
        self._build()
        self._wire()
        self.refresh()

    def refresh(self) -> None:
        """Read anew what waits and what was decided."""
        self._jobs.start(self._read())

    async def _read(self) -> None:
        waiting, decided = await self._jobs.read(self._work.read)
        if isValid(self):
            self._show(waiting, decided)

    def _show(self, waiting: Sequence[ProposalValue], decided: Sequence[DecidedProposal]) -> None:
        zone = self._context.zone
        own = self._context.who.name
        self._waiting = {each.id: each for each in waiting}
        rows: list[tuple[int, dict[str, Cell | str]]] = [
            (
                each.id,
                {
                    "what": _(each.label),
                    "size": number(each.size),
                    "who": each.proposed_by_name,
                    "at": day_and_time(to_ms(each.proposed_at), zone),
                    "state": Cell(_(STATES["waiting"]), tone="text1"),
                },
            )
            for each in waiting
        ]
        for each in decided:
            words = _(STATES[each.state])
            if each.state != "withdrawn":
                # zh: {who} {state}：{answer}
                words = _("{state} by {who}").format(state=words, who=each.decided_by_name)
            words = f"{words}: {each.answer}" if each.answer else words
            cells: dict[str, Cell | str] = {
                "what": Cell(_(each.label), tone="text2"),
                "size": Cell(number(each.size), tone="text2"),
                "who": Cell(own, tone="text2"),
                "at": Cell(day_and_time(to_ms(each.decided_at), zone), tone="text2"),
                "state": Cell(words, tone="over" if each.state == "refused" else "text2"),
            }
            rows.append((each.id, cells))
        self._rows.set_rows(rows)
        self._model.refresh()
        if self.table.current_id() is None and rows:
            self.table.select({rows[0][0]})
        self._choose()

    def _build(self) -> None:
        px = self._theme.px
        # zh: 待复核的批量变更
        title = _("Changes for a second officer")
        self.setWindowTitle(title)
        self.table.setAccessibleName(title)
        self.table.set_dense(True)
        self.table.set_state("empty", _("Nothing waits for a second officer."))
        self.table.setFixedHeight(px(32 + 26 * _ROWS))
        self._why = Elided("", "label", "text2")
        directory = self._context.board.directory
        self.view = EffectView(self._theme, lambda unit_id: directory.label("unit", unit_id, language()))
        self.answer = QLineEdit()
        self.answer.setMaxLength(400)
        # zh: 驳回理由（驳回时必填）
        self._field = Field(self._theme, _("Why it is refused (only to refuse)"), self.answer)
        self.confirm_button = Button(self._theme, _("Confirm"), keys="Ctrl ⏎", kind="primary")
        self.refuse_button = Button(self._theme, _("Refuse"))
        self.withdraw_button = Button(self._theme, _("Withdraw"))
        close = Button(self._theme, _("Close window"), keys="Esc")
        close.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(8))
        column.addWidget(label(title, "place", "text1", bold=True))
        column.addWidget(self.table)
        column.addWidget(self._why)
        column.addWidget(self.view)
        column.addWidget(self._field)
        foot = QHBoxLayout()
        foot.setSpacing(px(8))
        foot.addWidget(close)
        foot.addStretch(1)
        for button in (self.withdraw_button, self.refuse_button, self.confirm_button):
            foot.addWidget(button)
        column.addLayout(foot)
        self.setMinimumWidth(px(720))
        self.table.setFocus()

    def _wire(self) -> None:
        self.table.picked.connect(lambda _ids: self._choose())
        self.confirm_button.clicked.connect(self._confirm)
        self.refuse_button.clicked.connect(self._refuse)
        self.withdraw_button.clicked.connect(self._withdraw)
        self.view.changed_size.connect(self._fit)
        self._context.news.connect(self._on_news)

    def current(self) -> ProposalValue | None:
        """The proposal on which the keyboard stands, when it still waits."""
        found = self.table.current_id()
        return None if found is None else self._waiting.get(found)

    def _choose(self) -> None:
        each = self.current()
        is_own = each is not None and each.proposed_by == self._context.who.account_id
        self._field.setVisible(each is not None and not is_own)
        self.refuse_button.setVisible(each is not None and not is_own)
        self.confirm_button.setVisible(each is not None and not is_own)
        self.withdraw_button.setVisible(is_own)
        words = (
            next((str(each.arguments[key]) for key in _SPOKEN if each.arguments.get(key)), "") if each else ""
        )
        # zh: 理由：{words}
        self._why.setText(_("Reason: {words}").format(words=words) if words else "")
        self._why.setVisible(bool(words))
        self._field.set_error("")
        self.view.show_trouble("")
        self._fit()
        if each is not None:
            self._jobs.start(self._look(each))

    async def _look(self, each: ProposalValue) -> None:
        self._looks += 1
        mine, found, trouble = self._looks, None, ""
        try:
            found = await self._jobs.read(self._work.foresee, each)
        except Trouble as error:
            trouble = error.text()
        if not isValid(self) or mine != self._looks:
            return
        if found is None:
            self.view.show_trouble(trouble)
        else:
            self.view.show_foresight(found)
        can = found is not None and bool(found.moving)
        self.confirm_button.setEnabled(can)
        if found is not None and can:
            # zh: 确认 {count} 件
            self.confirm_button.setText(_("Confirm {count}").format(count=number(len(found.moving))))

    def _confirm(self) -> None:
        if (each := self.current()) is not None and self.confirm_button.isEnabled():
            self.commanded.emit(ConfirmProposal(each.id))

    def _refuse(self) -> None:
        each, words = self.current(), self.answer.text().strip()
        self._field.set_error("" if words else _("A reason is required."))
        if each is not None and words:
            self.answer.clear()
            self.commanded.emit(RefuseProposal(each.id, words))

    def _withdraw(self) -> None:
        if (each := self.current()) is not None:
            self.commanded.emit(WithdrawProposal(each.id))

    def _on_news(self, news: News) -> None:
        if "proposal" in news.registers_changed:
            self.refresh()

    def _fit(self) -> None:
        self.layout().activate()
        self.resize(self.width(), self.sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._confirm()
        elif not enter:
            super().keyPressEvent(event)
