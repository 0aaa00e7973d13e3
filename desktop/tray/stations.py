"""Who is here: the stations of the server, who sits at them, and how far behind each of them is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from db.kernel.clock import Clock, to_ms
from db.kernel.language import N_, _
from db.kernel.refusal import Trouble
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.line import SKEW_MS, Mark, how_long
from desktop.core.words import day_and_time, number
from desktop.tray.work import StationLine
from desktop.widgets.button import Button
from desktop.widgets.plain import label, set_tone
from desktop.widgets.rows import RIGHT, Cell, Column, ListedRows, TableModel
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

AWAY_MS = 45_000
"""A station that the server has not heard for so long is not there; it tells of itself every ten seconds."""
_AGAIN_MS = 5_000
_COLUMNS = (
    Column("line", N_("Connection"), 176, sortable=False),  # zh: 连接
    Column("number", N_("No."), 64, align=RIGHT, sortable=False),  # zh: 席位号
    Column("name", N_("Station name"), 200, stretch=True, sortable=False),  # zh: 席位
    Column("person", N_("Who"), 110, stretch=True, sortable=False),
    Column("waiting", N_("Waiting"), 80, align=RIGHT, sortable=False),  # zh: 待上报
    Column("clock", N_("Clock"), 130, sortable=False),  # zh: 时钟
    Column("program", N_("Version"), 88, sortable=False),  # zh: 版本
)

StationsWork = Callable[[], tuple[Sequence[StationLine], int]]
"""The stations and the server's time (milliseconds since 1970). It may wait for the server, and raises
``Unavailable`` without a line.
"""


class StationsWindow(QDialog):
    """Show it with ``show()``; it looks again every five seconds. Without a line it keeps what it showed."""

    def __init__(
        self,
        theme: Theme,
        context: Context,
        jobs: Jobs,
        work: StationsWork,
        clock: Clock,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._context = context
        self._jobs = jobs
        self._work = work
        self._clock = clock
        self._stations: Sequence[StationLine] = ()
        """As the server told last, at ``_told_ms`` of its clock."""
        self._told_ms = 0
        self._is_reading = False
        self._again = QTimer(self)
        self._again.setInterval(_AGAIN_MS)
        self._build()
        self._again.timeout.connect(self.refresh)
        self.close_button.clicked.connect(self.reject)
        self.finished.connect(self._on_finished)
        self._again.start()
        self.refresh()

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._is_reading

    def refresh(self) -> None:
        """Ask the server, unless the last question is still on its way."""
        if not self._is_reading:
            self._is_reading = True
            self._jobs.start(self._read())

    def _build(self) -> None:
        px = self._theme.px
        title = _("Who is here")  # zh: 在线席位
        self.setWindowTitle(title)
        self._rows = ListedRows()
        self._model = TableModel(self._rows, _COLUMNS, self)
        self.table = Table(self._theme, self._model)
        self.table.set_dense(True)
        self.table.setAccessibleName(title)
        self.table.set_state("loading", _("Asking the server…"))  # zh: 正在询问服务器…
        self._said = label("", "label", "text2")
        self._said.setWordWrap(True)
        self.close_button = Button(self._theme, _("Close window"), keys="Esc")
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(8))
        column.addWidget(self.table, 1)
        foot = QHBoxLayout()
        foot.addWidget(self._said, 1)
        foot.addWidget(self.close_button)
        column.addLayout(foot)
        self.setMinimumSize(px(910), px(280))
        self.resize(px(1000), px(560))
        self.table.setFocus()

    async def _read(self) -> None:
        try:
            stations, now_ms = await self._jobs.ask(self._work)
        except Trouble as trouble:
            if isValid(self):
                self._say_trouble(trouble)
            return
        finally:
            self._is_reading = False
        if isValid(self):
            self._show(stations, now_ms)

    def _show(self, stations: Sequence[StationLine], now_ms: int) -> None:
        self._stations, self._told_ms = stations, now_ms
        own = next((each.program for each in stations if each.is_here), "")
        self._rows.set_rows([(each.number, self._cells(each, now_ms, own)) for each in stations])
        self._model.refresh()
        there = [each for each in stations if now_ms - each.seen_ms <= AWAY_MS]
        # zh: {count} 个席位中 {there} 个在线
        words = _("{there} of {count} stations are on-line.")
        words = words.format(there=number(len(there)), count=number(len(stations)))
        faults = (
            (_("{count} behind"), sum(each.behind_ms > AWAY_MS for each in there)),  # zh: {count} 个滞后
            # zh: {count} 个时钟不准
            (_("{count} with a wrong clock"), sum(abs(each.skew_ms) > SKEW_MS for each in there)),
            # zh: {count} 个版本不同
            (_("{count} with another version"), sum(_is_other(each, own) for each in there)),
        )
        if any(count for _words, count in faults):
            listed = _(", ").join(text.format(count=number(count)) for text, count in faults if count)
            # zh: {words}其中：{faults}。
            words = _("{words} Of these: {faults}.").format(words=words, faults=listed)
        self._said.setText(words)
        set_tone(self._said, "text2")

    def _cells(self, each: StationLine, now_ms: int, own: str) -> dict[str, Cell | str]:
        silent = now_ms - each.seen_ms
        if silent > AWAY_MS:
            # zh: {when} 起离线
            words = _("gone since {when}").format(when=day_and_time(each.seen_ms, self._context.zone))
            line = Cell(words, light=Mark.OPEN, tone="text2")
        elif each.behind_ms > AWAY_MS:
            line = Cell(
                _("Behind {span}").format(span=how_long(each.behind_ms)), light=Mark.LATE, tone="soon"
            )
        else:
            line = Cell(_("Live"), light=Mark.GOOD)
        # Before the name, for a long one is cut at its end.  zh: 本机 · {name}
        name = _("this computer · {name}").format(name=each.name) if each.is_here else each.name
        return {
            "line": line,
            "number": str(each.number),
            "name": name,
            "person": each.person,
            "waiting": Cell(number(each.waiting) if each.waiting else "", tone="text2"),
            # A file that was brought to the server, and never sat at it, has told neither.
            "clock": self._clock_cell(each.skew_ms) if each.program else "",
            "program": Cell(each.program, light=Mark.LATE, tone="soon")
            if _is_other(each, own)
            else Cell(each.program, tone="text2"),
        }

    def _clock_cell(self, ahead: int) -> Cell:
        if abs(ahead) <= SKEW_MS:
            # zh: 准确
            return Cell(_("right"), tone="text2")
        span = how_long(abs(ahead))
        # zh: 快 {span}
        words = _("{span} ahead") if ahead > 0 else _("{span} behind")  # zh: 慢 {span}
        return Cell(words.format(span=span), light=Mark.LATE, tone="soon")

    def _say_trouble(self, trouble: Trouble) -> None:
        if self._rows.row_count():
            # zh: 以上为 {when} 前的情况：{why}
            now = day_and_time(to_ms(self._clock.now()), self._context.zone)
            # Nobody knows whether it is still so: no mark, and grey.
            listed = [(each.number, self._cells(each, self._told_ms, "")) for each in self._stations]
            self._rows.set_rows((row, {key: _faded(cells[key]) for key in cells}) for row, cells in listed)
            self._model.refresh()
            self._said.setText(_("As it was before {when}: {why}").format(when=now, why=trouble.text()))
            set_tone(self._said, "soon")
        else:
            self.table.set_state("error", "", trouble.text())

    def _on_finished(self) -> None:
        self._again.stop()


def _is_other(each: StationLine, own: str) -> bool:
    """Whether a station runs another version than this computer; a file that never sat at it told none."""
    return bool(own and each.program) and each.program != own


def _faded(cell: Cell | str) -> Cell:
    return Cell(cell if isinstance(cell, str) else cell.text, tone="text3")
