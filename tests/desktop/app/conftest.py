"""A tiny demo city as a file, and a room open on a copy of it."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from db.demo.create import create_demo
from db.kernel.language import set_language
from desktop.widgets.notice import Notice, NoticeStack
from desktop.widgets.webview import register_scheme
from tests.desktop.open_room import NOW, OpenRoom

# Before the application exists.
register_scheme()


@pytest.fixture(autouse=True)
def notices_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said at the foot of a room stays until newer words push it out: a test may look late."""
    show = NoticeStack.show_notice

    def show_and_stay(stack: NoticeStack, *words: Any, **how: Any) -> Notice:
        given = inspect.signature(show).bind(stack, *words, **how)
        given.arguments["seconds"] = 0.0
        return show(*given.args, **given.kwargs)

    monkeypatch.setattr(NoticeStack, "show_notice", show_and_stay)


@pytest.fixture(scope="session")
def city_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The city with its accounts, to be copied."""
    file = tmp_path_factory.mktemp("city") / "tiny.db"
    create_demo(f"sqlite:///{file}", scale="tiny", seed=1, as_of=NOW)
    return file


@pytest.fixture
def city_url(city_file: Path, tmp_path: Path) -> str:
    """A copy of the city that a test may change."""
    copy = tmp_path / "city.db"
    shutil.copyfile(city_file, copy)
    return f"sqlite:///{copy}"


@pytest.fixture(scope="module")
def room(
    application: QApplication, city_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenRoom]:
    """One open room for all tests of a module; each begins by ``fresh()``."""
    set_language("en")
    folder = tmp_path_factory.mktemp("room")
    shutil.copyfile(city_file, folder / "city.db")
    room = OpenRoom(application, f"sqlite:///{folder / 'city.db'}", folder)
    room.open()
    yield room
    room.close()
