"""The room: three panes side by side under one strip of filters, each able to fill the room or to float."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from desktop.core.preferences import Preferences
from desktop.widgets.pane import Pane
from desktop.widgets.theme import Theme

_SHARES = {"map": 41, "queue": 37, "kpi": 22}
"""How the width is shared out before anybody has moved a splitter, in hundredths."""
_BESIDE = {"board": 430}
"""Panes that stand in the room only when they are called, and their width in pixels at 100 %."""
_GIVES_WAY = {"map": 220, "kpi": 250, "queue": 380}
"""Who makes room for them, in this order, down to which width."""
_LAYOUT = "room/panes"


class Room(QWidget):
    """Lays panes out by id, left to right; knows none of them by name but for the first shares."""

    def __init__(
        self,
        theme: Theme,
        strip: QWidget,
        panes: Mapping[str, Pane],
        preferences: Preferences,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._preferences = preferences
        self._strip = strip
        self.panes = dict(panes)
        self._away = {key for key in self.panes if key in _BESIDE}
        self._sizes_before: list[int] = []
        self._build()
        self._wire()

    def _build(self) -> None:
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        for key, pane in self.panes.items():
            pane.setObjectName(key)
            self.splitter.addWidget(pane)
            if key in self._away:
                pane.hide()
        column = QVBoxLayout(self)
        column.setSpacing(0)
        column.addWidget(self._strip)
        column.addWidget(self.splitter, 1)
        self._column = column
        self._on_theme()
        kept = self._preferences.layout(_LAYOUT)
        self._is_laid_out = not kept.isEmpty() and self.splitter.restoreState(kept)

    def _wire(self) -> None:
        self._theme.changed.connect(self._on_theme)
        self.splitter.splitterMoved.connect(lambda: self._keep.start())
        self._keep = QTimer(self)
        self._keep.setSingleShot(True)
        self._keep.setInterval(400)
        self._keep.timeout.connect(lambda: self._preferences.keep_layout(_LAYOUT, self.splitter.saveState()))
        for key, pane in self.panes.items():
            pane.maximized.connect(lambda on, key=key: self.fill(key if on else ""))
            pane.floated.connect(lambda on, key=key: self._on_floated(key, on))

    def fill(self, key: str) -> None:
        """Let one pane fill the room; "" brings all of them back. One that floats comes back for it."""
        if key:
            self.panes[key].dock_back()
        focus = self.window().focusWidget()
        hides = key and focus is not None and self.isAncestorOf(focus)
        for name, pane in self.panes.items():
            pane.set_maximized(name == key)
        self._show_docked()
        if hides and not self.panes[key].isAncestorOf(focus):
            # Else Qt would give it to whatever comes next in the window: a button, which Space then presses.
            self.panes[key].take_focus()

    def filled(self) -> str:
        """The pane that fills the room, or "" ."""
        return next((key for key, pane in self.panes.items() if pane.is_maximized()), "")

    def is_called(self, key: str) -> bool:
        """Whether a pane that comes and goes is there."""
        return key not in self._away

    def call(self, key: str, on: bool) -> None:
        """Let a pane that comes and goes stand beside the others, or send it away; they get their room."""
        if on == self.is_called(key):
            return
        pane = self.panes[key]
        if on:
            self._away.discard(key)
            self._sizes_before = self.splitter.sizes()
            self._show_docked()
            self._make_way(key)
        else:
            pane.dock_back()
            if self.filled() == key:
                self.fill("")
            self._away.add(key)
            self._show_docked()
            if self._sizes_before:
                self.splitter.setSizes(self._sizes_before)

    def _make_way(self, key: str) -> None:
        keys = list(self.panes)
        sizes = dict(zip(keys, self._sizes_before, strict=True))
        missing = sizes[key] = self._theme.px(_BESIDE[key])
        for other, least in _GIVES_WAY.items():
            given = min(missing, max(0, sizes.get(other, 0) - self._theme.px(least)))
            if given:
                sizes[other] -= given
                missing -= given
        self.splitter.setSizes([sizes[each] for each in keys])

    def widen(self, key: str, by: int) -> None:
        """Move the dividers so that a pane is ``by`` pixels wider, below 0 narrower, as far as they go."""
        sizes = self.splitter.sizes()
        place = list(self.panes).index(key)
        others = [other for other, size in enumerate(sizes) if size and other != place]
        if not sizes[place] or not others:
            return
        # The neighbour at the right gives way; of the last pane the one at the left.
        neighbour = next((other for other in others if other > place), others[-1])
        sizes[place] += by
        sizes[neighbour] -= by
        self.splitter.setSizes(sizes)
        self._keep.start()

    def reset(self) -> None:
        """Everything back to its first place."""
        for key in _BESIDE:
            if key in self.panes:
                self.call(key, False)
        for pane in self.panes.values():
            pane.dock_back()
        self.fill("")
        self._share_out()
        self._preferences.keep_layout(_LAYOUT, self.splitter.saveState())

    def _on_floated(self, key: str, on: bool) -> None:
        # What leaves the room can no longer fill it.
        if on and self.filled() == key:
            self.fill("")
        self._show_docked()

    def _show_docked(self) -> None:
        """A pane in a window of its own leaves its place to the others."""
        filled = self.filled()
        for key, pane in self.panes.items():
            pane.setVisible(not pane.is_floating() and filled in ("", key) and key not in self._away)

    def _share_out(self) -> None:
        width = max(self.splitter.width(), 1)
        self.splitter.setSizes([width * _SHARES.get(key, 0) // 100 for key in self.panes])

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        if not self._is_laid_out:
            self._is_laid_out = True
            self._share_out()

    def _on_theme(self) -> None:
        px = self._theme.px
        self._column.setContentsMargins(px(8), 0, px(8), px(8))
        self.splitter.setHandleWidth(px(8))
