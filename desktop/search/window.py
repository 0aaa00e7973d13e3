"""The search window: words and filters over all of history, a list that grows as one scrolls."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QMenu, QVBoxLayout, QWidget
from shiboken6 import isValid

from db.kernel.language import _
from db.kernel.refusal import Trouble
from db.live.filters import Filter, Scope
from db.search.queries import Count, Page
from db.search.rules import Query
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.words import number
from desktop.search.filters import chips, cleared, fill_menu, without
from desktop.search.rows import COLUMNS, FoundRows
from desktop.widgets.button import Button
from desktop.widgets.chips import ChipRow
from desktop.widgets.form import CommandField
from desktop.widgets.plain import label
from desktop.widgets.rows import TableModel
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

_PAUSE_MS = 120
"""So long after the last key the search begins."""
_AHEAD = 30
"""So many rows before the end the next page is fetched."""


@dataclass(frozen=True)
class SearchWork:
    """What the window asks for and does not know how: all are called off the GUI thread and may raise
    ``Trouble``.
    """

    find: Callable[[Query, int | None], Page]
    count: Callable[[Query], Count]
    is_ready: Callable[[], bool]
    """Whether the index is there."""
    make_index: Callable[[Callable[[int, int], None]], int]
    """Makes it; is told of cases done and cases in all. On the writer's thread."""
    older: SearchWork | None = None
    """The same, put to a server that has all of history: it may wait, and there may be no line to it."""


class SearchWindow(QDialog):
    """Show it with ``show()``. Invariant: the rows are of the newest question that was answered; an answer
    that comes late is dropped, and until the newest is there the rows before it stay.
    """

    _went_on = Signal(int, int)

    def __init__(
        self, theme: Theme, context: Context, jobs: Jobs, work: SearchWork, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._context = context
        self._jobs = jobs
        self._work = work
        self._query = Query()
        self._asked = 0
        self._next: int | None = None
        self._fetching = False
        self._is_by_phone = False
        self._source = work
        self._build()
        self._wire()
        self._ask()

    @property
    def query(self) -> Query:
        """What is looked for."""
        return self._query

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._fetching or self._pause.isActive()

    def set_query(self, query: Query) -> None:
        """Look for something else at once."""
        self._query = query
        self.strip.set_chips(chips(query, self._context.board.directory, self._context.zone))
        self._pause.stop()
        self._ask()

    # Building.

    def _build(self) -> None:
        theme = self._theme
        self.setWindowTitle(_("Search all cases"))  # zh: 检索全部案件
        self.setMinimumSize(theme.px(720), theme.px(420))
        self.resize(theme.px(1180), theme.px(720))
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        # zh: 编号、地点、描述、类别、单位、部件编码
        self.field = CommandField(theme, _("Number, place, description, class, unit, component code"))
        self.strip = ChipRow(theme)
        self.filter_button = Button(theme, _("Filter"), kind="quiet", icon_name="filter")
        self.filter_button.set_drops()
        self.strip.add_action(self.filter_button)
        # zh: 含服务器上的历史案件
        self.older_button = Button(
            theme, _("Older ones too, from the server"), kind="quiet", icon_name="server", parent=self
        )
        self.older_button.setCheckable(True)
        self.older_button.hide()
        if self._work.older is not None:
            self.strip.add_action(self.older_button)
        self.rows = FoundRows(self._context)
        self.model = TableModel(self.rows, COLUMNS, self)
        self.table = Table(theme, self.model)
        self.table.setAccessibleName(_("Cases found"))
        # zh: 在地图与列表中显示
        self.show_button = Button(theme, _("Show in the room"))
        self.open_button = Button(theme, _("Open case"), keys="⏎", kind="primary")
        self.close_button = Button(theme, _("Close window"), keys="Esc")
        column = QVBoxLayout(self)
        column.setContentsMargins(*([theme.px(16)] * 4))
        column.setSpacing(theme.px(8))
        column.addWidget(self.field)
        column.addWidget(self.strip)
        column.addWidget(self.table, 1)
        foot = QHBoxLayout()
        foot.setSpacing(theme.px(8))
        hint = _("All words must be there; “several words” in quotation marks are one. Newest first.")
        foot.addWidget(label(hint, "label", "text3"), 1)
        for button in (self.show_button, self.open_button, self.close_button):
            foot.addWidget(button)
        column.addLayout(foot)
        self.field.setFocus()
        self._on_picked()

    def _wire(self) -> None:
        self._pause.timeout.connect(self._ask)
        self.field.textChanged.connect(self._on_text)
        self.strip.removed.connect(lambda part: self.set_query(without(self._query, part)))
        self.strip.opened.connect(lambda _part: self._on_menu())
        self.strip.cleared.connect(lambda: self.set_query(cleared(self._query)))
        self.filter_button.clicked.connect(self._on_menu)
        self.older_button.toggled.connect(self._on_older)
        self.table.picked.connect(lambda _ids: self._on_picked())
        self.table.opened.connect(self._context.opened)
        self.table.verticalScrollBar().valueChanged.connect(lambda _value: self._go_on())
        self.table.verticalScrollBar().rangeChanged.connect(lambda _least, _most: self._go_on())
        self.show_button.clicked.connect(self._on_show)
        self.open_button.clicked.connect(self._on_open)
        self.close_button.clicked.connect(self.close)
        self._went_on.connect(self._on_went_on)

    # Asking.

    def _is_newest(self, asked: int) -> bool:
        """Whether an answer is still wanted: nothing newer was asked, and the window stands."""
        return asked == self._asked and isValid(self)

    def _on_text(self, words: str) -> None:
        phone = "".join(words.split()) if self._is_by_phone else ""
        self._query = replace(self._query, text="" if self._is_by_phone else words, phone=phone)
        self._pause.start()

    def _ask(self) -> None:
        self._asked += 1
        self._fetching = True
        self._next = None
        self.table.set_state("loading", _("Searching…"))
        self._jobs.start(self._answer(self._asked, self._query))

    async def _answer(self, asked: int, query: Query) -> None:
        try:
            source = self._source
            if not await self._jobs.read(source.is_ready):
                await self._jobs.write(self._make)
            if not self._is_newest(asked):
                return
            page = await self._put(source, source.find, query, None)
        except Trouble as trouble:
            if self._is_newest(asked):
                self._show_trouble(trouble)
            return
        if not self._is_newest(asked):
            return
        self.rows.replace(page.hits)
        self.table.verticalScrollBar().setValue(0)
        self._take(page)
        try:
            count = await self._put(source, source.count, query)
        except Trouble as trouble:
            if self._is_newest(asked):
                self._show_trouble(trouble)
            return
        if self._is_newest(asked):
            words = count_words(count)
            # zh: {count}，来自服务器
            from_server = _("{count}, from the server").format(count=words) if words else ""
            self.strip.set_count(words if source is self._work else from_server)

    async def _put(self, source: SearchWork, question: Callable[..., Any], *given: Any) -> Any:
        """A question, to this computer or to the server, which may keep it waiting."""
        run = self._jobs.read if source is self._work else self._jobs.ask
        return await run(question, *given)

    def _on_older(self, wanted: bool) -> None:
        self._source = self._work.older if wanted and self._work.older is not None else self._work
        self._ask()

    def _make(self) -> int:
        """On the writer's thread; another window may have made it in the meantime."""
        return 0 if self._work.is_ready() else self._work.make_index(self._tell)

    def _tell(self, done: int, total: int) -> None:
        # The window may be gone by now; the index is wanted all the same.
        with suppress(RuntimeError):
            self._went_on.emit(done, total)

    def _take(self, page: Page) -> None:
        self._fetching = False
        self._next = page.next
        self.model.refresh()
        if page.next is None:
            self.table.set_state("empty", _("No case was found"), _("Fewer words or filters find more."))
        self._on_picked()
        self._go_on()

    def _go_on(self) -> None:
        """Fetch the next page when the end of the rows comes near; a search that walks goes on by itself."""
        if self._fetching or self._next is None:
            return
        bar = self.table.verticalScrollBar()
        height = max(1, self.table.verticalHeader().defaultSectionSize())
        shown_to = (bar.value() + self.table.viewport().height()) // height
        if shown_to + _AHEAD >= self.rows.row_count():
            self._fetching = True
            self._jobs.start(self._fetch(self._asked, self._query, self._next))

    async def _fetch(self, asked: int, query: Query, after: int) -> None:
        try:
            page = await self._put(self._source, self._source.find, query, after)
        except Trouble as trouble:
            if self._is_newest(asked):
                self._show_trouble(trouble)
            return
        if self._is_newest(asked):
            self.rows.extend(page.hits)
            self._take(page)

    def _show_trouble(self, trouble: Trouble) -> None:
        self._fetching = False
        self._next = None
        self.rows.replace(())
        self.model.refresh()
        self.strip.set_count("")
        self.table.set_state("error", "", trouble.text())

    def _on_went_on(self, done: int, total: int) -> None:
        percent = 100 * done // max(total, 1)
        # zh: 正在建立检索索引：{percent} %
        words = _("The search index is being made: {percent} %").format(percent=percent)
        self.table.set_state("loading", words, _("Once only; the search begins by itself."))

    # Choosing.

    def _on_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        board = self._context.board
        fill_menu(menu, self._query, board.directory, board.now_ms, self._context.zone, self.set_query)
        menu.addSeparator()
        by_phone = menu.addAction(_("By the reporter's telephone number"))  # zh: 按举报人电话
        by_phone.setCheckable(True)
        by_phone.setChecked(self._is_by_phone)
        by_phone.setEnabled(self._context.who.may("contact.view"))
        by_phone.triggered.connect(self._on_by_phone)
        menu.popup(self.filter_button.mapToGlobal(self.filter_button.rect().bottomLeft()))

    def _on_by_phone(self, chosen: bool) -> None:
        self._is_by_phone = chosen
        self.field.setPlaceholderText(
            _("Telephone number of the reporter, in full")
            if chosen
            else _("Number, place, description, class, unit, component code")
        )
        self._on_text(self.field.text())

    def _on_picked(self) -> None:
        store = self._context.board.store
        chosen = self.table.selected_ids()
        self.open_button.setEnabled(len(chosen) == 1)
        self.show_button.setEnabled(any(store.slot_of(case_id) is not None for case_id in chosen))

    def _on_open(self) -> None:
        for case_id in self.table.selected_ids():
            self._context.opened.emit(case_id)

    def _on_show(self) -> None:
        """Show the chosen cases that are on the board, and only those; older ones are history."""
        store = self._context.board.store
        ids = frozenset(each for each in self.table.selected_ids() if store.slot_of(each) is not None)
        if ids:
            self._context.set_filter(Filter(ids=ids, scope=Scope.ALL))
            self._context.select(ids)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down and self.field.hasFocus() and self.rows.row_count():
            self.table.setFocus()
            self.table.select({self.rows.id_at(0)}, reveal=True)
            self._on_picked()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.open_button.isEnabled():
                self._on_open()
        elif event.key() == Qt.Key.Key_Escape and self.strip.chips():
            self.set_query(cleared(self._query))
        else:
            super().keyPressEvent(event)


def count_words(count: Count) -> str:
    """How many were found, no more exactly than is known."""
    if not count.is_more:
        # zh: 共 {count} 件
        return _("{count} cases").format(count=number(count.number))
    # zh: 超过 {count} 件
    return _("more than {count} cases").format(count=number(count.number)) if count.number else ""
