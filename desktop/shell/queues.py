"""The strip of queues by duty: whose work waits where, with live counts, a key each, one's own first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QMenu, QWidget

from db.kernel.language import _
from db.live.board import News
from db.live.filters import PARTS, Filter
from db.live.lens import Lens
from db.live.queues import QUEUES, Queue, counts, queue_filter
from desktop.core.actions import Act
from desktop.core.context import Context, Freshness
from desktop.core.words import number
from desktop.widgets.button import Button
from desktop.widgets.plain import tip
from desktop.widgets.theme import Theme

HEIGHT = 36
_GAP = 17
_COUNTED = 5
"""So many pinned filters have a live number."""
FIRST: Mapping[str, tuple[str, ...]] = {
    "acceptor": ("accept", "verify", "file", "check"),
    "duty_leader": ("file", "dispatch", "close", "returned", "overdue"),
    "dispatcher": ("dispatch", "returned", "in_hand", "overdue"),
    "handler": ("mine", "in_hand", "overdue", "supervised"),
    "inspector": ("supervised", "check", "overdue"),
    "leader": ("overdue", "supervised"),
    "collector": ("verify", "check"),
}
"""The queues that stand first for a role; the others follow in the order of the closed loop."""
KEYS = tuple(f"Alt+{digit}" for digit in "1234567890-")
"""By place, so that one's own queues have the first keys."""
LOUD = {"overdue": "over"}
"""Queues whose number is in a colour as long as it is not 0; everything else stays calm."""


def first_of(roles: Sequence[str]) -> list[str]:
    """The ids of the queues that are these roles' own work."""
    return list(dict.fromkeys(queue_id for role in roles for queue_id in FIRST.get(role, ())))


def in_order(roles: Sequence[str]) -> list[Queue]:
    """The queues as they stand for somebody with these roles."""
    known = {queue.id: queue for queue in QUEUES}
    return [known[queue_id] for queue_id in dict.fromkeys((*first_of(roles), *known))]


@dataclass(frozen=True)
class Pinned:
    """A saved filter that stands in the strip."""

    id: int
    name: str
    filter: Filter


class QueueStrip(QWidget):
    """One line of tabs. The lit one is the queue whose filter is in force, narrowed further or not."""

    ordered = Signal(str)
    """A queue was opened: the key that its list is ordered by."""

    def __init__(self, theme: Theme, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._context = context
        self._queues = in_order(context.who.roles)
        self._shows_keys = True
        self._filters = {queue.id: queue_filter(queue.id, context.who) for queue in self._queues}
        self._own = first_of(context.who.roles)
        self._bars: list[int] = []
        self._pinned: dict[str, Pinned] = {}
        self._tabs: dict[str, QueueTab] = {}
        self._build()
        self._wire()
        self._count()
        self._light()

    def acts(self) -> list[Act]:
        """One act for each queue, with its key."""
        return [
            Act(
                f"queue_{queue.id}",
                queue.title,
                lambda key=queue.id: self.open(key),  # type: ignore[misc]
                KEYS[place] if place < len(KEYS) else "",
                menu="queues",
                words="队列 queue",
            )
            for place, queue in enumerate(self._queues)
        ]

    def open(self, key: str) -> None:
        """Show a queue, exactly as many cases as its tab says; the lit one again shows everything."""
        chosen = self._pinned[key].filter if key in self._pinned else self._filters[key]
        if self._context.filter == chosen:
            self._context.set_filter(Filter())
            return
        self._context.set_filter(chosen)
        if key not in self._pinned:
            self.ordered.emit(next(queue.order for queue in self._queues if queue.id == key))

    def set_pinned(self, pinned: Sequence[Pinned]) -> None:
        """The saved filters that stand after the queues."""
        for key in self._pinned:
            self._tabs.pop(key).deleteLater()
        self._pinned = {f"kept_{each.id}": each for each in pinned}
        for key, each in self._pinned.items():
            self._add(key, each.name, "")
        self._count()
        self._light()
        self._lay_out()

    def add_action(self, widget: QWidget) -> None:
        """Put a widget at the right end."""
        widget.setParent(self)
        self._actions.append(widget)
        widget.show()
        self._lay_out()

    def tabs(self) -> dict[str, QueueTab]:
        """The tabs by key, in their order."""
        return dict(self._tabs)

    def lit(self) -> str:
        """The key of the lit tab, "" for none."""
        return next((key for key, tab in self._tabs.items() if tab.isChecked()), "")

    def _build(self) -> None:
        self.setAccessibleName(_("Queues by duty"))
        self._actions: list[QWidget] = []
        self._more = Button(self._theme, "+0", kind="quiet", parent=self)
        self._more.set_drops()
        self._more.hide()
        for place, queue in enumerate(self._queues):
            self._add(queue.id, _(queue.title), KEYS[place] if place < len(KEYS) else "")
        self._on_theme()

    def _add(self, key: str, title: str, keys: str) -> None:
        tab = QueueTab(self._theme, title, keys, LOUD.get(key, ""), self)
        tab.clicked.connect(lambda _on=False, key=key: self.open(key))
        tab.walked.connect(lambda by, key=key: self._walk(key, by))
        # Checked is what the filter says, never what the button thinks.
        tab.released.connect(self._light)
        self._tabs[key] = tab

    def _wire(self) -> None:
        self._context.news.connect(self._on_news)
        self._context.filter_changed.connect(self._light)
        self._context.age_changed.connect(self._count)
        self._theme.changed.connect(self._on_theme)
        self._more.clicked.connect(self._on_more)

    def _on_news(self, news: News) -> None:
        if news.figures_changed:
            self._count()

    def _count(self) -> None:
        if self._context.age.state is Freshness.LOADING:
            return
        found = counts(self._context.board, self._context.who)
        # The first few only: a filter of one's own is looked through case by case.
        for key, each in list(self._pinned.items())[:_COUNTED]:
            found[key] = Lens(self._context.board.store, each.filter).count
        changed = [self._tabs[key].set_count(count) for key, count in found.items() if key in self._tabs]
        if any(changed):
            self._lay_out()

    def _light(self) -> None:
        now = self._context.filter
        kept = {key: each.filter for key, each in self._pinned.items()}
        fits = [key for key, chosen in (self._filters | kept).items() if _narrows(now, chosen)]
        exact = [key for key in fits if (self._filters | kept)[key] == now]
        lit = next(iter(exact or fits), "")
        for key, tab in self._tabs.items():
            tab.setChecked(key == lit)

    def _walk(self, key: str, by: int) -> None:
        shown = [each for each, tab in self._tabs.items() if not tab.isHidden()]
        place = (shown.index(key) + by) % len(shown)
        self._tabs[shown[place]].setFocus(Qt.FocusReason.TabFocusReason)

    def _on_more(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for key, tab in self._tabs.items():
            if tab.isHidden():
                words = f"{tab.text()}\t{number(tab.count)}" if key not in self._pinned else tab.text()
                menu.addAction(words.replace("&", "&&")).triggered.connect(
                    lambda _on=False, key=key: self.open(key)
                )
        menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))

    # Laying out.

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(600), self._theme.px(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self._theme.px(HEIGHT))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        px = self._theme.px
        right = self.width() - px(8)
        for widget in reversed(self._actions):
            size = widget.sizeHint()
            right -= size.width()
            widget.setGeometry(right, (self.height() - size.height()) // 2, size.width(), size.height())
            right -= px(4)
        edge = right - px(8)
        # The printed keys give way first, then the last tabs.
        for with_keys in (True, False):
            left = px(8) + (self._alt_width() if with_keys else 0)
            widths = {key: tab.width_for(with_keys) for key, tab in self._tabs.items()}
            if left + sum(widths.values()) + 2 * px(_GAP) <= edge:
                break
        self._shows_keys = with_keys
        self._bars = []
        ends = {self._own[-1] if self._own else "", self._queues[-1].id if self._pinned else ""}
        hidden = 0
        if left + sum(widths.values()) > edge:
            edge -= px(48)
        for key, tab in self._tabs.items():
            fits = not hidden and left + widths[key] <= edge
            tab.setVisible(fits)
            hidden += not fits
            if fits:
                tab.show_keys(with_keys)
                tab.setGeometry(left, 0, widths[key], self.height())
                left += widths[key]
                if key in ends:
                    self._bars.append(left + px(_GAP) // 2)
                    left += px(_GAP)
        self._more.setVisible(hidden > 0)
        if hidden:
            self._more.setText(f"+{hidden}")
            self._more.setAccessibleName(_("{count} more queues").format(count=hidden))
            size = self._more.sizeHint()
            self._more.setGeometry(
                left + px(4), (self.height() - size.height()) // 2, size.width(), size.height()
            )

        self.update()

    def _alt_width(self) -> int:
        return round(QFontMetricsF(self._theme.font("axis")).horizontalAdvance("Alt")) + self._theme.px(12)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The key that goes with every digit, and a hairline after one's own queues and before saved ones."""
        px, theme = self._theme.px, self._theme
        painter = QPainter(self)
        for place in self._bars:
            painter.fillRect(place, px(10), px(1), self.height() - px(20), theme.color("line"))
        if self._shows_keys:
            painter.setFont(theme.font("axis"))
            painter.setPen(theme.color("text3"))
            area = QRectF(px(16), 0, self._alt_width(), self.height())
            painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), "Alt")
        painter.end()

    def _on_theme(self) -> None:
        self.setFixedHeight(self._theme.px(HEIGHT))
        self._lay_out()


class QueueTab(QAbstractButton):
    """A queue: its key small, its name, its number. Left and right walk on, Enter opens."""

    walked = Signal(int)

    def __init__(
        self, theme: Theme, title: str, keys: str, loud: str = "", parent: QWidget | None = None
    ) -> None:
        """``loud``: the tone of a number that is not 0, "" for the usual one."""
        super().__init__(parent)
        self._theme = theme
        self._keys = keys.removeprefix("Alt+")
        self._loud = loud
        self._shows_keys = True
        self.count = -1
        self.setText(title)
        self.setCheckable(True)
        self.setToolTip(tip(f"{title}  {keys}" if keys else title))
        self.setAccessibleName(title)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover, True)

    def set_count(self, count: int) -> bool:
        """How many wait; whether that needs another width."""
        if count == self.count:
            return False
        wider = len(number(count)) != len(number(max(self.count, 0))) or self.count < 0
        self.count = count
        # zh: {queue}：{count} 件
        self.setAccessibleName(_("{queue}: {count} cases").format(queue=self.text(), count=number(count)))
        self.update()
        return wider

    def show_keys(self, on: bool) -> None:
        """Whether there is room for the key."""
        self._shows_keys = on

    def width_for(self, with_keys: bool) -> int:
        """The width that shows everything."""
        px = self._theme.px
        width = QFontMetricsF(self._theme.font("body")).horizontalAdvance(self.text()) + px(20)
        if self.count >= 0:
            figures = QFontMetricsF(self._theme.font("body", bold=True))
            width += figures.horizontalAdvance(number(self.count)) + px(6)
        if with_keys and self._keys:
            width += QFontMetricsF(self._theme.font("axis")).horizontalAdvance(self._keys) + px(5)
        return round(width) + 1

    def sizeHint(self) -> QSize:
        return QSize(self.width_for(True), self._theme.px(HEIGHT))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.walked.emit(1 if key == Qt.Key.Key_Right else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, px = self._theme, self._theme.px
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on, height = self.isChecked(), self.height()
        body = QRectF(1, px(4), self.width() - 2, height - px(8))
        if on or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_ground" if on else "pressed"))
            painter.drawRoundedRect(body, px(6), px(6))
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(body.adjusted(0.5, 0.5, -0.5, -0.5), px(6), px(6))
        left = float(px(10))
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        if self._shows_keys and self._keys:
            painter.setFont(theme.font("axis"))
            painter.setPen(theme.color("text3_selected" if on else "text3"))
            width = QFontMetricsF(painter.font()).horizontalAdvance(self._keys)
            painter.drawText(QRectF(left, 0, width + 1, height), middle, self._keys)
            left += width + px(5)
        painter.setFont(theme.font("body"))
        quiet = not on and self.count == 0
        painter.setPen(theme.color("text1" if on else "text3" if quiet else "text2"))
        width = QFontMetricsF(painter.font()).horizontalAdvance(self.text())
        painter.drawText(QRectF(left, 0, width + 1, height), middle, self.text())
        left += width + px(6)
        if self.count >= 0:
            tone = self._loud if self._loud and self.count else "text3" if quiet else "text1"
            painter.setFont(theme.font("body", bold=True))
            painter.setPen(theme.tone(tone, selected=on))
            painter.drawText(QRectF(left, 0, self.width() - left, height), middle, number(self.count))
        painter.end()


def _narrows(now: Filter, queue: Filter) -> bool:
    """Whether a filter is this queue, perhaps narrowed further."""
    return (
        not queue.is_empty
        and now.scope is queue.scope
        and all(getattr(now, part) == getattr(queue, part) for part in PARTS if queue.has(part))
    )
