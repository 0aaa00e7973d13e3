"""A file is read as what it is, row by row, or refused in one sentence."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.exchange import reading
from db.exchange.mapping import CaseMapping, read_mapping
from db.exchange.problems import Reason
from db.exchange.reading import RawRow, examine, rows
from db.kernel.refusal import Refused, Trouble, Unavailable
from tests.db.exchange.kit import HEADINGS, MAPPING, quoted, row, write_mapping, write_rows

HEADER = quoted(HEADINGS)
CELLS = quoted(row().values())
WIDTH = len(HEADINGS)


@pytest.fixture
def mapping(tmp_path: Path) -> CaseMapping:
    return read_mapping(write_mapping(tmp_path))


def write(folder: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / "town.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def read(path: Path, mapping: CaseMapping) -> list[RawRow]:
    return list(rows(examine(path, mapping)))


def refusal(path: Path, mapping: CaseMapping) -> str:
    with pytest.raises(Trouble) as trouble:
        examine(path, mapping)
    return trouble.value.text()


@pytest.mark.parametrize(
    "encoding, found",
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
    ],
)
def test_each_right_encoding_gives_the_same_words(
    tmp_path: Path, mapping: CaseMapping, encoding: str, found: str
) -> None:
    path = write_rows(tmp_path, row(What="井盖缺失，道路不洁"), encoding=encoding)
    assert examine(path, mapping).encoding == found
    assert read(path, mapping)[0].cells[2] == "井盖缺失，道路不洁"


@pytest.mark.parametrize(
    "encoding, text", [("cp1252", "Müllerstraße à côté"), ("big5", "臺北市政府環境保護局")]
)
def test_another_encoding_is_refused_and_never_taken_for_chinese(
    tmp_path: Path, mapping: CaseMapping, encoding: str, text: str
) -> None:
    told = refusal(write_rows(tmp_path, row(), row(What=text), encoding=encoding), mapping)
    assert "is neither UTF-8 (line 3, byte" in told
    assert "nor plainly Chinese in GB18030" in told


def test_utf8_with_one_broken_byte_is_refused_with_its_place(tmp_path: Path, mapping: CaseMapping) -> None:
    good = write_rows(tmp_path, row(What="道路不洁，请处理"), row(What="路灯不亮")).read_bytes()
    at = good.index("路灯".encode())
    told = refusal(write(tmp_path, good[: at + 1] + good[at + 2 :]), mapping)
    assert f"line 3, byte {at + 1}" in told


def test_the_place_of_a_broken_byte_is_right_across_chunks(
    tmp_path: Path, mapping: CaseMapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_CHUNK", 7)
    test_utf8_with_one_broken_byte_is_refused_with_its_place(tmp_path, mapping)


def test_an_encoding_that_the_mapping_names_is_the_only_one_tried(tmp_path: Path) -> None:
    text = MAPPING.replace("[city]", '[city]\nname = "x"', 0).replace(
        'name = "Town"', 'name = "Town"\nencoding = "utf-8"'
    )
    mapping = read_mapping(write_mapping(tmp_path, text))
    path = write_rows(tmp_path, row(What="井盖缺失"), encoding="gb18030")
    assert "is not written in UTF-8 (line 2, byte" in refusal(path, mapping)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_delimiter_is_the_one_with_which_the_headings_are_found(
    tmp_path: Path, mapping: CaseMapping, mark: str
) -> None:
    text = "\n".join(line.replace('","', f'"{mark}"') for line in (HEADER, CELLS))
    assert list(read(write(tmp_path, text), mapping)[0].cells) == list(row().values())


def test_each_row_knows_the_physical_line_on_which_it_begins(tmp_path: Path, mapping: CaseMapping) -> None:
    folded = quoted(row(What="one\ntwo\r\nthree").values())
    text = f"{HEADER}\r\n{CELLS}\r\n\r\n{folded}\r\n{CELLS}\r{CELLS}"
    found = read(write(tmp_path, text), mapping)
    assert [each.line for each in found] == [2, 4, 7, 8]
    assert found[1].cells[2] == "one\ntwo\r\nthree"


def test_an_open_quotation_mark_spoils_its_own_row_only(tmp_path: Path, mapping: CaseMapping) -> None:
    plain = ",".join(row().values())
    spoilt = plain.replace("Loud", '"Loud')
    found = read(write(tmp_path, "\n".join([HEADER.replace('"', ""), plain, spoilt, plain, plain])), mapping)
    assert [(each.line, each.fault) for each in found] == [
        (2, None),
        (3, Reason.UNREADABLE_ROW),
        (4, None),
        (5, None),
    ]


def test_rows_of_another_width_are_told_but_empty_cells_at_the_end_are_not(
    tmp_path: Path, mapping: CaseMapping
) -> None:
    text = "\n".join([HEADER, CELLS + ",,", CELLS + ",more", "short,row", ",,,"])
    found = read(write(tmp_path, text), mapping)
    assert [each.fault for each in found] == [None, *[Reason.CELL_COUNT] * 3]
    assert len(found[0].cells) == WIDTH


@pytest.mark.parametrize("inside", [False, True])
def test_an_overlong_line_is_cut_away_and_the_next_is_read(
    tmp_path: Path, mapping: CaseMapping, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    monkeypatch.setattr(reading, "MAX_LINE", 500)
    monster = quoted(row(What="begin\n" + "x" * 5000 if inside else "x" * 5000).values())
    found = read(write(tmp_path, f"{HEADER}\n{monster}\n{CELLS}\n"), mapping)
    assert found[0].fault in {Reason.LINE_TOO_LONG, Reason.UNREADABLE_ROW}
    assert any(each.fault is Reason.LINE_TOO_LONG for each in found)
    assert found[-1].fault is None


def test_a_cell_beyond_the_limit_is_told_and_the_next_row_is_read(
    tmp_path: Path, mapping: CaseMapping
) -> None:
    monster = quoted(row(What="x" * 200_000).values())
    found = read(write(tmp_path, f"{HEADER}\n{monster}\n{CELLS}\n"), mapping)
    assert [each.fault for each in found] == [Reason.UNREADABLE_ROW, None]


def test_a_nul_in_a_row_is_no_reason_to_stop(tmp_path: Path, mapping: CaseMapping) -> None:
    path = write(tmp_path, HEADER + "\n" * 5000 + quoted(row(What="a\0b").values()))
    assert read(path, mapping)[0].cells[2] == "a\0b"


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "is empty"),
        (HEADER.encode(), "has a heading, but no rows"),
        (b"PK\x03\x04rest", "is a workbook"),
        (b"\x00\x01\x02" * 50, "is not a text file"),
        (b"a,b\n1,2\n", "has no columns “No”, “State”"),
        (
            HEADER.replace('"Unit"', '"Office"').encode() + b"\nx\n",
            "has no column “Unit”. Its columns are: No,",
        ),
        (HEADER.replace('"What"', '"No"').encode() + b"\nx\n", "has no column “What”"),
        ((HEADER + ',"No"').encode() + b"\nx\n", "has the column “No” twice"),
    ],
)
def test_what_is_no_source_is_refused_in_one_sentence(
    tmp_path: Path, mapping: CaseMapping, content: bytes, words: str
) -> None:
    assert words in refusal(write(tmp_path, content), mapping)


def test_a_file_that_is_not_there_or_a_folder_is_told(tmp_path: Path, mapping: CaseMapping) -> None:
    assert "cannot be read: No such file" in refusal(tmp_path / "none.csv", mapping)
    assert "cannot be read: Is a directory" in refusal(tmp_path, mapping)


def test_the_headings_may_stand_lower_and_hold_line_ends(tmp_path: Path) -> None:
    text = MAPPING.replace('name = "Town"', 'name = "Town"\nheader_line = 3')
    mapping = read_mapping(write_mapping(tmp_path, text.replace('"What"', '"What it is"', 1)))
    header = HEADER.replace('"What"', '"What\nit is"')
    source = examine(write(tmp_path, f"Export of May\n\n{header}\n{CELLS}\n"), mapping)
    assert "What it is" in source.header
    assert [each.line for each in rows(source)] == [5]


def test_a_file_that_changes_between_check_and_reading_is_refused(
    tmp_path: Path, mapping: CaseMapping
) -> None:
    path = write_rows(tmp_path, row())
    source = examine(path, mapping)
    path.write_bytes(path.read_bytes() + b"x\n")
    with pytest.raises(Refused, match="was changed while"):
        list(rows(source))
    path.unlink()
    with pytest.raises(Unavailable, match="cannot be read"):
        list(rows(source))


def test_whoever_watches_can_stop_the_reading(tmp_path: Path, mapping: CaseMapping) -> None:
    path = write_rows(tmp_path, row())
    with pytest.raises(Refused, match="cancelled"):
        examine(path, mapping, lambda _done, _total, _label: False)


cell = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.lists(cell, min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=5))
def test_cells_come_back_as_they_were_written(
    tmp_path: Path, mapping: CaseMapping, table: list[list[str]]
) -> None:
    path = write(tmp_path, "\n".join([HEADER, *(quoted(["n", *cells[1:]]) for cells in table), ""]))
    assert [list(each.cells) for each in read(path, mapping)] == [["n", *cells[1:]] for cells in table]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.binary(max_size=300))
def test_no_bytes_at_all_break_the_reading(tmp_path: Path, mapping: CaseMapping, junk: bytes) -> None:
    path = write(tmp_path, f"{HEADER}\n{CELLS}\n".encode() + junk)
    with suppress(Trouble):
        assert read(path, mapping)[0].fault is None or b'"' in junk
