"""The bar at the top: whose room it is, menus, the quick filter, tools, who is on duty, and the clock."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenuBar, QWidget

from db.kernel.clock import Clock, to_ms
from db.kernel.language import _, language
from desktop.core.context import Context
from desktop.core.words import clock_time
from desktop.widgets.button import Button, IconButton
from desktop.widgets.form import CommandField
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

HEIGHT = 48
_TYPING_PAUSE_MS = 60


class TopBar(QWidget):
    """Emits ``searched`` a moment after the last key, so that the list follows the typing."""

    searched = Signal(str)

    def __init__(
        self,
        theme: Theme,
        context: Context,
        clock: Clock,
        menus: QMenuBar,
        tools: Sequence[tuple[QAction, str]],
        palette: QAction,
        parent: QWidget | None = None,
    ) -> None:
        """``tools`` are actions with their icons; ``palette`` opens the palette."""
        super().__init__(parent)
        self._theme = theme
        self._context = context
        self._clock = clock
        self._build(menus, tools, palette)
        self._wire()
        self._on_second()
        self._on_theme()

    def _build(self, menus: QMenuBar, tools: Sequence[tuple[QAction, str]], palette: QAction) -> None:
        # zh: 经纬
        self._brand = label(_("Jingwei"), "title", "text1", bold=True)
        # zh: {city}城市管理监督指挥中心
        city = _("{city} city management").format(city=self._context.city.label(language()))
        self._city = label(city, "label", "text3")
        menus.setNativeMenuBar(False)
        self.search = CommandField(self._theme, _("Filter by place, number, category or unit"), keys="Ctrl F")
        self.search.setMaxLength(100)
        who = self._context.who
        self._who = label(who.name, "body", "text2")
        self._time = label("00:00:00", "clock", "text1")
        row = self._row = QHBoxLayout(self)
        row.addWidget(self._brand)
        row.addWidget(self._city)
        row.addWidget(menus, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.search, 1)
        # One field filters what is seen, one key finds what can be done: two hands, two places, side by side.
        # zh: 命令
        self.commands = Button(self._theme, _("Commands"), keys="Ctrl K")
        self.commands.clicked.connect(palette.trigger)
        row.addWidget(self.commands)
        row.addStretch(1)
        self._buttons = []
        for action, icon in tools:
            button = IconButton(self._theme, icon, action.iconText())
            button.clicked.connect(action.trigger)
            action.changed.connect(lambda action=action, button=button: button.setEnabled(action.isEnabled()))
            button.setEnabled(action.isEnabled())
            self._buttons.append(button)
            row.addWidget(button)
        row.addWidget(self._who)
        row.addWidget(self._time)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_PAUSE_MS)
        self._second = QTimer(self)
        self._second.setInterval(250)

    def _wire(self) -> None:
        self.search.textEdited.connect(lambda _text: self._typing.start())
        self.search.returnPressed.connect(self._on_typed)
        self._typing.timeout.connect(self._on_typed)
        self._context.filter_changed.connect(self._on_filter)
        self._second.timeout.connect(self._on_second)
        self._second.start()
        self._theme.changed.connect(self._on_theme)

    def _on_typed(self) -> None:
        self._typing.stop()
        self.searched.emit(self.search.text())

    def _on_filter(self) -> None:
        if self.search.text().strip() != self._context.filter.text:
            self.search.setText(self._context.filter.text)

    def _on_second(self) -> None:
        time = clock_time(to_ms(self._clock.now()), self._context.zone, seconds=True)
        if time != self._time.text():
            self._time.setText(time)

    def _on_theme(self) -> None:
        px = self._theme.px
        self.setFixedHeight(px(HEIGHT))
        self._row.setContentsMargins(px(16), 0, px(16), 0)
        self._row.setSpacing(px(8))
        self.search.setMinimumWidth(px(200))
        self.search.setMaximumWidth(px(430))
        # Figures of one width: the clock never moves its neighbours.
        self._time.setMinimumWidth(self._time.fontMetrics().horizontalAdvance("00:00:00") + px(4))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        # On a small screen the bureau's name gives way; the window's title has it too.
        self._city.setVisible(self.width() >= self._theme.px(1500))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("pane"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._theme.color("line"))
        painter.end()
