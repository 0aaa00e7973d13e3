"""A clock's life as one strip: when it ran, when it stood still and why, where it was due, what happened.

Knows nothing of cases: it is given stretches and marks with their words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from db.kernel.clock import to_ms
from db.kernel.language import _
from desktop.core import words
from desktop.widgets.marks import Light, light_path
from desktop.widgets.plain import tip
from desktop.widgets.roles import speak_as
from desktop.widgets.theme import Theme

RUNNING, PAUSED = "running", "paused"
SOON, OVER = "soon", "over"
_LIGHTS = {SOON: Light.SOON, OVER: Light.OVER}
_LABELS, _BAR, _MARKS, _DAYS = 18, 14, 18, 15
_EDGE, _NEAR, _SHAPE = 8, 5, 9
_HOURS = (1, 2, 3, 6, 12, 24, 48, 168, 336, 672, 2184, 4368, 8736)
"""Hours between two ticks; the first step at which their words do not touch is taken."""
_DAY_HOURS = 24
_LEAST_LIFE = 0.3
"""The share of the width that what has been keeps when it will be due only long after."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which the clock ran or was paused; the words say why and by whom."""

    begins_ms: int
    ends_ms: int
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment. Tone "soon" or "over": from there on running is amber or red. Else a stage, named above."""

    at_ms: int
    words: str
    tone: str = ""


class ClockStrip(QWidget):
    """The strip. Pointer, arrow keys and screen reader get the words of each stretch and mark."""

    def __init__(self, theme: Theme, zone: ZoneInfo, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Chart)
        self._theme = theme
        self._zone = zone
        self._title = title
        self._segments: list[Segment] = []
        self._marks: list[Mark] = []
        self._items: list[Segment | Mark] = []
        self._begins = self._ends = self._right = 0
        self._current = -1
        self._build()
        self._wire()

    def set_life(
        self, begins_ms: int, ends_ms: int, segments: Sequence[Segment], marks: Sequence[Mark] = ()
    ) -> None:
        """Show a life from its beginning to now or its end; marks may lie after that."""
        # A life that is being watched grows: whoever walks it with the arrow keys stays where he is.
        at = self._items[self._current] if 0 <= self._current < len(self._items) else None
        self._segments = sorted(segments, key=lambda one: one.begins_ms)
        self._marks = sorted(marks, key=lambda one: one.at_ms)
        self._begins, self._ends = begins_ms, max(ends_ms, begins_ms)
        last = max([self._ends, *(mark.at_ms for mark in self._marks)])
        lived = max(self._ends - self._begins, 1)
        self._right = min(last, self._begins + round(lived / _LEAST_LIFE))
        self._items = sorted([*self._segments, *self._marks], key=_moment)
        self._current = next((i for i, item in enumerate(self._items) if _same(item, at)), -1)
        self._say()
        self.update()

    def said(self, item: Segment | Mark) -> str:
        """A stretch or mark in a sentence: words, times, length."""
        if isinstance(item, Mark):
            return f"{item.words} · {self._time(item.at_ms)}"
        times = f"{self._time(item.begins_ms)} – {self._time(item.ends_ms)}"
        return f"{item.words}\n{times} · {words.span(item.ends_ms - item.begins_ms)}"

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(480), self._theme.px(_LABELS + _BAR + _MARKS + _DAYS))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_track(painter)
        for segment in self._segments:
            self._paint_segment(painter, segment)
        if self._segments or self._marks:
            self._paint_days(painter)
        self._paint_stages(painter)
        self._paint_lights(painter)
        if self.hasFocus():
            self._paint_focus(painter)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Home: -len(self._items),
            Qt.Key.Key_End: len(self._items),
        }.get(Qt.Key(event.key()))
        if step is None or not self._items:
            super().keyPressEvent(event)
            return
        self._current = min(max(self._current + step, 0), len(self._items) - 1)
        self._say()
        self.update()
        item = self._items[self._current]
        place = QPointF(self._x(_moment(item)), self._bar().bottom())
        QToolTip.showText(self.mapToGlobal(place.toPoint()), tip(self.said(item)), self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._current = -1
        self._say()
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = self._at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), tip("\n".join(self.said(item) for item in found)), self)
            return True
        return super().event(event)

    def _build(self) -> None:
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self._title)

    def _wire(self) -> None:
        self._theme.changed.connect(self._on_theme_changed)

    def _bar(self) -> QRectF:
        theme = self._theme
        edge = theme.px(_EDGE)
        return QRectF(edge, theme.px(_LABELS), max(1, self.width() - 2 * edge), theme.px(_BAR))

    def _x(self, moment_ms: int) -> float:
        """Where a moment lies; what comes after the strip's end lies on it."""
        bar = self._bar()
        whole = max(1, self._right - self._begins)
        return bar.left() + bar.width() * min(1.0, max(0.0, (moment_ms - self._begins) / whole))

    def _box(self, begins_ms: int, ends_ms: int) -> QRectF:
        """A part of the bar; a short one stays visible."""
        bar = self._bar()
        left, right = self._x(begins_ms), self._x(ends_ms)
        left = min(left, bar.right() - self._theme.px(2))
        return QRectF(left, bar.top(), max(right - left, self._theme.px(2)), bar.height())

    def _at(self, place: QPointF) -> list[Segment | Mark]:
        """The marks near a place, else the stretch under it."""
        near = self._theme.px(_NEAR)
        marks: list[Segment | Mark] = [
            mark for mark in self._marks if abs(self._x(mark.at_ms) - place.x()) <= near
        ]
        under: list[Segment | Mark] = [
            one for one in self._segments if self._box(one.begins_ms, one.ends_ms).contains(place)
        ]
        return [*marks, *under]

    def _paint_track(self, painter: QPainter) -> None:
        theme, bar = self._theme, self._bar()
        middle = bar.center().y()
        now = self._x(self._ends)
        painter.setPen(QPen(theme.color("line"), theme.px(2)))
        painter.drawLine(QPointF(bar.left(), middle), QPointF(now, middle))
        if now < bar.right():
            ahead = QPen(theme.color("line"), theme.px(2), Qt.PenStyle.DotLine)
            painter.setPen(ahead)
            painter.drawLine(QPointF(now, middle), QPointF(bar.right(), middle))

    def _paint_segment(self, painter: QPainter, segment: Segment) -> None:
        theme = self._theme
        if segment.kind == PAUSED:
            box = self._box(segment.begins_ms, segment.ends_ms).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.fillRect(box, theme.color("raised"))
            self._paint_hatch(painter, box)
            painter.setPen(QPen(theme.color("chart_neutral"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box)
            return
        edges = [(segment.begins_ms, "chart_neutral")]
        for tone, token in ((SOON, "soon_fill"), (OVER, "over_fill")):
            since = self._since(tone)
            if since is not None and since < segment.ends_ms:
                edges.append((max(since, segment.begins_ms), token))
        for place, (begins, token) in enumerate(edges):
            ends = edges[place + 1][0] if place + 1 < len(edges) else segment.ends_ms
            if begins < ends or (len(edges) == 1 and begins == ends):
                painter.fillRect(self._box(begins, ends), theme.color(token))

    def _paint_hatch(self, painter: QPainter, box: QRectF) -> None:
        """Slanted lines of our own: a brush pattern has the same pixels at every scale."""
        theme = self._theme
        painter.save()
        painter.setClipRect(box)
        painter.setPen(QPen(theme.color("chart_neutral"), max(1.0, theme.scale)))
        x = box.left() - box.height()
        while x < box.right():
            painter.drawLine(QPointF(x, box.bottom()), QPointF(x + box.height(), box.top()))
            x += theme.px(6)
        painter.restore()

    def _paint_days(self, painter: QPainter) -> None:
        """Ticks at midnights, or at hours of a short life: as many as have room for their words."""
        theme = self._theme
        painter.setFont(theme.font("axis"))
        metrics = QFontMetricsF(painter.font())
        widest = metrics.horizontalAdvance("0000-00-00") + theme.px(12)
        bar = self._bar()
        ticks = self._ticks(bar.width() / widest)
        top = self.height() - theme.px(_DAYS)
        free, last = 0.0, None
        for moment in ticks:
            x = self._x(to_ms(moment))
            painter.setPen(QPen(theme.color("text3"), 1))
            painter.drawLine(QPointF(x, bar.bottom() + theme.px(1)), QPointF(x, bar.bottom() + theme.px(4)))
            said = _tick_words(moment, last)
            width = metrics.horizontalAdvance(said)
            left = min(max(x - width / 2, bar.left()), bar.right() - width)
            if left < free:
                continue
            place = QRectF(left, top, width + 1, theme.px(_DAYS))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, said)
            free, last = left + width + theme.px(8), moment

    def _ticks(self, most: float) -> list[datetime]:
        """Local moments on whole hours or midnights, about ``most`` of them at the utmost."""
        first, last = (words.local(at, self._zone) for at in (self._begins, self._right))
        hours = (last - first) / timedelta(hours=1)
        step = next((step for step in _HOURS if hours / step <= most), _HOURS[-1])
        day = datetime.combine(first.date(), time(), self._zone)
        # Steps of days begin with the first whole day, so that a week's ticks do not lie before the strip.
        at = day if step < _DAY_HOURS else day + timedelta(days=1)
        found = []
        while at <= last:
            if at >= first:
                found.append(at)
            at += timedelta(hours=step)
        return found

    def _paint_stages(self, painter: QPainter) -> None:
        """A tick for each stage; its name where there is room until the next name."""
        theme, bar = self._theme, self._bar()
        painter.setFont(theme.font("axis"))
        metrics = QFontMetricsF(painter.font())
        free = 0.0
        for mark in self._marks:
            if mark.tone in _LIGHTS:
                continue
            x = self._x(mark.at_ms)
            painter.setPen(QPen(theme.color("text2"), max(1.0, theme.scale)))
            painter.drawLine(QPointF(x, bar.top() - theme.px(4)), QPointF(x, bar.bottom()))
            width = metrics.horizontalAdvance(mark.words)
            left = min(max(x - theme.px(2), bar.left()), self.width() - width - theme.px(2))
            if left < free:
                continue
            place = QRectF(left, 0, width + 1, theme.px(_LABELS - 4))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, mark.words)
            free = left + width + theme.px(8)

    def _paint_lights(self, painter: QPainter) -> None:
        """Amber triangle and red diamond under the bar, with words and time where they have room."""
        theme, bar = self._theme, self._bar()
        painter.setFont(theme.font("axis"))
        metrics = QFontMetricsF(painter.font())
        middle = bar.bottom() + theme.px(_MARKS) / 2 + theme.px(2)
        lights = [mark for mark in self._marks if mark.tone in _LIGHTS]
        # What lies after the strip stands on its end; there the due mark stands for both.
        if all(mark.at_ms > self._right for mark in lights):
            lights = [mark for mark in lights if mark.tone == OVER] or lights
        taken = [self._shape_room(mark) for mark in lights]
        for mark in lights:
            x, token = self._x(mark.at_ms), f"{mark.tone}_fill"
            painter.setPen(QPen(theme.color(token), max(1.0, 1.5 * theme.scale)))
            painter.drawLine(QPointF(x, bar.top() - theme.px(2)), QPointF(x, bar.bottom() + theme.px(4)))
            shape = light_path(_LIGHTS[mark.tone], QPointF(x, middle), theme.px(_SHAPE))
            painter.fillPath(shape, theme.color(token))
        # When something is due matters most: its words get the room first.
        for mark in sorted(lights, key=lambda one: one.tone != OVER):
            x = self._x(mark.at_ms)
            beyond = "→ " if mark.at_ms > self._right else ""
            for said in (f"{beyond}{mark.words} {self._time(mark.at_ms)}", f"{beyond}{mark.words}"):
                box = self._word_room(metrics.horizontalAdvance(said), x, middle, taken)
                if box is not None:
                    painter.setPen(theme.tone(mark.tone))
                    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, said)
                    taken.append((box.left(), box.right()))
                    break

    def _shape_room(self, mark: Mark) -> tuple[float, float]:
        x, reach = self._x(mark.at_ms), self._theme.px(_SHAPE) / 2 + 1
        return x - reach, x + reach

    def _word_room(
        self, width: float, x: float, middle: float, taken: list[tuple[float, float]]
    ) -> QRectF | None:
        """Beside the mark, right or left of it, where nothing else is."""
        gap, height = self._theme.px(_SHAPE) / 2 + self._theme.px(4), self._theme.px(_MARKS)
        for left in (x + gap, x - gap - width):
            right = left + width + 1
            free = all(right + 2 <= other[0] or other[1] + 2 <= left for other in taken)
            if free and left >= 0 and right <= self.width():
                return QRectF(left, middle - height / 2, width + 1, height)
        return None

    def _paint_focus(self, painter: QPainter) -> None:
        theme = self._theme
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("focus"), max(1.0, 1.5 * theme.scale)))
        if self._current < 0:
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), theme.px(4), theme.px(4))
            return
        item = self._items[self._current]
        if isinstance(item, Segment):
            box = self._box(item.begins_ms, item.ends_ms)
        else:
            x = self._x(item.at_ms)
            bar = self._bar()
            box = QRectF(x - theme.px(3), bar.top() - theme.px(2), theme.px(6), bar.height() + theme.px(4))
        painter.drawRoundedRect(box.adjusted(-2, -2, 2, 2), theme.px(2), theme.px(2))

    def _since(self, tone: str) -> int | None:
        return next((mark.at_ms for mark in self._marks if mark.tone == tone), None)

    def _say(self) -> None:
        """Let a screen reader tell where the arrow keys stand, or else the whole life."""
        if 0 <= self._current < len(self._items):
            said = self.said(self._items[self._current]).replace("\n", " · ")
        else:
            said = "; ".join(self.said(item).replace("\n", " · ") for item in self._items) or _("No data")
        self.setAccessibleDescription(said)

    def _time(self, moment_ms: int) -> str:
        return words.day_and_time(moment_ms, self._zone)

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()


def _tick_words(moment: datetime, last: datetime | None) -> str:
    """As little of date and time as tells a tick from the one named before it."""
    if moment.time() != time():
        first = last is None or last.date() != moment.date()
        return f"{moment:%m-%d %H:%M}" if first else f"{moment:%H:%M}"
    return f"{moment:%Y-%m-%d}" if last is None or last.year != moment.year else f"{moment:%m-%d}"


def _moment(item: Segment | Mark) -> int:
    return item.at_ms if isinstance(item, Mark) else item.begins_ms


def _same(item: Segment | Mark, other: Segment | Mark | None) -> bool:
    """Whether it is the same thing as before, though it may have grown."""
    return (
        other is not None
        and type(item) is type(other)
        and (_moment(item), item.words) == (_moment(other), other.words)
    )
