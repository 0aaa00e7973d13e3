"""The matrix as a file: there and back, through the hands of a spreadsheet, and no formula in it."""

from __future__ import annotations

import csv
import io

import pytest

from db.bootstrap import Core
from db.duties import sheet
from db.duties.commands import ImportDuties
from db.duties.queries import duties, duty_book
from db.kernel.refusal import Refused
from tests.db.duties.village import CHIEF, EAST, ROADS, SQUAD_EAST, TODAY, WEST, an, settle

HEAD = "kind,class,area_kind,area,unit,person,valid_from,valid_to,note\n"


def read(core: Core, text: str | bytes) -> sheet.Sheet:
    with core.database.read() as connection:
        book = duty_book(connection)
    return sheet.read(book, text if isinstance(text, bytes) else text.encode())


def test_what_was_written_reads_as_the_same_rows_and_changes_nothing(file_village: Core) -> None:
    settle(file_village, an(ROADS), an(SQUAD_EAST, EAST, "09003", "matter", person_id=22, until=TODAY))
    with file_village.database.read() as connection:
        book = duty_book(connection)
        before = duties(connection)
    content = sheet.written(book, before)
    assert content.startswith(b"\xef\xbb\xbfkind,class,")
    again = sheet.read(book, content)
    assert again.faults == ()
    assert file_village.bus.run(ImportDuties(again.rows), CHIEF).result == 0


def test_codes_keep_their_zeros_in_a_spreadsheet(file_village: Core) -> None:
    settle(file_village, an(ROADS, WEST, "06010", "matter"))
    with file_village.database.read() as connection:
        book = duty_book(connection)
    (row,) = csv.DictReader(io.StringIO(sheet.written(book, book.duties).decode("utf-8-sig")))
    assert (row["class"], row["area"]) == ("\t06010", "\t0010")
    assert row["class_name"] == "06010 暴露垃圾"


@pytest.mark.parametrize("damaged", ["6010", "06010", "\t06010"])
def test_a_zero_that_a_spreadsheet_took_is_put_back(file_village: Core, damaged: str) -> None:
    found = read(file_village, f"{HEAD}matter,{damaged},district,0010,U3,,2026/5/1,,\n")
    assert found.rows == ((2, "matter", "06010", WEST, ROADS, None, "2026-05-01", None, ""),)


def test_an_older_spreadsheets_encoding_is_read_too(file_village: Core) -> None:
    text = f"{HEAD}matter,06010,district,0010,U3,,2026-05-01,,夜间由中队代管\n"
    assert read(file_village, text.encode("gb18030")).rows[0][-1] == "夜间由中队代管"


def test_words_that_look_like_a_formula_stay_words(file_village: Core) -> None:
    settle(file_village, an(ROADS, WEST))
    with file_village.database.read() as connection:
        book = duty_book(connection)
    row = an(ROADS, WEST)
    content = sheet.written(book, [type(row)(**{**row.__dict__, "note": "=1+1"})])
    assert b"\t=1+1" in content


def test_each_word_that_does_not_exist_is_told_with_its_line(file_village: Core) -> None:
    found = read(file_village, f"{HEAD}thing,06,district,0099,U9,P99,2026-05-01,,\n,,,,,,,,\n")
    assert [each.text() for each in found.faults] == [
        "Line 2: there is no kind “thing”.",
        "Line 2: there is no area “0099”.",
        "Line 2: there is no unit “U9”.",
        "Line 2: there is no person “P99”.",
    ]
    assert found.rows == ()


def test_another_table_is_refused(file_village: Core) -> None:
    with pytest.raises(Refused, match="no column kind, class"):
        read(file_village, "a,b\n1,2\n")
