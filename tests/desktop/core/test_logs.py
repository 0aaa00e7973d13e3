"""The log is a file beside the data; a folder that cannot be written keeps nobody from starting."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import qInstallMessageHandler, qWarning

from desktop.core import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    previous = qInstallMessageHandler(None)
    qInstallMessageHandler(previous)
    yield
    for handler in list(root.handlers):
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    root.setLevel(level)
    qInstallMessageHandler(previous)


@pytest.mark.expects_log("said Qt")
def test_our_words_and_those_of_qt_go_to_one_file(tmp_path: Path, application: object) -> None:
    logs.start(tmp_path / "log", verbose=False)
    logging.getLogger("ours").info("井盖")
    qWarning("said Qt")
    text = (tmp_path / "log" / "jingwei.log").read_text(encoding="utf-8")
    assert "INFO ours: 井盖" in text
    assert "WARNING qt: said Qt" in text


@pytest.mark.expects_log("no log file")
def test_a_folder_that_cannot_be_written_is_said_and_survived(tmp_path: Path, application: object) -> None:
    (tmp_path / "taken").write_text("a file")
    logs.start(tmp_path / "taken", verbose=False)


def test_verbose_repeats_the_log_on_standard_error(
    tmp_path: Path, application: object, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.start(None, verbose=True)
    logging.getLogger("ours").info("hello")
    assert "hello" in capsys.readouterr().err
