"""The palette: everything that can be done, found by words in either language, shown before it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from db.kernel.language import N_, _
from db.live.sentences import Word
from desktop.core.offers import Offer, found
from desktop.widgets.button import keys_width, paint_keys
from desktop.widgets.form import CommandField
from desktop.widgets.plain import Elided
from desktop.widgets.theme import Theme

_Index = QModelIndex | QPersistentModelIndex

WIDTH = 760
ROW = 34
MOST_ROWS = 12
_MOVES = {
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_PageDown: MOST_ROWS,
    Qt.Key.Key_PageUp: -MOST_ROWS,
}
PARTS = {
    "verb": N_("act"),
    "case": N_("case"),
    "unit": N_("unit"),
    "light": N_("light"),
    "time": N_("time"),
    "state": N_("stage"),
    "source": N_("source"),
    "district": N_("district"),
    "community": N_("community"),
    "category": N_("category"),
    "road": N_("road"),
    "reason": N_("reason"),
    "text": N_("text"),
    "unknown": N_("not understood"),
}
"""What the parts of a sentence are called."""


class Palette(QFrame):
    """Stands over a window's upper middle. Invariant: what Enter does is the marked line, and all of it is
    written there; a line that says why it is not possible is not run.
    """

    ran = Signal(str)
    """The id of the offer that was run."""
    closed = Signal()

    def __init__(self, theme: Theme, host: QWidget) -> None:
        super().__init__(host)
        self._theme = theme
        self._host = host
        self._offers: Sequence[Offer] = ()
        self._recent: Sequence[str] = ()
        self._read: Callable[[str], Sequence[Offer]] = lambda _typed: ()
        self._build()
        self._wire()
        self.hide()

    def open_with(
        self, offers: Sequence[Offer], read: Callable[[str], Sequence[Offer]], recent: Sequence[str] = ()
    ) -> None:
        """Show it: what can be done now, what reads a sentence, and the ids of what was done lately."""
        self._offers, self._read, self._recent = offers, read, recent
        self.field.clear()
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search()

    def leave(self) -> None:
        """Go away; the focus returns to where it was."""
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def shown(self) -> list[Offer]:
        """The lines on show, best first."""
        return list(self._model.offers)

    def marked(self) -> Offer | None:
        """The line that Enter would run."""
        row = self.list.currentIndex().row()
        return self._model.offers[row] if 0 <= row < len(self._model.offers) else None

    def set_text(self, text: str) -> None:
        """As if it had been typed."""
        self.field.setText(text)

    # Building.

    def _build(self) -> None:
        self.setObjectName("palette")
        self.setAccessibleName(_("Commands"))
        # zh: 命令、单位、案件编号，或一句话：派 37 城关中队
        hint = _("A command, a unit, a case number, or a sentence: dispatch 37 Chengguan")
        self.field = CommandField(self._theme, hint, keys="Esc")
        self.field.setMaxLength(200)
        self.understood = Understood(self._theme)
        self._model = _Lines(self)
        self.list = QListView()
        self.list.setModel(self._model)
        self.list.setItemDelegate(_LinePainter(self._theme, self.list))
        self.list.setAccessibleName(_("What can be done"))
        # The field keeps the focus, so that one types and chooses at once; the arrows move the mark.
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._foot = Elided("", "label", "text3")
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.field)
        self._column.addWidget(self.understood)
        self._column.addWidget(self.list)
        self._column.addWidget(self._foot)
        self._on_theme()

    def _wire(self) -> None:
        self.field.textChanged.connect(lambda _text: self._search())
        self.field.installEventFilter(self)
        self._host.installEventFilter(self)
        self.list.clicked.connect(lambda _index: self._run())
        self.list.selectionModel().currentChanged.connect(lambda _now, _before: self._say())
        self._theme.changed.connect(self._on_theme)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        elif watched is self.field and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
                # Else the window's own Esc would widen the filter.
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                return self._on_key(event)
        elif (
            watched is self.field
            and event.type() == QEvent.Type.FocusOut
            # A change of window or an input method's list is no reason to lose what was typed.
            and self._host.isActiveWindow()
            and not self.field.hasFocus()
        ):
            self.leave()
        return super().eventFilter(watched, event)

    def _on_key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.field.clear() if self.field.text() else self.leave()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run()
        elif key in _MOVES:
            self._move(_MOVES[key])
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self._move(1 if key == Qt.Key.Key_Tab else -1)
        else:
            return False
        return True

    # Finding and running.

    def _search(self) -> None:
        typed = self.field.text().strip()
        read = list(self._read(typed)) if typed else []
        named = found(self._offers, typed, self._recent)
        # A sentence that was understood as a whole stands first. A few letters are a name before they are a
        # sentence: "pq" is the act 派遣, where that is possible, and only then the class 喷泉.
        lines = [*named, *read] if typed.isascii() and typed.isalpha() else [*read, *named]
        self._model.set_offers(lines)
        if lines:
            self.list.setCurrentIndex(self._model.index(0, 0))
        self._fit()
        self._say()

    def _move(self, by: int) -> None:
        count = self._model.rowCount()
        if count:
            row = min(max(self.list.currentIndex().row() + by, 0), count - 1)
            self.list.setCurrentIndex(self._model.index(row, 0))

    def _run(self) -> None:
        offer = self.marked()
        if offer is None or offer.why:
            return
        self.leave()
        if offer.id:
            self.ran.emit(offer.id)
        offer.run()

    def _say(self) -> None:
        offer = self.marked()
        self.understood.set_words(offer.words if offer is not None else ())
        self.field.setAccessibleDescription(spoken(offer) if offer is not None else _("Nothing found"))
        if offer is None:
            words = _("Nothing of this name. Sentences begin with an act, a light, “go” or “find”.")
        elif offer.why:
            words = _("Not possible now: {why}").format(why=offer.why)
        elif offer.words:
            words = _("⏎ does what the line says   ↑↓ other readings   Esc back")
        else:
            words = _("⏎ run   ↑↓ choose   Esc close")
        self._foot.setText(words)

    # Looks.

    def _place(self) -> None:
        px = self._theme.px
        width = min(px(WIDTH), self._host.width() - px(32))
        self.setGeometry((self._host.width() - width) // 2, px(52), width, self.height())
        self._fit()

    def _fit(self) -> None:
        px = self._theme.px
        room = (self._host.height() - px(52 + 160)) // px(ROW)
        rows = max(1, min(self._model.rowCount(), MOST_ROWS, room))
        self.list.setFixedHeight(rows * px(ROW))
        self.list.setVisible(self._model.rowCount() > 0)
        self._column.activate()
        self.resize(self.width(), self._column.sizeHint().height())

    def _on_theme(self) -> None:
        px = self._theme.px
        self._column.setContentsMargins(px(10), px(10), px(10), px(8))
        self._column.setSpacing(px(8))
        self.list.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("accent"), self._theme.px(1)))
        painter.setBrush(self._theme.color("pane"))
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), self._theme.px(8), self._theme.px(8)
        )
        painter.end()


class Understood(QWidget):
    """The words of a sentence, each over what it was taken for."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._words: tuple[Word, ...] = ()
        self.hide()
        theme.changed.connect(self._on_theme)
        self._on_theme()

    def set_words(self, words: tuple[Word, ...]) -> None:
        """What was understood; nothing hides it."""
        if words != self._words:
            self._words = words
            self.setAccessibleName(
                _(", ").join(f"{word.typed}: {word.meaning or _(PARTS[word.part])}" for word in words)
            )
            self.update()
        self.setVisible(bool(words))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, px = self._theme, self._theme.px
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        upper, lower = theme.font("body", bold=True), theme.font("label")
        wide, narrow = QFontMetrics(upper), QFontMetrics(lower)
        left, gap, inside = 0, px(8), px(10)
        for word in self._words:
            unknown = word.part == "unknown" or not word.meaning
            below = _("not understood") if not word.meaning else f"{_(PARTS[word.part])} · {word.meaning}"
            if word.part == "unknown":
                below = word.meaning
            room = self.width() - left
            wanted = max(wide.horizontalAdvance(word.typed), narrow.horizontalAdvance(below))
            width = min(wanted + 2 * inside + 1, room)
            if width < px(48):
                break
            box = QRectF(left, 0, width, self.height())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("over_ground" if unknown else "accent_ground"))
            painter.drawRoundedRect(box, px(6), px(6))
            painter.setFont(upper)
            painter.setPen(theme.color("text1"))
            flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            half = self.height() // 2
            text = QRect(left + inside, px(3), width - 2 * inside, half)
            fitted = wide.elidedText(word.typed, Qt.TextElideMode.ElideRight, text.width())
            painter.drawText(text, flags, fitted)
            painter.setFont(lower)
            painter.setPen(theme.color("over_selected" if unknown else "text3_selected"))
            text = QRect(left + inside, half - px(2), width - 2 * inside, half)
            painter.drawText(text, flags, narrow.elidedText(below, Qt.TextElideMode.ElideRight, text.width()))
            left += width + gap
        painter.end()

    def _on_theme(self) -> None:
        self.setFixedHeight(self._theme.px(44))
        self.update()


class _Lines(QAbstractListModel):
    """The offers as Qt's list and screen readers want them."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.offers: list[Offer] = []

    def set_offers(self, offers: list[Offer]) -> None:
        self.beginResetModel()
        self.offers = offers
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  Qt's own signature
        return 0 if parent.isValid() else len(self.offers)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        offer = self.offers[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return offer.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(offer)
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        # A line that cannot be run can still be walked to: its reason is to be read.
        return Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled


class _LinePainter(QStyledItemDelegate):
    """Title, what will be or why not, the kind of thing, the key."""

    def __init__(self, theme: Theme, parent: QListView) -> None:
        super().__init__(parent)
        self._theme = theme
        self._view = parent

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(self._theme.px(200), self._theme.px(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme, px = self._theme, self._theme.px
        model = index.model()
        assert isinstance(model, _Lines)
        offer = model.offers[index.row()]
        is_marked = index.row() == self._view.currentIndex().row()
        rect = QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_marked:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_ground"))
            painter.drawRoundedRect(QRectF(rect), px(6), px(6))
        faint = "text3_selected" if is_marked else "text3"
        right = rect.right() - px(10)
        flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
        if offer.keys:
            right -= round(keys_width(theme, offer.keys))
            middle = QRectF(rect).center()
            middle.setX(right)
            paint_keys(painter, theme, middle, offer.keys, theme.color(faint))
            right -= px(10)
        small = QFontMetrics(theme.font("label"))
        painter.setFont(theme.font("label"))
        painter.setPen(theme.color(faint))
        width = small.horizontalAdvance(offer.group)
        painter.drawText(QRect(right - width, rect.top(), width + 1, rect.height()), flags, offer.group)
        right -= width + px(14)
        big = QFontMetrics(theme.font("body"))
        left = rect.left() + px(12)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color(faint if offer.why else "text1"))
        beside = offer.why or offer.detail
        # What is said beside it has as much room as it needs, up to half of the line.
        kept = min(small.horizontalAdvance(beside) + px(14), (right - left) // 2) if beside else 0
        title = big.elidedText(offer.title, Qt.TextElideMode.ElideRight, right - left - kept)
        painter.drawText(QRect(left, rect.top(), right - left, rect.height()), flags, title)
        left += big.horizontalAdvance(title) + px(12)
        if beside and right - left > px(40):
            painter.setFont(theme.font("label"))
            painter.setPen(theme.color(("soon_selected" if is_marked else "soon") if offer.why else faint))
            fitted = small.elidedText(beside, Qt.TextElideMode.ElideRight, right - left)
            painter.drawText(QRect(left, rect.top(), right - left, rect.height()), flags, fitted)
        painter.restore()


def spoken(offer: Offer) -> str:
    """A line as a screen reader says it."""
    why = _("not possible now: {why}").format(why=offer.why) if offer.why else ""
    return _(", ").join(part for part in (offer.title, offer.detail, why, offer.group, offer.keys) if part)
