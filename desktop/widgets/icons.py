"""Line icons from resources/icons, coloured by a token and drawn sharp for the screen they are on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop.widgets.theme import Theme

# Device pixel ratios an icon is prepared for; Qt takes the next larger one for those between.
_RATIOS = (1.0, 2.0)


@cache
def _source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def names(theme: Theme) -> list[str]:
    """The names of all icons there are."""
    return sorted(path.stem for path in (theme.resources / "icons").glob("*.svg"))


def pixmap(theme: Theme, name: str, tone: str = "text2", size: int = 16, ratio: float = 1.0) -> QPixmap:
    """One icon `size` pixels (at 100 %) square in the colour of `tone`, for a device pixel ratio."""
    svg = _source(theme.resources / "icons" / f"{name}.svg").replace("currentColor", theme.css(tone))
    side = theme.px(size)
    image = QPixmap(QSize(round(side * ratio), round(side * ratio)))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, image.width(), image.height()))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def icon(theme: Theme, name: str, tone: str = "text2", size: int = 16) -> QIcon:
    """An icon that is brighter under the pointer, blue when on, faint when it cannot be used."""
    made = QIcon()
    for ratio in _RATIOS:
        for mode, state, shade in (
            (QIcon.Mode.Normal, QIcon.State.Off, tone),
            (QIcon.Mode.Active, QIcon.State.Off, "text1" if tone == "text2" else tone),
            (QIcon.Mode.Disabled, QIcon.State.Off, "text3"),
            (QIcon.Mode.Normal, QIcon.State.On, "accent"),
        ):
            made.addPixmap(pixmap(theme, name, shade, size, ratio), mode, state)
    return made
