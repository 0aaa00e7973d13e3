"""A mapping file is read as a clerk wrote it, or refused with every fault at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.exchange.mapping import Pick, Target, read_mapping, shipped_mappings
from db.kernel.refusal import Refused, RefusedAll
from tests.db.exchange.kit import MAPPING, write_mapping


def faults(path: Path) -> list[str]:
    with pytest.raises(Refused) as refused:
        read_mapping(path)
    error = refused.value
    return [each.text() for each in error.refusals] if isinstance(error, RefusedAll) else [error.text()]


@pytest.mark.parametrize("path", shipped_mappings(), ids=lambda path: path.stem)
def test_the_shipped_mappings_have_no_fault(path: Path) -> None:
    mapping = read_mapping(path)
    assert {"reported_at", "state", "number"} <= set(mapping.columns)


def test_new_york_and_the_hotline_are_shipped() -> None:
    assert [path.stem for path in shipped_mappings()] == ["hotline_12345", "nyc311"]


def test_a_column_is_one_heading_several_or_the_first_that_is_filled(tmp_path: Path) -> None:
    text = MAPPING.replace('address = "Where"', 'address = ["Where", "What"]').replace(
        'closed_at = "Closed"',
        'closed_at = ["Closed", "At"]\nnote = { first = ["What", ["No", "Where"]], join = "/" }',
    )
    columns = read_mapping(write_mapping(tmp_path, text)).columns
    assert columns["address"] == Pick((("Where", "What"),), " ")
    assert columns["closed_at"] == Pick((("Closed",), ("At",)), " ")
    assert columns["note"] == Pick((("What",), ("No", "Where")), "/")


def test_a_word_means_a_class_of_a_list_or_an_own_one(tmp_path: Path) -> None:
    mapping = read_mapping(write_mapping(tmp_path))
    assert mapping.categories["matter/06028"] == Target("GB/T 47678.5-2026", "matter", "06028")
    assert mapping.categories["T9"] == Target("Town", "matter", "T9")


def test_words_are_found_in_any_case_and_by_their_beginning(tmp_path: Path) -> None:
    words = read_mapping(write_mapping(tmp_path)).category_words
    assert words.find("LITTER") == "matter/06010"
    assert words.find("noise - park") == "matter/06028"
    assert words.find("something") is None


def test_every_fault_is_told_at_once_with_its_key(tmp_path: Path) -> None:
    text = (
        MAPPING.replace('"Asia/Shanghai"', '"Asia/Atlantis"')
        .replace('"reported"', '"reportet"')
        .replace('state = "State"\n', "")
        .replace('lat = "Lat"\n', "")
        .replace('"matter/06010"', '"litter"')
        .replace("create = true", 'create = "yes"', 1)
        .replace("[city]", "[city]\nmayor = 1")
    )
    told = faults(write_mapping(tmp_path, text))
    assert all(line.startswith("town.toml: ") for line in told)
    for part in (
        "columns.state is missing",
        "a position needs both lon and lat",
        "there is no time zone “Asia/Atlantis”",
        "states.New is “reportet”",
        "“litter” is no matter/CODE",
        "units.create must be true or false",
        "city.mayor is not known",
    ):
        assert any(part in line for line in told), (part, told)
    assert len(told) == 7


def test_a_date_cannot_be_month_first_and_day_first(tmp_path: Path) -> None:
    told = faults(write_mapping(tmp_path, MAPPING.replace('"iso"', '"month-first", "day-first"')))
    assert told == [
        "town.toml: source.date_formats: 04/05/2024 cannot be both month-first and day-first; keep one."
    ]


@pytest.mark.parametrize(
    "text, words",
    [
        (b"[source\n", "is not a TOML file"),
        ("[source]\nname = '滕州'\n".encode("gb18030"), "is not written in UTF-8 (byte"),
        (b"#" * 1_000_001, "is too large"),
        (b"", "source.name is missing"),
    ],
)
def test_what_is_no_mapping_is_refused_in_one_sentence(tmp_path: Path, text: bytes, words: str) -> None:
    path = tmp_path / "town.toml"
    path.write_bytes(text)
    assert any(words in line for line in faults(path))


def test_a_mapping_saved_by_windows_with_a_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "town.toml"
    path.write_text(MAPPING, encoding="utf-8-sig", newline="\r\n")
    assert read_mapping(path).system == "Town"


def test_a_mapping_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in faults(tmp_path / "none.toml")[0]


def test_braces_in_the_file_do_not_disturb_the_sentence(tmp_path: Path) -> None:
    told = faults(write_mapping(tmp_path, MAPPING.replace('unit = "Unit"', 'unit = 7\n"{x}" = "y"')))
    assert any("first = […]" in line for line in told)
    assert any("columns.{x}" in line for line in told)
