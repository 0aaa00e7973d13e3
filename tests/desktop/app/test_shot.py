"""``jingwei shot`` writes the page it was asked for, at the size it was asked for, with everything drawn."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QImage

from db.kernel.refusal import Refused
from desktop.app.shot import parsed_size
from tests.kit.source import ROOT

HOSTILE = '<img src=x onerror="document.body.innerHTML=1">\u202e\u0000&amp;"\'`${alert(1)}'.replace(
    "\u0000", ""
)


def jingwei(*words: object, language: str = "en") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "desktop", "--lang", language, *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def colours(image: QImage, area: QRect) -> int:
    """How many colours there are on a grid of points of an area: a blank one has very few."""
    return len(
        {
            image.pixel(x, y)
            for x in range(area.left(), area.right(), 3)
            for y in range(area.top(), area.bottom(), 3)
        }
    )


def test_the_room_is_drawn_in_every_pane_at_the_size_asked_for(city_url: str, tmp_path: Path) -> None:
    out = tmp_path / "room.png"
    done = jingwei("shot", out, "--db", city_url, "--size", "1600x900")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(out)
    image = QImage(str(out))
    assert image.size() == QSize(1600, 900)
    third = 1600 // 3
    for place in range(3):
        assert colours(image, QRect(place * third + 20, 150, third - 40, 650)) > 40, place


@pytest.mark.parametrize("page, size", [("signin", "800x600"), ("wall", "1920x1080")])
def test_other_pages_are_drawn_too(city_url: str, tmp_path: Path, page: str, size: str) -> None:
    out = tmp_path / "page.png"
    done = jingwei(
        "shot", out, "--db", city_url, "--page", page, "--size", size, "--theme", "light", language="zh_CN"
    )
    assert done.returncode == 0, done.stderr
    image = QImage(str(out))
    assert f"{image.width()}x{image.height()}" == size
    assert colours(image, image.rect()) > 20


def test_a_case_with_a_hostile_text_breaks_nothing(city_url: str, tmp_path: Path) -> None:
    connection = sqlite3.connect(city_url.removeprefix("sqlite:///"))
    connection.execute("UPDATE cases SET address = ?, description = ?", (HOSTILE, HOSTILE))
    connection.execute("UPDATE unit SET name = ?, name_en = ?", (HOSTILE, HOSTILE))
    connection.commit()
    connection.close()
    out = tmp_path / "room.png"
    done = jingwei("shot", out, "--db", city_url, "--size", "1200x700")
    assert done.returncode == 0, done.stderr
    assert colours(QImage(str(out)), QRect(20, 120, 400, 500)) > 40


def test_an_unknown_person_is_refused_in_a_sentence(city_url: str, tmp_path: Path) -> None:
    done = jingwei("shot", tmp_path / "x.png", "--db", city_url, "--user", "nobody")
    assert done.returncode == 2
    assert "There is no account nobody." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "x.png").exists()


def test_a_database_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    done = jingwei("shot", tmp_path / "x.png", "--db", f"sqlite:///{tmp_path / 'none.db'}")
    assert done.returncode == 2
    assert "none.db" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "text", ["", "big", "1920", "1920x", "100x100", "1920x1080x2", "99999x900", "-5x900"]
)
def test_a_size_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="size"):
        parsed_size(text)


def test_a_size_may_be_written_with_the_sign_of_multiplication() -> None:
    assert parsed_size("1366×768") == QSize(1366, 768)


def test_a_folder_that_is_not_there_is_said_in_a_sentence(city_url: str, tmp_path: Path) -> None:
    out = tmp_path / "no" / "such" / "x.png"
    done = jingwei("shot", out, "--db", city_url, "--page", "signin", "--size", "400x300")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
