"""The light marks (circle, triangle, diamond, hollow circle), drawn one way for table, legend and charts.

Four shapes because colour never speaks alone (LOOK 1, 2): they stay apart in grey and to every eye.
"""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPolygonF

from db.kernel.language import N_, _
from desktop.widgets.theme import Theme


class Light(IntEnum):
    """What a mark says; the numbers are those of the deadline light."""

    ON_TIME = 0
    SOON = 1
    OVER = 2
    NO_CLOCK = 3


TONES = {Light.ON_TIME: "on_time", Light.SOON: "soon", Light.OVER: "over", Light.NO_CLOCK: "no_clock"}

_WORDS = {
    Light.ON_TIME: N_("On time"),
    Light.SOON: N_("Due soon"),
    Light.OVER: N_("Overdue"),
    # zh: 未计时
    Light.NO_CLOCK: N_("Clock not running"),
}


def light_word(light: int) -> str:
    """The translated word for a light, for legends and screen readers."""
    return _(_WORDS[Light(light)])


def light_path(light: int, center: QPointF, size: float) -> QPainterPath:
    """The outline of a mark about `size` pixels wide around `center`; the shapes have about equal areas."""
    path = QPainterPath()
    radius = size / 2
    if light == Light.SOON:
        # Centre of mass, not of the box, so that triangles stand in line with the circles.
        height = radius * 1.75
        top, foot = center.y() - height * 0.6, center.y() + height * 0.4
        path.addPolygon(
            QPolygonF(
                [
                    QPointF(center.x(), top),
                    QPointF(center.x() + radius * 1.05, foot),
                    QPointF(center.x() - radius * 1.05, foot),
                ]
            )
        )
        path.closeSubpath()
    elif light == Light.OVER:
        reach = radius * 1.15
        path.addPolygon(
            QPolygonF(
                [
                    QPointF(center.x(), center.y() - reach),
                    QPointF(center.x() + reach, center.y()),
                    QPointF(center.x(), center.y() + reach),
                    QPointF(center.x() - reach, center.y()),
                ]
            )
        )
        path.closeSubpath()
    else:
        circle = radius * 0.88
        path.addEllipse(QRectF(center.x() - circle, center.y() - circle, circle * 2, circle * 2))
    return path


def paint_light(painter: QPainter, theme: Theme, light: int, center: QPointF, size: float) -> None:
    """Draw a mark about `size` pixels wide around `center`; restores nothing but pen and brush it sets."""
    color = theme.color(f"{TONES[Light(light)]}_fill")
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if light == Light.NO_CLOCK:
        width = max(1.0, size * 0.16)
        painter.setPen(QPen(color, width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(light_path(light, center, size - width))
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawPath(light_path(light, center, size))
