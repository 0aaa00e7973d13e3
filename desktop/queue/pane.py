"""The queue pane: the case list over the room's lens, one selection with the map and the figures."""

from __future__ import annotations

import json

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from db.kernel.language import N_, _
from db.live.board import News
from db.live.filters import Scope
from desktop.core.context import Context, Freshness
from desktop.core.preferences import COLUMNS as COLUMNS_KEPT
from desktop.core.preferences import DENSE, DESCENDING, ORDER, Preferences
from desktop.core.words import clock_time, number
from desktop.queue.acting import ActionBar
from desktop.queue.rows import COLUMNS, QueueRows
from desktop.widgets.acting import VERBS
from desktop.widgets.button import Button
from desktop.widgets.pane import Pane
from desktop.widgets.rows import TableModel
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

ORDERS = {
    "slack": N_("least slack first"),  # zh: 最紧迫在前
    "left": N_("by time left"),  # zh: 按剩余时间
    "priority": N_("by priority"),  # zh: 按优先级
    "category": N_("by category"),
    "address": N_("by place"),
    "unit": N_("by unit"),
    "state": N_("by stage"),
    "number": N_("by number"),
    "reported_at": N_("by time reported"),
    "district": N_("by district"),
    "source": N_("by source"),
}


class QueuePane(Pane):
    """Shows the lens; sorting is the lens's, the selection is the room's."""

    def __init__(
        self, theme: Theme, context: Context, preferences: Preferences, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, _("Cases"), parent=parent)  # zh: 案件
        self._context = context
        self._preferences = preferences
        self.rows = QueueRows(context.board, context.who.account_id)
        self.model = TableModel(self.rows, COLUMNS, self)
        self.table = Table(theme, self.model)
        self.table.setAccessibleName(_("Cases"))
        self._order = Button(theme, "", kind="quiet")
        self._columns = Button(theme, _("Columns"), kind="quiet")
        self._columns.set_drops()
        self.add_tool(self._order)
        self.add_tool(self._columns)
        self.set_content(self.table)
        self.setFocusProxy(self.table)
        self.bar = ActionBar(theme, context)
        self.add_footer(self.bar)
        self._restore()
        self._connect()
        self._refresh()
        # A window made anew in another language takes over what is selected.
        self.table.select(context.selection)
        self._on_age()

    def order_by(self, key: str) -> None:
        """Order the list, smallest first."""
        self._on_sorted(key, False)

    def sort_by(self, key: str) -> None:
        """Order the list as a click on a header does; by the same key again, the other way round."""
        lens = self._context.board.lens
        self._on_sorted(key, key == lens.order_key and not lens.descending)

    def _restore(self) -> None:
        order = self._preferences.get(ORDER)
        if order not in ORDERS:
            order = ORDER.default
        descending = self._preferences.get(DESCENDING)
        self._context.board.set_order(order, descending)
        self.table.set_sorted(order, descending)
        self.table.set_dense(self._preferences.get(DENSE))
        if kept := self._preferences.get(COLUMNS_KEPT):
            try:
                self.table.restore_columns(json.loads(kept))
            except (ValueError, TypeError, AttributeError):
                # Written by hand or by another version: the usual columns are as good.
                self._preferences.put(COLUMNS_KEPT, "")
        self._say_order()

    def _connect(self) -> None:
        context = self._context
        context.news.connect(self._on_news)
        context.filter_changed.connect(self._on_filter)
        context.selection_changed.connect(self._on_selection)
        context.age_changed.connect(self._on_age)
        self.table.picked.connect(context.select)
        self.table.opened.connect(context.opened)
        self.table.menu_wanted.connect(lambda place, _ids: self.bar.open_menu(place))
        self.table.sorted.connect(self._on_sorted)
        self.table.columns_changed.connect(self._on_columns)
        self._columns.clicked.connect(self._on_choose_columns)
        self._order.clicked.connect(self._on_turn)
        self._preferences.changed.connect(self._on_preference)
        for verb in VERBS.values():
            if verb.keys:
                shortcut = QShortcut(QKeySequence(verb.keys), self.table)
                shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
                shortcut.activated.connect(lambda keys=verb.keys: self.bar.press(keys))

    def _refresh(self) -> None:
        self.model.refresh()
        self.set_subtitle(number(self._context.board.lens.count))

    def _on_news(self, news: News) -> None:
        """The list moved, or only its words did: time left goes by on every tick."""
        if news.rows_changed or news.names_changed:
            self._refresh()
        else:
            self.model.refresh_cells()

    def _on_filter(self) -> None:
        self._refresh()
        self.table.select(self._context.selection)
        self._say_empty()

    def _on_selection(self) -> None:
        if self.table.selected_ids() != self._context.selection:
            self.table.select(self._context.selection, reveal=True)

    def _on_sorted(self, key: str, descending: bool) -> None:
        self._context.board.set_order(key, descending)
        self._preferences.put(ORDER, key)
        self._preferences.put(DESCENDING, descending)
        self.table.set_sorted(key, descending)
        self._say_order()
        self.model.refresh()

    def _on_turn(self) -> None:
        lens = self._context.board.lens
        self._on_sorted(lens.order_key, not lens.descending)

    def _on_columns(self) -> None:
        self._preferences.put(COLUMNS_KEPT, json.dumps(self.table.column_state()))

    def _on_choose_columns(self) -> None:
        self.table.column_menu().popup(self._columns.mapToGlobal(self._columns.rect().bottomLeft()))

    def _on_preference(self, key: str) -> None:
        if key == DENSE.key:
            self.table.set_dense(self._preferences.get(DENSE))

    def _on_age(self) -> None:
        age = self._context.age
        zone = self._context.zone
        if age.state is Freshness.LOST:
            self.set_stale(_("Data of {time}").format(time=clock_time(age.at_ms, zone, seconds=True)))
        else:
            self.set_stale("")
        self._say_empty()

    def _say_order(self) -> None:
        lens = self._context.board.lens
        arrow = "▾" if lens.descending else "▴"
        self._order.setText(f"{_(ORDERS.get(lens.order_key, lens.order_key))} {arrow}")

    def _say_empty(self) -> None:
        if self._context.age.state is Freshness.LOADING:
            self.table.set_state("loading", _("Reading the cases…"))
        elif self._context.filter.is_empty and self._context.filter.scope is Scope.OPEN:
            self.table.set_state("empty", _("No open cases"), _("New ones appear here by themselves."))
        else:
            self.table.set_state("empty", _("No case matches the filter"), _("Esc widens it again."))
