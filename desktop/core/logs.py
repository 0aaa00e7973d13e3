"""The program's log: a rotating file beside the data, standard error when asked; Qt's own words too."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def start(folder: Path | None, *, verbose: bool) -> None:
    """Begin to log; a folder that cannot be written is no reason not to start."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    if verbose:
        stream = logging.StreamHandler()
        stream.setFormatter(logging.Formatter(_FORMAT))
        root.addHandler(stream)
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = RotatingFileHandler(
                folder / "jingwei.log", maxBytes=2_000_000, backupCount=3, encoding="utf-8"
            )
        except OSError as error:
            root.warning("no log file: %s", error)
        else:
            file.setFormatter(logging.Formatter(_FORMAT))
            root.addHandler(file)
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    qInstallMessageHandler(_from_qt)


def _from_qt(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    logging.getLogger("qt").log(_LEVELS.get(kind, logging.WARNING), "%s", message)
