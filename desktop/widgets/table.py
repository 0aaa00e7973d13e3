"""A fast table over a row source: it paints the rows on screen, and selects by id so that a selection
survives every update."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QItemSelectionModel, QPoint, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHeaderView,
    QMenu,
    QTableView,
    QToolTip,
    QWidget,
)

from db.kernel.language import N_, _
from desktop.core.keys import Key
from desktop.widgets.marks import paint_light
from desktop.widgets.plain import tip
from desktop.widgets.rows import CENTER, RIGHT, Cell, Column, TableModel
from desktop.widgets.table_header import TableHeader
from desktop.widgets.theme import Theme

ROW, DENSE_ROW = 34, 26
_PADDING = 8
_BAR = 3
_MARK = 11
_ELIDED_KEPT = 8192
_WIDEN = 12
"""Pixels at 100 % by which a key makes a column wider."""

KEYS = (
    Key("↑ ↓  PgUp PgDn  Home End", N_("Walk along the rows")),
    Key("Shift ↑ ↓ …", N_("Select as one walks")),
    Key("Space", N_("Take the row into the selection, or out of it")),
    Key("Ctrl A", N_("Select all rows, those out of sight too")),
    Key("⏎", N_("Show the case in full")),
    Key("Menu", N_("What can be done with the selected cases")),
    Key("← →", N_("Move sideways when the columns do not fit")),
    Key("Ctrl ← →", N_("Mark a column, for the keys that follow")),
    Key("Alt ⏎", N_("Sort by the marked column; once more, the other way round")),
    Key("Alt ← →", N_("Put the marked column further left or right")),
    Key("Alt + −", N_("Make the marked column wider or narrower")),
    Key("Alt Del", N_("Hide the marked column")),
)
"""What the keys of a table do, for the sheet of keys."""
# No word "loading" for what is there before anybody could read it (LOOK, principle 10).
_PATIENCE = 200


class Table(QTableView):
    """The view. Invariant: what is selected is a set of ids, all of them among the source's rows after
    each refresh; Qt's own selection model carries the current cell only, for the keyboard and screen readers.
    """

    picked = Signal(object)
    """The person selected other rows: frozenset of ids. Not emitted for `select()`."""
    opened = Signal(object)
    """Double click or Enter: the id."""
    hovered = Signal(object)
    """The pointer is over another row: its id, or None."""
    sorted = Signal(str, bool)
    """A header was clicked: column key, descending. The source has to sort."""
    menu_wanted = Signal(QPoint, object)
    """Right click or menu key: global place, frozenset of ids (the row under the pointer among them)."""
    dragged = Signal(QPoint)
    """The selected rows are being carried to this global place; see `set_draggable()`."""
    dropped = Signal(QPoint)
    """They were let go at this global place."""
    drag_left = Signal()
    """They were not: Esc, or the window lost the mouse."""
    columns_changed = Signal()
    """The person moved, sized, showed or hid a column; see `column_state()`."""

    def __init__(self, theme: Theme, model: TableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows = model
        self._selected: frozenset[int] = frozenset()
        self._current: int | None = None
        self._origin: int | None = None
        self._hover = -1
        self._target: int | None = None
        self._is_draggable = False
        self._carried_from: QPoint | None = None
        self._is_carrying = False
        self._top: tuple[int, int] | None = None
        self._dense = False
        self._laying = False
        self._widths: dict[str, float] = {}
        self._elided: dict[tuple[str, int, bool], str] = {}
        self._state = ("ready", "", "")
        self._patience = QTimer(self)
        self._build()
        self._wire()

    # what is selected

    def selected_ids(self) -> frozenset[int]:
        """The ids of the selected rows."""
        return self._selected

    def selected_in_order(self) -> list[int]:
        """The ids of the selected rows from top to bottom."""
        ids = list(self._selected)
        return [ids[place] for place in np.argsort(self._rows.source.rows_of(ids)).tolist()]

    def current_id(self) -> int | None:
        """The id of the row the keyboard stands on."""
        return self._current

    def select(self, ids: Iterable[int], *, reveal: bool = False) -> None:
        """Select these rows (unknown ids are left out) without emitting `picked`; `reveal` scrolls to the
        first of them."""
        source = self._rows.source
        chosen = ids if isinstance(ids, frozenset) else frozenset(ids)
        rows = source.rows_of(chosen)
        known = rows >= 0
        self._selected = chosen if known.all() else frozenset(_where(chosen, known))
        first = int(rows[known].min()) if self._selected else -1
        if self._selected and self._current not in self._selected:
            self._current = self._origin = source.id_at(first)
            self._point_at_current()
        self.viewport().update()
        if reveal and self._selected:
            self._reveal(first)

    def select_all(self) -> None:
        """Select every row, as Ctrl+A does: also those that were never on the screen."""
        source = self._rows.source
        self._pick(frozenset(source.ids_between(0, source.row_count() - 1)))

    def set_draggable(self) -> None:
        """Let selected rows be carried elsewhere with the mouse (`dragged`, `dropped`, `drag_left`).

        The table keeps the mouse meanwhile: no nested event loop, and whoever takes the rows may stand in
        another window of the program.
        """
        self._is_draggable = True

    def set_target(self, id: int | None) -> None:
        """Light up the row that would take what is being carried over it."""
        if id != self._target:
            self._target = id
            self.viewport().update()

    def id_at(self, place: QPoint) -> int | None:
        """The id of the row at a global place; None beside the rows."""
        row = self._row_at(self.viewport().mapFromGlobal(place))
        return self._rows.source.id_at(row) if row >= 0 else None

    # how it looks

    def set_dense(self, dense: bool) -> None:
        """Rows of 26 pixels instead of 34 (at 100 %)."""
        self._dense = dense
        self._restyle()

    def set_sorted(self, key: str, descending: bool = False) -> None:
        """Show by which column the source sorts."""
        self._header.set_sorted(self._rows.place_of(key), descending)
        self._sorting = (key, descending)

    def set_state(self, state: str, title: str = "", detail: str = "") -> None:
        """Say why there are no rows: "ready", "loading", "empty", "error" or "forbidden", in words to show.

        "loading" waits 200 ms before it speaks. All but "forbidden" show only while there are no rows.
        """
        self._patience.stop()
        if state == "loading" and self._state[0] != "loading":
            self._patience.start(_PATIENCE)
        self._state = (state, title, detail)
        self.viewport().update()

    def column_state(self) -> dict[str, Any]:
        """Order, hidden columns and widths chosen, plain enough for a preferences file."""
        header = self._header
        order = [self._rows.columns[header.logicalIndex(place)].key for place in range(header.count())]
        hidden = [
            column.key for place, column in enumerate(self._rows.columns) if header.isSectionHidden(place)
        ]
        return {"order": order, "hidden": hidden, "widths": dict(self._widths)}

    def restore_columns(self, state: dict[str, Any]) -> None:
        """Take up a `column_state()`; columns it does not know stay as they are."""
        header = self._header
        known = [key for key in state.get("order", []) if self._rows.place_of(key) >= 0]
        for place, key in enumerate(known):
            header.moveSection(header.visualIndex(self._rows.place_of(key)), place)
        for key in known:
            header.setSectionHidden(self._rows.place_of(key), key in state.get("hidden", []))
        self._widths = {key: float(width) for key, width in state.get("widths", {}).items()}
        self._lay_columns()

    def show_column(self, key: str, shown: bool = True) -> None:
        """Show or hide a column; the last one cannot be hidden."""
        place = self._rows.place_of(key)
        if not shown and self._header.count() - self._header.hiddenSectionCount() <= 1:
            return
        self._header.setSectionHidden(place, not shown)
        self._lay_columns()
        self.columns_changed.emit()

    def column_menu(self) -> QMenu:
        """The column chooser, to `popup()` from a button or the header."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for place, column in enumerate(self._rows.columns):
            action = menu.addAction(_(column.title) or _("Light"))
            action.setCheckable(True)
            action.setChecked(not self._header.isSectionHidden(place))
            action.toggled.connect(lambda on, key=column.key: self.show_column(key, on))
        menu.addSeparator()
        menu.addAction(_("Restore the usual columns")).triggered.connect(self._on_usual_columns)
        return menu

    # building

    def _build(self) -> None:
        self.setModel(self._rows)
        self._header = TableHeader(self._theme, _PADDING, self)
        self._sorting = ("", False)
        self.setHorizontalHeader(self._header)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAutoScroll(False)
        # Always there, though empty: columns must not jump when the rows begin to overflow.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self._patience.setSingleShot(True)
        for place, column in enumerate(self._rows.columns):
            self._header.setSectionHidden(place, not column.shown)
            if column.stretch:
                self._header.setSectionResizeMode(place, QHeaderView.ResizeMode.Fixed)
        self._restyle()

    def _wire(self) -> None:
        self._theme.changed.connect(self._restyle)
        self._rows.refreshed.connect(self._on_refreshed)
        self._patience.timeout.connect(self.viewport().update)
        self.verticalScrollBar().valueChanged.connect(self._remember_top)
        self.verticalScrollBar().rangeChanged.connect(
            lambda _least, most: self.verticalScrollBar().setEnabled(most > 0)
        )
        self._header.sectionClicked.connect(self._on_header_clicked)
        self._header.sectionResized.connect(self._on_column_sized)
        self._header.sectionMoved.connect(lambda *_places: self.columns_changed.emit())
        self._header.customContextMenuRequested.connect(
            lambda place: self.column_menu().popup(self._header.mapToGlobal(place))
        )

    def _restyle(self) -> None:
        theme = self._theme
        self._elided.clear()
        self._fonts = (theme.font("body"), theme.font("body", bold=True))
        self._metrics = (QFontMetrics(self._fonts[0]), QFontMetrics(self._fonts[1]))
        self._row_height = theme.px(DENSE_ROW if self._dense else ROW)
        vertical = self.verticalHeader()
        vertical.setMinimumSectionSize(1)
        if vertical.defaultSectionSize() != self._row_height:
            top = self._top
            vertical.setDefaultSectionSize(self._row_height)
            self._top = top
            self._return_to_top()
        self.verticalScrollBar().setSingleStep(self._row_height)
        self._header.setMinimumSectionSize(theme.px(24))
        self._header.setFixedHeight(theme.px(32))
        self._lay_columns()
        self.viewport().update()
        self._header.viewport().update()

    def _lay_columns(self) -> None:
        if self._laying:
            return
        self._laying = True
        theme, header = self._theme, self._header
        places = [place for place in range(header.count()) if not header.isSectionHidden(place)]
        columns = [(place, self._rows.columns[place]) for place in places]
        spare = self.viewport().width()
        for place, column in columns:
            width = theme.px(self._widths.get(column.key, column.width))
            spare -= width
            header.resizeSection(place, width)
        stretching = [(place, column) for place, column in columns if column.stretch]
        if spare > 0 and stretching:
            weight = sum(column.width for _place, column in stretching)
            for place, column in stretching[:-1]:
                share = spare * column.width // weight
                header.resizeSection(place, header.sectionSize(place) + share)
                spare -= share
                weight -= column.width
            last = stretching[-1][0]
            header.resizeSection(last, header.sectionSize(last) + spare)
        self._laying = False

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), self._theme.color("pane"))
        count = min(self._rows.rowCount(), self._rows.source.row_count())
        if count == 0 or self._state[0] == "forbidden":
            self._paint_words(painter)
            painter.end()
            return
        height = self._row_height
        offset = self.verticalScrollBar().value()
        clip = event.rect()
        first = max(0, (offset + clip.top()) // height)
        last = min(count - 1, (offset + clip.bottom()) // height)
        header = self._header
        columns = [
            (place, header.sectionViewportPosition(place), header.sectionSize(place))
            for place in range(header.count())
            if not header.isSectionHidden(place)
        ]
        columns = [part for part in columns if part[1] + part[2] > clip.left() and part[1] <= clip.right()]
        for row in range(first, last + 1):
            place = QRect(0, row * height - offset, self.viewport().width(), height)
            self._paint_row(painter, row, place, columns)
        painter.end()

    def _paint_row(
        self, painter: QPainter, row: int, rect: QRect, columns: list[tuple[int, int, int]]
    ) -> None:
        theme, id = self._theme, self._rows.source.id_at(row)
        selected = id in self._selected
        if selected:
            token = "accent_ground_hover" if row == self._hover else "accent_ground"
            painter.fillRect(rect, theme.color(token))
        elif row == self._hover:
            painter.fillRect(rect, theme.color("hover"))
        thick = theme.px(1)
        line = QRect(rect.left(), rect.bottom() + 1 - thick, rect.width(), thick)
        painter.fillRect(line, theme.color("row_line_selected" if selected else "row_line"))
        if selected:
            painter.fillRect(
                QRect(0, rect.top(), theme.px(_BAR), rect.height() - thick), theme.color("accent")
            )
        padding = theme.px(_PADDING)
        for place, left, width in columns:
            column = self._rows.columns[place]
            cell = self._rows.source.cell(row, column.key)
            if cell.spans:
                width = rect.right() - left
            inner = QRect(left + padding, rect.top(), width - 2 * padding, rect.height() - thick)
            if cell.light is not None:
                inner = self._paint_mark(painter, cell, inner)
            if cell.bar is not None:
                self._paint_bar(painter, cell.bar, inner)
            elif cell.text:
                self._paint_text(painter, cell, column, inner, selected)
            if cell.spans:
                break
        if id == self._target:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(theme.color("accent"), theme.px(2)))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(1, 1, -2, -2 - thick))
        elif id == self._current and self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(0, 0, -1, -1 - thick))

    def _paint_mark(self, painter: QPainter, cell: Cell, inner: QRect) -> QRect:
        size = self._theme.px(_MARK)
        middle = inner.center().x() + 0.5 if not cell.text else inner.left() + size / 2
        light = cell.light if cell.light is not None else 0
        paint_light(painter, self._theme, light, QPointF(middle, inner.center().y() + 0.5), size)
        return inner.adjusted(size + self._theme.px(6), 0, 0, 0)

    def _paint_bar(self, painter: QPainter, shares: tuple[float, float, float], inner: QRect) -> None:
        theme, left = self._theme, float(inner.left())
        thick = theme.px(9)
        top = inner.center().y() - thick / 2 + 1
        for share, token in zip(shares, ("over_fill", "soon_fill", "bar_hover"), strict=True):
            if share > 0:
                # One case among thousands is still seen.
                width = max(float(theme.px(2)), inner.width() * share)
                painter.fillRect(QRectF(left, top, width, thick), theme.color(token))
                left += width + 1

    def _paint_text(
        self, painter: QPainter, cell: Cell, column: Column, inner: QRect, selected: bool
    ) -> None:
        bold = is_bold(cell)
        text = self._fitted(cell.text, inner.width(), bold)
        painter.setFont(self._fonts[bold])
        painter.setPen(self._theme.tone(cell.tone, selected=selected))
        align = column.align if cell.align is None else cell.align
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextDontClip
        painter.drawText(inner, int(flags) | int((align & (RIGHT | CENTER)).value), text)

    def _fitted(self, text: str, width: int, bold: bool) -> str:
        key = (text, width, bold)
        fitted = self._elided.get(key)
        if fitted is None:
            if len(self._elided) > _ELIDED_KEPT:
                self._elided.clear()
            one_line = " ".join(text.split()) if "\n" in text else text
            fitted = self._metrics[bold].elidedText(one_line, Qt.TextElideMode.ElideRight, max(0, width))
            self._elided[key] = fitted
        return fitted

    def _paint_words(self, painter: QPainter) -> None:
        state, title, detail = self._state
        if state == "loading" and self._patience.isActive():
            return
        usual = {
            "loading": _("Loading…"),
            "error": _("This could not be read"),
            "forbidden": _("You may not see this"),
        }
        title = title or usual.get(state, _("Nothing here"))
        theme, area = self._theme, self.viewport().rect()
        gap, side = theme.px(6), theme.px(24)
        titles = QFontMetrics(theme.font("body"))
        middle = area.center().y()
        width = max(0, area.width() - 2 * side)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color("over" if state == "error" else "text2"))
        top = QRectF(side, middle - titles.height() - (gap if detail else -gap), width, titles.height())
        fitted = titles.elidedText(title, Qt.TextElideMode.ElideRight, width)
        painter.drawText(top, Qt.AlignmentFlag.AlignCenter, fitted)
        if detail:
            painter.setFont(theme.font("label"))
            painter.setPen(theme.color("text3"))
            below = QRectF(side, middle + gap / 2, width, area.height() / 2)
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
            painter.drawText(below, int(flags), detail)

    # keeping one's place

    def _on_refreshed(self) -> None:
        source = self._rows.source
        known = source.rows_of(self._selected) >= 0
        if self._current is not None and source.row_of(self._current) < 0:
            self._current = self._origin = None
        self._return_to_top()
        self._point_at_current()
        if self._hover >= 0:
            self._hover = self._row_at(self.viewport().mapFromGlobal(self.cursor().pos()))
        self.viewport().update()
        if not known.all():
            self._selected = frozenset(_where(self._selected, known))
            self.picked.emit(self._selected)

    def _remember_top(self) -> None:
        value = self.verticalScrollBar().value()
        row = value // self._row_height if self._row_height else 0
        # At the very top one wants to see what comes in there; further down, the rows one reads stay put.
        if value == 0 or row >= self._rows.source.row_count():
            self._top = None
        else:
            self._top = (self._rows.source.id_at(row), row * self._row_height - value)

    def _return_to_top(self) -> None:
        if self._top is None:
            return
        id, rest = self._top
        row = self._rows.source.row_of(id)
        if row >= 0:
            self.updateGeometries()
            self.verticalScrollBar().setValue(row * self._row_height - rest)
        self._remember_top()

    def _point_at_current(self) -> None:
        row = -1 if self._current is None else self._rows.source.row_of(self._current)
        if row < 0 or row >= self._rows.rowCount():
            return
        section = self._header.marked if self._header.marked >= 0 else max(0, self._header.logicalIndex(0))
        index = self._rows.index(row, section)
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)

    def _reveal(self, row: int) -> None:
        bar, height = self.verticalScrollBar(), self._row_height
        page = self.viewport().height()
        if row * height < bar.value():
            bar.setValue(row * height)
        elif (row + 1) * height > bar.value() + page:
            bar.setValue((row + 1) * height - page)

    # the person

    def _pick(self, ids: frozenset[int]) -> None:
        if ids != self._selected:
            self._selected = ids
            self.viewport().update()
            self.picked.emit(ids)

    def _go(self, row: int, *, extend: bool = False, toggle: bool = False) -> None:
        source = self._rows.source
        count = source.row_count()
        if not count:
            return
        row = min(max(row, 0), count - 1)
        id = source.id_at(row)
        origin = -1 if self._origin is None else source.row_of(self._origin)
        self._current = id
        if extend and origin >= 0:
            first, last = sorted((origin, row))
            ids = frozenset(source.ids_between(first, last))
        elif toggle:
            self._origin = id
            ids = self._selected ^ {id}
        else:
            self._origin = id
            ids = frozenset({id})
        self._point_at_current()
        self._reveal(row)
        self.viewport().update()
        self._pick(ids)

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and self._is_carrying
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            # Before the window takes the key for widening what is shown.
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        source, key = self._rows.source, event.key()
        if self._is_carrying and key == Qt.Key.Key_Escape:
            self._stop_carrying()
            return
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        now = -1 if self._current is None else source.row_of(self._current)
        page = max(1, self.viewport().height() // self._row_height - 1)
        targets = {
            Qt.Key.Key_Up: now - 1 if now >= 0 else 0,
            Qt.Key.Key_Down: now + 1,
            Qt.Key.Key_PageUp: now - page,
            Qt.Key.Key_PageDown: max(now, 0) + page,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: source.row_count() - 1,
        }
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        # Ctrl with an arrow up or down is the window's: the next case, whichever pane has the focus.
        is_window_s = control and key in (Qt.Key.Key_Up, Qt.Key.Key_Down)
        if key in targets and not alt and not is_window_s:
            self._go(targets[Qt.Key(key)], extend=shift)
        elif key == Qt.Key.Key_A and control:
            self.select_all()
        elif key == Qt.Key.Key_Space and now >= 0 and not shift:
            self._go(now, toggle=True)
        elif self._on_column_key(event):
            self._header.viewport().update()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and now >= 0:
            self.opened.emit(self._current)
        elif key == Qt.Key.Key_Left and not control:
            self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() - self._theme.px(48))
        elif key == Qt.Key.Key_Right and not control:
            self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() + self._theme.px(48))
        elif key == Qt.Key.Key_Menu:
            top = max(0, now) * self._row_height - self.verticalScrollBar().value()
            middle = QPoint(self._theme.px(48), top + self._row_height // 2)
            self.menu_wanted.emit(self.viewport().mapToGlobal(middle), self._selected)
        else:
            # Letters are the window's shortcuts, never Qt's search by typing.
            event.ignore()

    def _on_column_key(self, event: QKeyEvent) -> bool:
        """Keys that act on the marked column; whether this was one of them."""
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        control = modifiers == Qt.KeyboardModifier.ControlModifier
        alt = bool(modifiers & Qt.KeyboardModifier.AltModifier)
        side = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(key, 0)
        wider = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}.get(key, 0)
        if control and side:
            self._mark_column(side)
        elif alt and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._header.marked >= 0:
            self._on_header_clicked(self._header.marked)
        elif alt and side and self._header.marked >= 0:
            self._shift_column(self._header.marked, side)
        elif alt and wider and self._header.marked >= 0:
            width = self._header.sectionSize(self._header.marked) + wider * self._theme.px(_WIDEN)
            self._header.resizeSection(self._header.marked, max(width, self._header.minimumSectionSize()))
        elif alt and key == Qt.Key.Key_Delete and self._header.marked >= 0:
            hidden = self._header.marked
            self._mark_column(1) if self._header.visualIndex(hidden) == 0 else self._mark_column(-1)
            self.show_column(self._rows.columns[hidden].key, False)
        else:
            return False
        return True

    def _shown_sections(self) -> list[int]:
        """The sections on show, from left to right."""
        header = self._header
        sections = (header.logicalIndex(place) for place in range(header.count()))
        return [section for section in sections if not header.isSectionHidden(section)]

    def _mark_column(self, side: int) -> None:
        shown = self._shown_sections()
        now = self._header.marked
        place = shown.index(now) + side if now in shown else 0
        section = shown[min(max(place, 0), len(shown) - 1)]
        self._header.set_marked(section)
        left = self._header.sectionViewportPosition(section)
        bar = self.horizontalScrollBar()
        if left < 0:
            bar.setValue(bar.value() + left)
        elif (over := left + self._header.sectionSize(section) - self.viewport().width()) > 0:
            bar.setValue(bar.value() + over)
        # A screen reader reads the column's title with the current row.
        self._point_at_current()

    def _shift_column(self, section: int, side: int) -> None:
        shown = self._shown_sections()
        place = shown.index(section) + side
        if 0 <= place < len(shown):
            header = self._header
            header.moveSection(header.visualIndex(section), header.visualIndex(shown[place]))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().toPoint())
        modifiers = event.modifiers()
        if row < 0:
            if event.button() == Qt.MouseButton.LeftButton and not modifiers:
                self._pick(frozenset())
            return
        if event.button() == Qt.MouseButton.LeftButton:
            if self._is_draggable and not modifiers and self._rows.source.id_at(row) in self._selected:
                # Either they are carried away now, or the release makes a plain click of it.
                self._carried_from = event.position().toPoint()
                return
            self._go(
                row,
                extend=bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
                toggle=bool(modifiers & Qt.KeyboardModifier.ControlModifier),
            )
        elif event.button() == Qt.MouseButton.RightButton:
            if self._rows.source.id_at(row) not in self._selected:
                self._go(row)
            self.menu_wanted.emit(event.globalPosition().toPoint(), self._selected)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().toPoint())
        if self._carried_from is not None:
            way = (event.position().toPoint() - self._carried_from).manhattanLength()
            if self._is_carrying or way >= QApplication.startDragDistance():
                self._is_carrying = True
                self.dragged.emit(event.globalPosition().toPoint())
            return
        dragging = bool(event.buttons() & Qt.MouseButton.LeftButton) and self._origin is not None
        if dragging:
            # Beyond the edge the drag goes on, and the rows scroll along.
            height = self._row_height
            reached = (int(event.position().y()) + self.verticalScrollBar().value()) // height
            if self._current is None or reached != self._rows.source.row_of(self._current):
                self._go(reached, extend=True)
        self._set_hover(row)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()
        if self._carried_from is None:
            return
        was_carrying = self._is_carrying
        self._carried_from, self._is_carrying = None, False
        if was_carrying:
            self.dropped.emit(event.globalPosition().toPoint())
        elif (row := self._row_at(event.position().toPoint())) >= 0:
            self._go(row)

    def _stop_carrying(self) -> None:
        if self._is_carrying:
            self.drag_left.emit()
        self._carried_from, self._is_carrying = None, False

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().toPoint())
        if row >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(self._rows.source.id_at(row))

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hover(-1)
        super().leaveEvent(event)

    def focusInEvent(self, event: Any) -> None:
        super().focusInEvent(event)
        self._header.viewport().update()
        self.viewport().update()

    def focusOutEvent(self, event: Any) -> None:
        super().focusOutEvent(event)
        self._header.viewport().update()
        self._stop_carrying()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_columns()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._show_tip(event)
            return True
        return super().viewportEvent(event)

    def _show_tip(self, event: QHelpEvent) -> None:
        row, section = self._row_at(event.pos()), self._header.logicalIndexAt(event.pos().x())
        if row < 0 or section < 0:
            QToolTip.hideText()
            return
        cell = self._rows.cell_at(row, section)
        room = self._header.sectionSize(section) - 2 * self._theme.px(_PADDING)
        cut = self._fitted(cell.text, room, is_bold(cell)) != cell.text
        words = cell.tip or (cell.text if cut else "")
        QToolTip.showText(event.globalPos(), tip(words), self.viewport())

    def _set_hover(self, row: int) -> None:
        if row == self._hover:
            return
        for changed in (self._hover, row):
            if changed >= 0:
                top = changed * self._row_height - self.verticalScrollBar().value()
                self.viewport().update(0, top, self.viewport().width(), self._row_height)
        self._hover = row
        self.hovered.emit(self._rows.source.id_at(row) if 0 <= row < self._rows.source.row_count() else None)

    def _row_at(self, place: QPoint) -> int:
        if not self.viewport().rect().contains(place):
            return -1
        row = (place.y() + self.verticalScrollBar().value()) // self._row_height
        return row if row < self._rows.source.row_count() else -1

    def _on_header_clicked(self, section: int) -> None:
        column = self._rows.columns[section]
        if not column.sortable:
            return
        key, descending = self._sorting
        self.set_sorted(column.key, not descending if key == column.key else False)
        self.sorted.emit(*self._sorting)

    def _on_column_sized(self, section: int, _old: int, new: int) -> None:
        if self._laying or not new or self._rows.columns[section].stretch:
            return
        self._widths[self._rows.columns[section].key] = new / self._theme.scale
        self._lay_columns()
        self.columns_changed.emit()

    def _on_usual_columns(self) -> None:
        self.restore_columns(
            {
                "order": [column.key for column in self._rows.columns],
                "hidden": [column.key for column in self._rows.columns if not column.shown],
            }
        )
        self.columns_changed.emit()


def _where(ids: Iterable[int], mask: NDArray[np.bool_]) -> Iterator[int]:
    """Those ids whose place in `mask` is true; a set goes the same way round each time it is asked."""
    return compress(ids, mask.tolist())


def is_bold(cell: Cell) -> bool:
    """Whether a cell is set in bold: what is late has weight as well as colour."""
    return cell.tone in ("over", "soon")
