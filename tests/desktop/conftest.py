"""One QApplication off screen for all desktop tests; a stray Qt warning or window fails a test."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")

import pytest
import shiboken6
from PySide6.QtCore import (
    QCoreApplication,
    QElapsedTimer,
    QEvent,
    QEventLoop,
    QMessageLogContext,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtWidgets import QApplication, QWidget

# What Qt says about this platform and not about us.
_HARMLESS = (
    "This plugin does not support",
    "QStandardPaths",
    "propagateSizeHints",
    "Release of profile requested",  # WORKAROUND QTBUG-128345: the profile outlives the page it served
    "libva",
    "vulkan",
    "Vulkan",
    "GPUInfo",
    "GBM",
    "Failed to create",
)


@pytest.fixture(scope="session")
def application() -> QApplication:
    """The one QApplication of the test run, dressed like the program's."""
    existing = QApplication.instance()
    made = existing if isinstance(existing, QApplication) else QApplication(["jingwei-tests"])
    made.setStyle("Fusion")
    return made


@pytest.fixture(autouse=True)
def nothing_stray(application: QApplication, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail when Qt warned, or when a window or a running timer outlives its test.

    A test that expects a warning is marked `@pytest.mark.expects_qt_warning`.
    """
    said: list[str] = []

    def note(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        serious = kind in (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)
        if serious and not any(part in text for part in _HARMLESS):
            said.append(text)

    before = {_place(widget) for widget in application.topLevelWidgets()}
    previous = qInstallMessageHandler(note)
    yield
    gc.collect()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qInstallMessageHandler(previous)
    left = [widget for widget in application.topLevelWidgets() if _place(widget) not in before]
    windows = [widget for widget in left if widget.isVisible()]
    timers = [timer for widget in windows for timer in widget.findChildren(QTimer) if timer.isActive()]
    for widget in left:
        widget.close()
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    if request.node.get_closest_marker("expects_qt_warning") is None:
        assert not said, f"Qt warned: {said}"
    assert not windows, f"windows left open: {windows}"
    assert not timers, f"timers left running: {timers}"


def _place(widget: QWidget) -> int:
    # Of Qt's object, not of its Python wrapper: a menu of a window that stays gets a new one each time.
    place: int = shiboken6.getCppPointer(widget)[0]
    return place


@pytest.fixture
def shown(application: QApplication) -> Iterator[Callable[..., QWidget]]:
    """Show a widget at a size, laid out and painted; it is closed when the test ends."""
    opened: list[QWidget] = []

    def show(widget: QWidget, width: int = 0, height: int = 0) -> QWidget:
        if width:
            widget.resize(width, height)
        widget.show()
        widget.grab()
        opened.append(widget)
        return widget

    yield show
    for widget in opened:
        widget.close()
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def until(application: QApplication) -> Callable[..., None]:
    """Run the event loop until a claim comes true; fail at the deadline (milliseconds), which only what never
    comes true runs into: the machine may have other work.
    """

    def wait(claim: Callable[[], bool], deadline: int = 60_000) -> None:
        clock = QElapsedTimer()
        clock.start()
        loop = QEventLoop()
        beat = QTimer()
        beat.setInterval(5)
        beat.timeout.connect(lambda: loop.quit() if claim() or clock.hasExpired(deadline) else None)
        if claim():
            return
        beat.start()
        loop.exec()
        beat.stop()
        assert claim(), f"still not true after {deadline} ms"

    return wait
