"""Selections and filters under a name: kept, shared, pinned, opened again, with how many are still open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from db.desk.commands import ChangeKept, DropKept, Keep, OrderKept
from db.desk.queries import KeptValue, RoleValue
from db.desk.rules import EVERYBODY
from db.kernel.language import N_, _, language
from db.live.filters import Filter
from db.live.lens import Lens
from desktop.core.context import Context
from desktop.core.words import number
from desktop.widgets.acting import slots_of
from desktop.widgets.button import Button
from desktop.widgets.form import Form
from desktop.widgets.plain import label
from desktop.widgets.rows import RIGHT, Column, ListedRows, TableModel
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

FILTER, SELECTION = "filter", "selection"
_KINDS = {
    SELECTION: N_("Selection"),  # zh: 选中的案件
    FILTER: N_("Filter"),
}
_COLUMNS = (
    Column("name", N_("Kept as"), 160, stretch=True, sortable=False),
    Column("kind", N_("Kind"), 84, sortable=False),
    Column("open", N_("Still open"), 116, align=RIGHT, sortable=False),  # zh: 仍在办
    Column("owner", N_("Kept by"), 92, sortable=False),  # zh: 保存人
    Column("shared", N_("Shared with"), 120, sortable=False),  # zh: 共享给
    Column("pinned", N_("Pinned"), 64, sortable=False),  # zh: 置顶
)
_ROWS = 9


def kept_filter(kept: KeptValue) -> Filter:
    """What a kept thing shows; raises ``ValueError`` when another version of the program wrote it."""
    if kept.kind == SELECTION:
        return Filter(ids=frozenset(kept.content["ids"]))
    return Filter.from_plain(kept.content)


def still_open(context: Context, kept: KeptValue) -> int:
    """How many cases of a kept thing are open now."""
    store = context.board.store
    if kept.kind == SELECTION:
        return int(np.count_nonzero(store.is_open[slots_of(context, kept.content["ids"])]))
    return Lens(store, kept_filter(kept)).count


def shared_words(shared_with: str, roles: Mapping[str, RoleValue]) -> str:
    """Who else sees it."""
    if shared_with == EVERYBODY:
        return _("everybody")
    role = roles.get(shared_with)
    return role.label(language()) if role is not None else _("nobody else")


class KeepDialog(QDialog):
    """Asks for the name under which something is kept, and for whom; of what is kept already, anew."""

    commanded = Signal(object)

    def __init__(
        self,
        theme: Theme,
        kind: str,
        content: Mapping[str, Any],
        count: int,
        roles: Sequence[RoleValue],
        parent: QWidget | None = None,
        changes: KeptValue | None = None,
    ) -> None:
        """``changes``: what is kept already and gets another name, other eyes or another place."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._changes = changes
        self._kind = kind
        self._content = content
        px = theme.px
        # zh: 保存：{count} 件
        title = _("Keep {count} cases").format(count=number(count))
        if changes is not None:
            # zh: 更改“{name}”
            title = _("Change “{name}”").format(name=changes.name)
        self.setWindowTitle(title)
        self.form = Form(theme, _("Keep"), _("Cancel"))
        self.name = QLineEdit()
        self.name.setMaxLength(60)
        self.shared = QComboBox()
        self.shared.addItem(_("nobody else"), "")
        for role in roles:
            self.shared.addItem(role.label(language()), role.code)
        self.shared.addItem(_("everybody"), EVERYBODY)
        # zh: 置顶显示在队列栏
        self.pinned = QCheckBox(_("Pin it to the strip above the panes"))
        self.form.add("name", _("Under which name"), self.name)
        # zh: 同时共享给
        self.form.add("shared", _("Who else sees it"), self.shared)
        self.form.add_widget(self.pinned)
        if changes is not None:
            self.name.setText(changes.name)
            self.shared.setCurrentIndex(max(self.shared.findData(changes.shared_with), 0))
            self.pinned.setChecked(changes.pinned)
        self.form.sent.connect(self._on_sent)
        self.form.cancelled.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(12))
        column.addWidget(label(title, "place", "text1", bold=True))
        column.addWidget(self.form)
        self.setMinimumWidth(px(420))
        self.name.setFocus()

    def _on_sent(self) -> None:
        name = self.name.text().strip()
        self.form.set_errors({} if name else {"name": _("Give it a name.")})
        if name:
            shared, pinned = str(self.shared.currentData()), self.pinned.isChecked()
            if self._changes is None:
                self.commanded.emit(Keep(self._kind, name, self._content, shared, pinned))
            else:
                self.commanded.emit(ChangeKept(self._changes.id, name, None, shared, pinned))
            self.accept()


class KeptSheet(QDialog):
    """All that is at hand: Enter opens it, F2 renames and shares it, Alt with an arrow moves it up or down,
    P pins it, Delete drops it; all but opening is for what is one's own.
    """

    opened = Signal(object)
    """A ``KeptValue`` that is to be shown."""
    commanded = Signal(object)

    def __init__(
        self,
        theme: Theme,
        context: Context,
        kept: Sequence[KeptValue],
        roles: Sequence[RoleValue],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._context = context
        self._roles = {role.code: role for role in roles}
        self._kept: dict[int, KeptValue] = {}
        self._rows = ListedRows()
        self._model = TableModel(self._rows, _COLUMNS, self)
        self.table = Table(theme, self._model)
        self._build()
        self._wire()
        self.set_kept(kept)

    def set_kept(self, kept: Sequence[KeptValue]) -> None:
        """Show these; the keyboard stays where it was."""
        self._kept = {each.id: each for each in kept}
        self._rows.set_rows((each.id, self._cells(each)) for each in kept)
        self._model.refresh()
        if self.table.current_id() is None and kept:
            self.table.select({kept[0].id})
        self._say_buttons()

    def _cells(self, each: KeptValue) -> dict[str, Any]:
        try:
            # zh: {total} 件中的 {open} 件
            words = number(still_open(self._context, each))
            if each.kind == SELECTION:
                words = _("{open} of {total}").format(open=words, total=number(len(each.content["ids"])))
        except (ValueError, KeyError, TypeError):
            words = "—"
        return {
            "name": each.name,
            "kind": _(_KINDS.get(each.kind, each.kind)),
            "open": words,
            "owner": each.owner_name,
            "shared": shared_words(each.shared_with, self._roles),
            "pinned": _("pinned") if each.pinned else "",
        }

    def _build(self) -> None:
        px = self._theme.px
        # zh: 保存的选择与筛选
        title = _("Kept selections and filters")
        self.setWindowTitle(title)
        self.table.setAccessibleName(title)
        self.table.set_dense(True)
        self.table.set_state(
            "empty", _("Nothing is kept yet"), _("Select cases, then keep them under a name.")
        )
        self.table.setFixedHeight(px(32 + 26 * _ROWS))
        self.open_button = Button(self._theme, _("Show them"), keys="⏎", kind="primary")
        # zh: 更名、共享…
        self.change_button = Button(self._theme, _("Name and share…"), keys="F2")
        # zh: 上移
        self.up_button = Button(self._theme, _("Up"), keys="Alt ↑")
        # zh: 下移
        self.down_button = Button(self._theme, _("Down"), keys="Alt ↓")
        self.pin_button = Button(self._theme, _("Pin"), keys="P")
        self.drop_button = Button(self._theme, _("Delete"), keys="Del", kind="danger")
        close = Button(self._theme, _("Close window"), keys="Esc")
        close.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(10))
        column.addWidget(label(title, "place", "text1", bold=True))
        column.addWidget(self.table, 1)
        foot = QHBoxLayout()
        foot.setSpacing(px(8))
        for button in self._own_buttons():
            foot.addWidget(button)
        foot.addStretch(1)
        foot.addWidget(close)
        foot.addWidget(self.open_button)
        column.addLayout(foot)
        self.setMinimumWidth(px(860))
        self.table.setFocus()

    def _wire(self) -> None:
        self.table.picked.connect(lambda _ids: self._say_buttons())
        self.table.opened.connect(lambda _id: self._open())
        self.open_button.clicked.connect(self._open)
        self.change_button.clicked.connect(self._change)
        self.up_button.clicked.connect(lambda: self._move(-1))
        self.down_button.clicked.connect(lambda: self._move(1))
        self.pin_button.clicked.connect(self._pin)
        self.drop_button.clicked.connect(self._drop)

    def _current(self) -> KeptValue | None:
        found = self.table.current_id()
        return None if found is None else self._kept.get(found)

    def _say_buttons(self) -> None:
        each = self._current()
        own = each is not None and each.is_own
        self.open_button.setEnabled(each is not None)
        mine = self._own_ids()
        for button in self._own_buttons():
            button.setEnabled(own)
            # Forbidden, and why.
            why = _("{who} keeps this.").format(who=each.owner_name) if each is not None and not own else ""
            button.setToolTip(why)
        self.up_button.setEnabled(own and each is not None and each.id != mine[0])
        self.down_button.setEnabled(own and each is not None and each.id != mine[-1])
        self.pin_button.setText(_("Unpin") if each is not None and each.pinned else _("Pin"))

    def _open(self) -> None:
        if (each := self._current()) is not None:
            self.opened.emit(each)
            self.accept()

    def _own_buttons(self) -> tuple[Button, ...]:
        return (self.drop_button, self.pin_button, self.change_button, self.up_button, self.down_button)

    def _own_ids(self) -> list[int]:
        """One's own, as they stand."""
        return [each.id for each in self._kept.values() if each.is_own]

    def _change(self) -> None:
        if (each := self._current()) is not None and each.is_own:
            roles = list(self._roles.values())
            dialog = KeepDialog(self._theme, each.kind, each.content, 0, roles, self, each)
            dialog.commanded.connect(self.commanded)
            dialog.open()

    def _move(self, by: int) -> None:
        if (each := self._current()) is None or not each.is_own:
            return
        ids = self._own_ids()
        place = ids.index(each.id) + by
        if 0 <= place < len(ids):
            ids.remove(each.id)
            ids.insert(place, each.id)
            self.commanded.emit(OrderKept(tuple(ids)))

    def _pin(self) -> None:
        if (each := self._current()) is not None and each.is_own:
            self.commanded.emit(ChangeKept(each.id, pinned=not each.pinned))

    def _drop(self) -> None:
        if (each := self._current()) is not None and each.is_own:
            self.commanded.emit(DropKept(each.id))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        alt = event.modifiers() == Qt.KeyboardModifier.AltModifier
        if alt and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._move(-1 if key == Qt.Key.Key_Up else 1)
        elif key == Qt.Key.Key_F2:
            self._change()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open()
        elif key == Qt.Key.Key_P:
            self._pin()
        elif key == Qt.Key.Key_Delete:
            self._drop()
        else:
            super().keyPressEvent(event)
