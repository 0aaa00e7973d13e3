"""The sheet of keys: every key of every place, found by words of either language, and printed in both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from db.kernel.language import N_
from db.kernel.refusal import Unavailable
from desktop.core.actions import Act
from desktop.core.keys import Key, KeyGroup, keys_of, printed
from desktop.shell.keys import CHIP_KEYS, FIGURE_KEYS, MAP_KEYS, PALETTE_KEYS, KeySheet, keys_html
from desktop.widgets.table import KEYS as TABLE_KEYS
from desktop.widgets.theme import Theme

GROUPS = (
    KeyGroup(N_("Case"), (Key("Ctrl+Z", N_("Undo")), Key("", N_("Reassign")))),
    KeyGroup(N_("View"), (Key("F5", N_("Dark or light")),)),
)


def nothing() -> None:
    """Does nothing."""


@pytest.fixture
def failed() -> list[Exception]:
    return []


@pytest.fixture
def sheet(shown: Callable[..., QWidget], failed: list[Exception]) -> KeySheet:
    made = KeySheet(Theme(), GROUPS, "1.2.3", failed.append)
    shown(made)
    return made


def texts(sheet: KeySheet) -> set[str]:
    return {label.text() for label in sheet.findChildren(QLabel)}


def test_the_sheet_lists_every_key_and_what_has_none(sheet: KeySheet) -> None:
    assert {"Case", "Ctrl+Z", "Undo", "View", "F5", "Ctrl K …", "Reassign"} <= texts(sheet)
    assert any("1.2.3" in text for text in texts(sheet))


@pytest.mark.parametrize(
    "typed, hits",
    [("undo", ["Undo"]), ("ctrl", ["Undo"]), ("gp", ["Reassign"]), ("深浅", ["Dark or light"]), ("zz", [])],
)
def test_a_key_is_found_by_its_words_in_either_language(sheet: KeySheet, typed: str, hits: list[str]) -> None:
    sheet.field.setText(typed)
    assert sheet.shown() == hits
    sheet.field.setText("")
    assert len(sheet.shown()) == 3


def test_the_printed_sheet_has_both_languages() -> None:
    html = keys_html(GROUPS)
    assert "改派" in html
    assert "Reassign" in html
    assert "&lt;b&gt;" in keys_html([KeyGroup("<b>", ())])


def test_it_is_written_as_pdf_and_a_failure_is_told(
    sheet: KeySheet, failed: list[Exception], tmp_path: Path
) -> None:
    sheet.print_to(tmp_path / "keys.pdf")
    assert (tmp_path / "keys.pdf").read_bytes().startswith(b"%PDF")
    sheet.print_to(tmp_path / "nowhere" / "keys.pdf")
    assert [type(error) for error in failed] == [Unavailable]


@pytest.mark.parametrize(
    "group",
    [MAP_KEYS, FIGURE_KEYS, CHIP_KEYS, PALETTE_KEYS, KeyGroup("table", TABLE_KEYS)],
    ids=lambda group: group.title,
)
def test_no_key_does_two_things_in_one_place(group: KeyGroup) -> None:
    keys = [key.keys for key in group.rows]
    assert len(keys) == len(set(keys))


def test_acts_without_a_key_come_last() -> None:
    rows = keys_of([Act("a", "A", nothing), Act("b", "B", nothing, "Ctrl+B")])
    assert [row.words for row in rows] == ["B", "A"]
    assert printed("Ctrl+B") == "Ctrl+B"
