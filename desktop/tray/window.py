"""The tray: acts that the server refused, with both sides and what to do about each, and those that wait."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget
from shiboken6 import isValid

from db.kernel.language import N_, _
from db.kernel.refusal import Trouble
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.line import Mark
from desktop.core.words import clock_time, day_and_time, number
from desktop.tray.work import Side, TrayAct, TrayWork
from desktop.widgets.button import Button
from desktop.widgets.form import Field
from desktop.widgets.plain import Elided, label, set_tone
from desktop.widgets.rows import RIGHT, Cell, Column, ListedRows, TableModel
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

_ACTS = (
    Column("state", N_("Where it stands"), 170, sortable=False),  # zh: 状态
    Column("at", N_("When"), 96, sortable=False),
    Column("who", N_("Who"), 96, sortable=False),  # zh: 操作人
    Column("what", N_("Act"), 120, stretch=True, sortable=False),  # zh: 操作
    Column("place", N_("Place"), 160, stretch=True, sortable=False),  # zh: 地点
    Column("size", N_("Cases"), 64, align=RIGHT, sortable=False),
)
_SIDES = (
    Column("case", N_("Case"), 146, sortable=False),
    Column("place", N_("Place"), 116, stretch=True, sortable=False),  # zh: 地点
    Column("field", N_("Field"), 72, sortable=False),  # zh: 项目
    Column("mine", N_("As you wanted it"), 108, stretch=True, sortable=False),  # zh: 本机所做
    Column("theirs", N_("On the server now"), 108, stretch=True, sortable=False),  # zh: 服务器现状
    Column("quicker", N_("Who was quicker"), 150, stretch=True, sortable=False),  # zh: 先办理者
)
_MOST_SIDES = 200
"""So many cases are listed; of more than that nobody reads each."""


class TrayWindow(QDialog):
    """Show it with ``show()``. Nothing in it is decided by itself, and nothing goes without a reason."""

    edit_wanted = Signal(object)
    """``TrayAct``: open its dialog with the old words."""
    stations_wanted = Signal()

    def __init__(
        self, theme: Theme, context: Context, jobs: Jobs, work: TrayWork, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._context = context
        self._jobs = jobs
        self._work = work
        self._acts: dict[int, TrayAct] = {}
        self._shown: int | None = None
        """The act that the lower half and the reason are about."""
        self._held: set[int] = set()
        """Those about which something is being done; until they were read anew nobody decides them again."""
        self._settled: set[int] = set()
        """Those of them about which it was done."""
        self._cases: list[int] = []
        self._counts: object = None
        self._reads = 0
        self._is_reading = False
        self._build()
        self._wire()
        self.refresh()

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._is_reading

    def refresh(self) -> None:
        """Read anew what lies here."""
        self._is_reading = True
        self._jobs.start(self._read())

    def current(self) -> TrayAct | None:
        """The act on which the keyboard stands."""
        found = self.table.current_id()
        return None if found is None else self._acts.get(found)

    def settle(self, act: TrayAct, work: Awaitable[Any]) -> None:
        """Let something be done about an act. Until it is done, nothing else is; then all is read anew."""
        self._held.add(act.operation)
        self._say_buttons()
        self._jobs.start(self._settle(act, work))

    async def _settle(self, act: TrayAct, work: Awaitable[Any]) -> None:
        try:
            await work
        finally:
            if isValid(self):
                self._settled.add(act.operation)
                self.refresh()

    def _build(self) -> None:
        px = self._theme.px
        title = _("Tray")  # zh: 待处理操作
        self.setWindowTitle(title)
        self._said = label("", "label", "text2")
        self._rows, self._side_rows = ListedRows(), ListedRows()
        self._model = TableModel(self._rows, _ACTS, self)
        self._side_model = TableModel(self._side_rows, _SIDES, self)
        self.table = Table(self._theme, self._model)
        self.table.set_dense(True)
        self.table.setAccessibleName(title)
        # zh: 没有待处理的操作
        self.table.set_state("empty", _("Everything done here is on the server."))
        self.sides = Table(self._theme, self._side_model)
        self.sides.set_dense(True)
        self.sides.setAccessibleName(_("Both sides"))  # zh: 双方对照
        self._head = Elided("", "place", "text1")
        self._why = label("", "body", "text1")
        self._why.setWordWrap(True)
        self._spoken = Elided("", "label", "text2")
        self.reason = QLineEdit()
        self.reason.setMaxLength(400)
        # zh: 放弃原因（放弃时必填，记入日志）
        self._field = Field(
            self._theme, _("Why it is dropped (only to drop; the journal keeps it)"), self.reason
        )
        # zh: 按最新状态重做
        self.again_button = Button(self._theme, _("Do it on the new state"), keys="Ctrl ⏎", kind="primary")
        self.edit_button = Button(self._theme, _("Edit…"), keys="F2")  # zh: 修改…
        self.drop_button = Button(self._theme, _("Drop"), keys="Ctrl Del", kind="danger")  # zh: 放弃
        # zh: 在线席位…
        self.stations_button = Button(self._theme, _("Who is here…"))
        self.close_button = Button(self._theme, _("Close window"), keys="Esc")
        self._lay_out()
        self.setMinimumSize(px(760), px(480))
        self.resize(px(980), px(700))
        self.table.setFocus()

    def _lay_out(self) -> None:
        px = self._theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(8))
        column.addWidget(self._said)
        column.addWidget(self.table, 5)
        column.addSpacing(px(4))
        for widget in (self._head, self._why, self._spoken):
            column.addWidget(widget)
        column.addWidget(self.sides, 4)
        column.addWidget(self._field)
        for widget in (self._head, self._why, self._spoken, self.sides, self._field):
            # Whoever walks along the acts keeps the one on which the keyboard stands in sight.
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            widget.setSizePolicy(policy)
        foot = QHBoxLayout()
        foot.setSpacing(px(8))
        foot.addWidget(self.close_button)
        foot.addWidget(self.stations_button)
        foot.addStretch(1)
        for button in (self.drop_button, self.edit_button, self.again_button):
            foot.addWidget(button)
        column.addLayout(foot)

    def _wire(self) -> None:
        self.table.picked.connect(lambda _ids: self._choose())
        self.table.opened.connect(lambda _id: self._on_again())
        self.sides.opened.connect(self._on_case)
        self.again_button.clicked.connect(self._on_again)
        self.edit_button.clicked.connect(self._on_edit)
        self.drop_button.clicked.connect(self._on_drop)
        self.stations_button.clicked.connect(self.stations_wanted)
        self.close_button.clicked.connect(self.reject)
        self._context.standing_changed.connect(self._on_standing)

    async def _read(self) -> None:
        self._reads += 1
        asked, settled = self._reads, set(self._settled)
        acts = await self._jobs.read(self._work.read)
        if not isValid(self) or asked != self._reads:
            return
        self._is_reading = False
        self._held -= settled
        self._settled -= settled
        if list(self._acts.values()) != list(acts) or not acts:
            self._show(acts)
        self._say_buttons()

    def _show(self, acts: Sequence[TrayAct]) -> None:
        self._acts = {act.operation: act for act in acts}
        self._rows.set_rows([(act.operation, self._cells(act)) for act in acts])
        self._model.refresh()
        parked = sum(1 for act in acts if act.is_parked)
        counts = ((_("{count} to decide"), parked), (_("{count} waiting"), len(acts) - parked))
        self._said.setText(
            _(", ").join(words.format(count=number(count)) for words, count in counts if count)
        )
        if self.current() is None and acts:
            self.table.select({acts[0].operation}, reveal=True)
        self._choose()

    def _cells(self, act: TrayAct) -> dict[str, Cell | str]:
        tone = "text1" if act.is_parked else "text2"
        if act.is_parked:
            # zh: 服务器未接受
            state = Cell(_("the server refused it"), light=Mark.DECIDE, tone="over")
        elif act.is_own:
            # zh: 待上报
            state = Cell(_("waits for the line"), light=Mark.OPEN, tone="text2")
        else:
            # zh: 待本人登录后上报
            state = Cell(_("waits for sign-in"), light=Mark.LATE, tone="soon")
        return {
            "state": state,
            "at": Cell(day_and_time(act.at_ms, self._context.zone), tone=tone),
            "who": Cell(act.who, tone=tone),
            "what": Cell(act.label, tone=tone),
            # An officer knows a case by its place.
            "place": Cell(act.sides[0].place if act.sides else "", tone="text2"),
            "size": Cell(number(act.size) if act.size else "", tone=tone),
        }

    def _choose(self) -> None:
        act = self.current()
        parked = act is not None and act.is_parked
        for widget in (self._field, self.drop_button, self.edit_button, self.again_button):
            widget.setVisible(parked)
        self._head.setVisible(act is not None)
        self._why.setVisible(act is not None)
        self._spoken.setVisible(act is not None and bool(act.words))
        shown, self._shown = self._shown, None if act is None else act.operation
        if shown != self._shown:
            # Words that were meant for another act.
            self.reason.clear()
            self._field.set_error("")
        self.sides.setVisible(act is not None and bool(act.sides))
        if act is None:
            return
        self._say_buttons()
        # zh: {what} · {who} {when}
        self._head.setText(
            _("{what} · {who}, {when}").format(
                what=act.label, who=act.who, when=day_and_time(act.at_ms, self._context.zone)
            )
        )
        self._why.setText(self._reason(act))
        set_tone(self._why, "text1" if act.is_parked else "text2")
        # zh: 原文：{words}
        self._spoken.setText(_("With the words: {words}").format(words=act.words))
        lines = [
            (side.case_id, cells)
            for side in act.sides[:_MOST_SIDES]
            for cells in self._lines(side, parked=act.is_parked)
        ]
        self._cases = [case_id for case_id, _cells in lines]
        self._side_rows.set_rows((row, cells) for row, (_id, cells) in enumerate(lines))
        self._side_model.refresh()

    def _reason(self, act: TrayAct) -> str:
        if act.is_parked:
            return act.why
        if act.is_own:
            return _("Done here and shown here; it is sent as soon as the line is there.")
        # zh: 每人的操作以本人身份上报：{who} 在本机登录后继续。
        return _(
            "What a person did is sent in that person's name: it goes on when {who} signs in here."
        ).format(who=act.who)

    def _lines(self, side: Side, *, parked: bool) -> list[dict[str, Cell | str]]:
        """A line for each field; the case and who was quicker stand on the first. How it is on the server is
        known of what the server has answered: before that, this file has the act's own values.
        """
        quicker = ""
        if side.who:
            # zh: {who} {when}：{what}
            quicker = _("{who} {when}: {what}").format(
                who=side.who, when=clock_time(side.at_ms, self._context.zone), what=side.what
            )
        lines: list[dict[str, Cell | str]] = [
            {
                "field": Cell(each.field, tone="text2"),
                "mine": each.mine,
                "theirs": Cell(each.theirs, tone="text1" if each.theirs == each.mine else "over")
                if parked
                else "",
            }
            for each in side.differences
        ] or [{}]
        place = Cell(side.place, tone="text2")
        lines[0] |= {"case": side.number, "place": place, "quicker": Cell(quicker, tone="text2")}
        return lines

    def _say_buttons(self) -> None:
        """While something is done about an act its buttons wait."""
        act = self._decided()
        for button in (self.drop_button, self.again_button):
            button.setEnabled(act is not None)
        self.edit_button.setEnabled(act is not None and act.may_edit)

    def _decided(self) -> TrayAct | None:
        act = self.current()
        return act if act is not None and act.is_parked and act.operation not in self._held else None

    def _on_again(self) -> None:
        if (act := self._decided()) is not None:
            self.settle(act, self._work.again(act))

    def _on_edit(self) -> None:
        if (act := self._decided()) is not None and act.may_edit:
            self.edit_wanted.emit(act)

    def _on_drop(self) -> None:
        act, words = self._decided(), self.reason.text().strip()
        if act is None:
            return
        self._field.set_error("" if words else _("A reason is required."))
        if words:
            self.settle(act, self._drop(act, words))
        else:
            self.reason.setFocus(Qt.FocusReason.OtherFocusReason)

    async def _drop(self, act: TrayAct, words: str) -> None:
        try:
            await self._jobs.write(self._work.drop, act.operation, words)
        except Trouble as trouble:
            if not isValid(self) or self._shown != act.operation:
                raise
            self._field.set_error(trouble.text())

    def _on_case(self, row: int) -> None:
        self._context.opened.emit(self._cases[row])

    def _on_standing(self) -> None:
        standing = self._context.standing
        counts = standing and (standing.waiting, standing.parked, standing.held_for)
        # The station looks every other second; what lies here changes far less often.
        if counts != self._counts:
            self._counts = counts
            self.refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.reason.hasFocus() and not control:
                self._on_drop()
            elif control:
                self._on_again()
        elif event.key() == Qt.Key.Key_Delete and control:
            self._on_drop()
        elif event.key() == Qt.Key.Key_F2:
            self._on_edit()
        else:
            super().keyPressEvent(event)
