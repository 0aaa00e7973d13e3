"""A preference always reads as a value of its kind, whatever stands in the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray

from desktop.core import preferences as known
from desktop.core.preferences import Preference
from tests.desktop.seeded import preferences

ALL = [each for each in vars(known).values() if isinstance(each, Preference)]


def test_every_preference_reads_as_its_default_on_a_new_computer(tmp_path: Path) -> None:
    kept = preferences(tmp_path)
    assert len(ALL) > 5
    assert all(kept.get(each) == each.default for each in ALL)


def test_no_two_preferences_share_a_key() -> None:
    assert len({each.key for each in ALL}) == len(ALL)


@pytest.mark.parametrize(
    "preference, text",
    [(known.THEME, "pink"), (known.LANGUAGE, "tlh"), (known.WALL_DISTANCE, "far"), (known.DENSE, "perhaps")],
)
def test_a_bad_value_in_the_file_reads_as_the_default(
    tmp_path: Path, preference: Preference[object], text: str
) -> None:
    section, key = preference.key.split("/")
    (tmp_path / "room.ini").write_text(f"[{section}]\n{key}={text}\n", encoding="utf-8")
    assert preferences(tmp_path).get(preference) == preference.default


@pytest.mark.parametrize("number", ["nan", "inf", "-3", "0"])
def test_a_distance_that_no_eye_can_have_reads_as_the_default(tmp_path: Path, number: str) -> None:
    (tmp_path / "room.ini").write_text(f"[wall]\ndistance_m={number}\n", encoding="utf-8")
    assert preferences(tmp_path).get(known.WALL_DISTANCE) == known.WALL_DISTANCE.default


def test_a_value_is_there_after_a_restart_and_told_when_it_is_put(tmp_path: Path) -> None:
    first = preferences(tmp_path)
    told: list[str] = []
    first.changed.connect(told.append)
    first.put(known.DENSE, True)
    first.put(known.THEME, "light")
    first.put(known.WALL_DISTANCE, 4.5)
    first.flush()
    second = preferences(tmp_path)
    assert told == [known.DENSE.key, known.THEME.key, known.WALL_DISTANCE.key]
    assert (second.get(known.DENSE), second.get(known.THEME), second.get(known.WALL_DISTANCE)) == (
        True,
        "light",
        4.5,
    )


def test_a_layout_is_kept_and_what_is_none_reads_as_empty(tmp_path: Path) -> None:
    kept = preferences(tmp_path)
    assert kept.layout("room/splitter").isEmpty()
    kept.keep_layout("room/splitter", QByteArray(b"\x00\x01"))
    kept.flush()
    assert preferences(tmp_path).layout("room/splitter") == QByteArray(b"\x00\x01")


def test_what_nobody_keeps_is_written_nowhere() -> None:
    before = Path(os.devnull).stat()
    passing = known.passing()
    passing.put(known.THEME, "light")
    passing._settings.sync()
    assert passing.get(known.THEME) == "light"
    after = Path(os.devnull).stat()
    assert (after.st_dev, after.st_ino) == (before.st_dev, before.st_ino), "a file stands in its place"
