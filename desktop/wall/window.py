"""The big screen: the room without hands, its letters sized for the viewing distance."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QScreen,
)
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from db.kernel.clock import Clock, to_ms
from db.kernel.language import _, language
from desktop.core.context import Context, Freshness
from desktop.core.line import PARTS, Mark, data_ms, told_of
from desktop.core.words import clock_time
from desktop.widgets.notice import Banner
from desktop.widgets.pane import Pane
from desktop.widgets.plain import label, set_tone
from desktop.widgets.theme import Theme

LETTER_SHARE = 1 / 200
"""A letter's height as a share of the viewing distance (DOMAIN 4.3; NUREG-0700: 16 minutes of arc)."""
LETTER_OF_BODY = 13 * 0.9
"""Height of a Chinese character of body text at 100 %, in pixels."""
LARGEST = 6.0
_WIDE, _MIDDLE, _NARROWEST = 1460, 620, 640
"""Widths in pixels at 100 %: from which three panes, or two, still say something, and the least there is."""


def wall_scale(screen_mm: float, screen_px: int, distance_m: float) -> float:
    """The scale at which body text is 1/200 of the distance high; lengths of one side of the screen."""
    if screen_mm <= 0 or screen_px <= 0:
        return 1.0
    pixels = distance_m * 1000 * LETTER_SHARE * screen_px / screen_mm
    # A desk screen seen from six metres cannot have such letters: they are as large as it has room for.
    return max(1.0, min(pixels / LETTER_OF_BODY, screen_px / _NARROWEST, LARGEST))


class WallWindow(QWidget):
    """Lays the same panes out for eyes only: nothing on it takes the mouse, and Esc leaves it."""

    closed = Signal()

    def __init__(
        self,
        theme: Theme,
        context: Context,
        clock: Clock,
        panes: Mapping[str, Pane],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._theme = theme
        self._context = context
        self._clock = clock
        self.panes = dict(panes)
        self._build()
        self._wire()
        self._on_second()
        self._on_age()

    def _build(self) -> None:
        theme = self._theme
        self.setWindowTitle(_("Jingwei · wall"))
        self.setCursor(Qt.CursorShape.BlankCursor)
        city = _("{city} city management").format(city=self._context.city.label(language()))
        self._city = label(city, "title", "text1", bold=True)
        self._age = label("", "body", "text2")
        self._line = label("", "body", "text2")
        self._time = label("", "clock", "text1")
        head = QHBoxLayout()
        head.setContentsMargins(theme.px(16), theme.px(8), theme.px(16), theme.px(8))
        head.setSpacing(theme.px(16))
        head.addWidget(self._city)
        head.addStretch(1)
        head.addWidget(self._line)
        head.addWidget(self._age)
        head.addWidget(self._time)
        self._banner = Banner(theme)
        self._body = QWidget()
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(theme.px(8), 0, theme.px(8), theme.px(8))
        self._grid.setSpacing(theme.px(8))
        for pane in self.panes.values():
            pane.hide_tools()
            pane.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            for widget in (pane, *pane.findChildren(QWidget)):
                # Nobody walks here with the keyboard, so no ring is drawn round anything.
                widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._banner)
        column.addWidget(self._body, 1)

    def _wire(self) -> None:
        self._second = QTimer(self)
        self._second.setInterval(250)
        self._second.timeout.connect(self._on_second)
        self._second.start()
        self._context.age_changed.connect(self._on_age)
        self._context.standing_changed.connect(self._on_age)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        # A monitor that was switched off and on again comes back as a new one.
        app.screenAdded.connect(self._on_screens)
        app.screenRemoved.connect(self._on_screens)
        app.primaryScreenChanged.connect(self._on_screens)

    def _lay_out(self) -> None:
        """Fewer panes rather than smaller type."""
        room = self.width() / self._theme.scale
        if room >= _WIDE:
            shown, stretch = ("map", "queue", "kpi"), (40, 34, 26)
        elif room >= _MIDDLE:
            shown, stretch = ("map", "kpi"), (58, 42)
        else:
            shown, stretch = ("kpi",), (100,)
        for key, pane in self.panes.items():
            pane.setVisible(key in shown)
        for place, key in enumerate(self.panes):
            self._grid.addWidget(self.panes[key], 0, place)
            self._grid.setColumnStretch(place, stretch[shown.index(key)] if key in shown else 0)

    def _on_screens(self, _screen: QScreen | None = None) -> None:
        if self.isFullScreen():
            screen = self.screen() or QGuiApplication.primaryScreen()
            if screen is not None:
                self.setGeometry(screen.geometry())
                self.showFullScreen()

    def _on_second(self) -> None:
        self._time.setText(clock_time(to_ms(self._clock.now()), self._context.zone, seconds=True))

    def _on_age(self) -> None:
        age = self._context.age
        time = clock_time(data_ms(age.at_ms, self._context.standing), self._context.zone, seconds=True)
        self._say_line()
        self._age.setText("" if age.state is Freshness.LOADING else _("data of {time}").format(time=time))
        set_tone(self._age, {Freshness.STALE: "soon", Freshness.LOST: "over"}.get(age.state, "text2"))
        if age.state is Freshness.LOST:
            self._banner.set(_("Database lost, trying again. Data of {time}.").format(time=time), "over")
        else:
            self._banner.set("")

    def _say_line(self) -> None:
        """What is not as it should be with the server, as words: from six metres no small mark is seen."""
        standing = self._context.standing
        if standing is None:
            return
        told = told_of(standing, to_ms(self._clock.now()), self._context.zone)
        shown = [told[key] for key in PARTS if told[key].words and told[key].mark is not Mark.GOOD]
        self._line.setText(" · ".join(each.words for each in shown))
        set_tone(self._line, shown[0].tone if shown else "text2")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Q):
            self.close()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("ground"))
        painter.end()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()
