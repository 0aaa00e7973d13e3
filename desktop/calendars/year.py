"""Twelve months at a glance, painted by one widget and walked by pointer or arrow keys."""

from __future__ import annotations

from datetime import date, timedelta

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from db.calendars.queries import CalendarPage
from db.kernel.language import _
from desktop.widgets.plain import tip
from desktop.widgets.roles import speak_as
from desktop.widgets.theme import Theme

_ACROSS, _DOWN = 4, 3
_LINES = 8
"""Lines of a month: its name, the weekdays, and up to six weeks."""
_GAP, _EDGE = 18, 4


class YearView(QWidget):
    """One year. Invariant: the day that is walked (``current``) lies in the year that is shown."""

    picked = Signal(object)
    """A day (``date``) was clicked or chosen by Space or Enter; never while the view is only to be read."""

    def __init__(self, theme: Theme, today: date, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Table)
        self._theme = theme
        self._today = today
        self._page = CalendarPage(today.year, "", {}, (), ())
        self._may_pick = False
        self.current = today
        self._build()
        theme.changed.connect(self.update)

    def _build(self) -> None:
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._say()

    def set_page(self, page: CalendarPage, may_pick: bool) -> None:
        """Show a year; without ``may_pick`` it can be walked and read, and nothing else."""
        self._page = page
        self._may_pick = may_pick
        if self.current.year != page.year:
            self.current = self._today if self._today.year == page.year else date(page.year, 1, 1)
        self.setCursor(Qt.CursorShape.PointingHandCursor if may_pick else Qt.CursorShape.ArrowCursor)
        self._say()
        self.update()

    def said(self, day: date) -> str:
        """A day in words: date, weekday, worked or not, and its name."""
        named = self._page.days.get(day)
        if named is not None:
            # zh: 节假日 / 调休上班
            kind = _("Holiday") if named.kind == "holiday" else _("Worked instead of another day")
        else:
            # zh: 工作日 / 休息日
            kind = _("Working day") if self._page.is_worked(day) else _("Day off")
        parts = [f"{day.isoformat()} {weekdays()[day.weekday()]}", kind, named.name if named else ""]
        return " · ".join(part for part in parts if part)

    def box_of(self, day: date) -> QRectF:
        """Where a day is painted."""
        month = self._month(day.month)
        line = 2 + (date(day.year, day.month, 1).weekday() + day.day - 1) // 7
        wide, high = month.width() / 7, month.height() / _LINES
        return QRectF(month.left() + day.weekday() * wide, month.top() + line * high, wide, high)

    def day_at(self, place: QPointF) -> date | None:
        """The day that is painted at a place."""
        day = date(self._page.year, 1, 1)
        while day.year == self._page.year:
            if self.box_of(day).contains(place):
                return day
            day += timedelta(days=1)
        return None

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(820), self._theme.px(600))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(560), self._theme.px(440))

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for month in range(1, 13):
            self._paint_month(painter, month)
        painter.setFont(self._theme.font("label"))
        day = date(self._page.year, 1, 1)
        while day.year == self._page.year:
            self._paint_day(painter, day)
            day += timedelta(days=1)
        painter.end()

    def _month(self, month: int) -> QRectF:
        gap, edge = self._theme.px(_GAP), self._theme.px(_EDGE)
        wide = (self.width() - 2 * edge - (_ACROSS - 1) * gap) / _ACROSS
        high = (self.height() - 2 * edge - (_DOWN - 1) * gap) / _DOWN
        down, across = divmod(month - 1, _ACROSS)
        return QRectF(edge + across * (wide + gap), edge + down * (high + gap), wide, high)

    def _paint_month(self, painter: QPainter, month: int) -> None:
        theme, box = self._theme, self._month(month)
        high, wide = box.height() / _LINES, box.width() / 7
        painter.setFont(theme.font("body", bold=True))
        painter.setPen(theme.color("text1"))
        name = months()[month - 1]
        place = QRectF(box.left(), box.top(), box.width(), high)
        painter.drawText(place.adjusted(theme.px(6), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setFont(theme.font("axis"))
        painter.setPen(theme.color("text3"))
        for number, short in enumerate(weekdays()):
            place = QRectF(box.left() + number * wide, box.top() + high, wide, high)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, short)

    def _paint_day(self, painter: QPainter, day: date) -> None:
        theme, cell = self._theme, self.box_of(day)
        box = cell.adjusted(1.5, 1.5, -1.5, -1.5)
        named = self._page.days.get(day)
        worked = self._page.is_worked(day)
        paint_ground(painter, theme, box, named.kind if named else "", worked)
        painter.setPen(theme.color("text1" if worked else "text3"))
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, str(day.day))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        radius = theme.px(3)
        if day == self._today:
            painter.setPen(QPen(theme.color("text2"), 1))
            painter.drawRoundedRect(box, radius, radius)
        if day == self.current and self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), theme.px(2)))
            painter.drawRoundedRect(box, radius, radius)

    # Walking.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -7, Qt.Key.Key_Down: 7}
        if key in steps:
            self._walk(self.current + timedelta(days=steps[key]))
        elif key == Qt.Key.Key_Home:
            self._walk(date(self._page.year, 1, 1))
        elif key == Qt.Key.Key_End:
            self._walk(date(self._page.year, 12, 31))
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._pick()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        day = self.day_at(event.position())
        if day is not None and event.button() == Qt.MouseButton.LeftButton:
            self._walk(day)
            self._pick()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            day = self.day_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), tip(self.said(day)) if day else "", self)
            return True
        return super().event(event)

    def _walk(self, day: date) -> None:
        if day.year == self._page.year:
            self.current = day
            self._say()
            self.update()

    def _pick(self) -> None:
        if self._may_pick:
            self.picked.emit(self.current)

    def _say(self) -> None:
        # zh: {year}年日历
        self.setAccessibleName(_("Calendar of {year}").format(year=self._page.year))
        self.setAccessibleDescription(self.said(self.current))


class Legend(QWidget):
    """What the marks of the year mean."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(", ".join(words for _kind, _worked, words in _legend()))
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(400), self._theme.px(22))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("label"))
        left, high = float(theme.px(_EDGE)), theme.px(16)
        for kind, worked, words in _legend():
            box = QRectF(left, (self.height() - high) / 2, theme.px(22), high)
            paint_ground(painter, theme, box, kind, worked)
            painter.setPen(theme.color("text1" if worked else "text3"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "8")
            painter.setPen(theme.color("text2"))
            wide = painter.fontMetrics().horizontalAdvance(words)
            left = box.right() + theme.px(6)
            painter.drawText(QRectF(left, 0, wide + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, words)
            left += wide + theme.px(20)
        painter.end()


def paint_ground(painter: QPainter, theme: Theme, box: QRectF, kind: str, worked: bool) -> None:
    """The ground of a day: a tile when it is worked; a bar below a holiday, a corner on a swap day."""
    painter.setPen(Qt.PenStyle.NoPen)
    if worked:
        painter.setBrush(theme.color("pressed" if kind else "raised"))
        painter.drawRoundedRect(box, theme.px(3), theme.px(3))
    if kind == "holiday":
        bar = QRectF(0, 0, theme.px(12), theme.px(2))
        bar.moveCenter(QPointF(box.center().x(), box.bottom() - theme.px(1)))
        painter.setBrush(theme.color("chart_neutral"))
        painter.drawRect(bar)
    elif kind:
        side = theme.px(7)
        corner = box.topRight()
        painter.setBrush(theme.color("accent"))
        painter.drawPolygon([corner, corner + QPointF(-side, 0), corner + QPointF(0, side)])


def months() -> list[str]:
    """The months, short, in the language now in use."""
    # zh: 1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月
    return _("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec").split()


def weekdays() -> list[str]:
    """The weekdays from Monday, short, in the language now in use."""
    # zh: 一 二 三 四 五 六 日
    return _("Mo Tu We Th Fr Sa Su").split()


def _legend() -> list[tuple[str, bool, str]]:
    return [
        ("", True, _("Working day")),
        ("", False, _("Day off")),
        ("holiday", False, _("Holiday")),
        ("workday", True, _("Worked instead of another day")),
    ]
