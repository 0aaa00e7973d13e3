"""The first start: no database yet; the person chooses between the demo city and an empty room."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from db.kernel.language import _
from db.kernel.refusal import Trouble
from desktop.core.jobs import Jobs
from desktop.widgets.button import Button
from desktop.widgets.plain import label
from desktop.widgets.progress import Progress
from desktop.widgets.theme import Theme

Watcher = Callable[[int, int, str], bool]


class FirstStartPage(QWidget):
    """Offers two beginnings, and a server; ``made`` says that a database is there now."""

    made = Signal()
    server_wanted = Signal()
    """No database of this computer's own: a server's."""
    _went_on = Signal(int, int, str)

    def __init__(
        self,
        theme: Theme,
        jobs: Jobs,
        make_demo: Callable[[Watcher], object],
        make_empty: Callable[[], object],
        place: str,
        parent: QWidget | None = None,
    ) -> None:
        """Both makers run off the GUI thread and may raise ``Trouble``; ``place``: where the file will be."""
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._make_demo = make_demo
        self._make_empty = make_empty
        self._stop = threading.Event()
        self._build(place)
        self._wire()

    def _build(self, place: str) -> None:
        theme = self._theme
        self.setWindowTitle(_("Jingwei"))
        self.demo = Button(theme, _("Make the demo city"), kind="primary")
        self.empty = Button(theme, _("Begin with an empty room"))
        # zh: 联网协同…
        self.server = Button(theme, _("Work at a server…"), kind="quiet", icon_name="server")
        self._said = label("", "body", "over")
        self._said.setWordWrap(True)
        self.progress = Progress(theme)
        self.progress.hide()
        where = label(_("It will be kept in {place}").format(place=place), "label", "text3")
        where.setWordWrap(True)
        column = QVBoxLayout()
        column.setSpacing(theme.px(10))
        column.addStretch(2)
        column.addWidget(label(_("Jingwei"), "figure", "text1", bold=True))
        words = label(
            _(
                "There is no database on this computer yet. An invented city shows you the room at once;"
                " an empty room waits for your cases."
            ),
            "body",
            "text2",
        )
        words.setWordWrap(True)
        column.addWidget(words)
        column.addSpacing(theme.px(8))
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.px(8))
        buttons.addWidget(self.demo)
        buttons.addWidget(self.empty)
        buttons.addWidget(self.server)
        buttons.addStretch(1)
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addWidget(self._said)
        column.addWidget(where)
        column.addStretch(3)
        inside = QWidget()
        inside.setLayout(column)
        inside.setFixedWidth(theme.px(460))
        row = QHBoxLayout(self)
        row.addStretch(1)
        row.addWidget(inside)
        row.addStretch(1)

    def _wire(self) -> None:
        self.demo.clicked.connect(lambda: self._jobs.start(self._run_demo()))
        self.empty.clicked.connect(lambda: self._jobs.start(self._run_empty()))
        self.server.clicked.connect(self.server_wanted)
        self.progress.cancelled.connect(self._stop.set)
        # Progress comes from the writer's thread; the signal brings it over.
        self._went_on.connect(self.progress.set, Qt.ConnectionType.QueuedConnection)

    def _watch(self, done: int, total: int, words: str) -> bool:
        self._went_on.emit(done, total, _(words))
        return not self._stop.is_set()

    async def _run_demo(self) -> None:
        self._stop.clear()
        self.progress.restart()
        self.progress.show()
        await self._run(lambda: self._make_demo(self._watch))
        self.progress.hide()

    async def _run_empty(self) -> None:
        await self._run(self._make_empty)

    async def _run(self, make: Callable[[], object]) -> None:
        self._said.setText("")
        for button in (self.demo, self.empty):
            button.setEnabled(False)
        try:
            await self._jobs.write(make)
        except Trouble as trouble:
            self._said.setText(trouble.text())
            return
        finally:
            for button in (self.demo, self.empty):
                button.setEnabled(True)
        self.made.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.progress.cancel()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._stop.set()
        super().closeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("ground"))
        painter.end()
