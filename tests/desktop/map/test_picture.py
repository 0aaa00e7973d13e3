"""The map as a picture: its words above it, on paper or in a file, never half written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QWidget

from db.kernel.refusal import Unavailable
from desktop.map.picture import picture_of, save
from desktop.widgets.theme import Theme


def drawn(shown: Callable[..., QWidget], title: str = "滕州市") -> QImage:
    return picture_of(shown(QLabel("map"), 400, 300), Theme("light"), title, "2026-03-16 10:00")


def test_the_map_stands_below_its_title(shown: Callable[..., QWidget]) -> None:
    image = drawn(shown)
    assert (image.width(), image.height() > 300) == (400, True)
    head = [image.pixelColor(x, 18).lightness() for x in range(400)]
    assert min(head) < 100 < max(head)


@pytest.mark.parametrize(
    "name,beginning", [("a.pdf", b"%PDF"), ("a.png", b"\x89PNG"), ("a.JPG", b"\xff\xd8")]
)
def test_it_is_written_as_its_name_says(
    shown: Callable[..., QWidget], tmp_path: Path, name: str, beginning: bytes
) -> None:
    save(drawn(shown), tmp_path / name, "title")
    assert (tmp_path / name).read_bytes().startswith(beginning)


def test_what_cannot_be_written_is_said_and_leaves_nothing(
    shown: Callable[..., QWidget], tmp_path: Path
) -> None:
    for target in (tmp_path / "absent" / "a.png", tmp_path / "a.nonsense"):
        with pytest.raises(Unavailable):
            save(drawn(shown), target, "title")
        assert not target.exists()
