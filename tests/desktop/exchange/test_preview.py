"""Each field that a mapping can fill has a name in the window."""

from __future__ import annotations

from pathlib import Path

from db.exchange.checking import Report
from db.exchange.mapping import DATE_FIELDS, TEXT_FIELDS, read_mapping, shipped_mappings
from desktop.exchange.preview import FIELDS, column_lines, unmapped_line


def test_every_field_has_a_name() -> None:
    assert set(FIELDS) == {*TEXT_FIELDS, *DATE_FIELDS}


def test_the_columns_are_listed_with_their_joins_and_choices() -> None:
    (path,) = (path for path in shipped_mappings() if path.stem == "nyc311")
    lines = dict(column_lines(read_mapping(Path(path))))
    assert lines["Number"] == "unique_key"
    assert lines["Ended"] == "closed_date, else resolution_action_updated_date"
    assert lines["Description"] == "complaint_type: descriptor"
    assert lines["Category"] == "complaint_type / descriptor"


def test_unknown_words_are_named_with_how_often_and_how_many_more() -> None:
    report = Report()
    assert unmapped_line(report) == ""
    report.unmapped.update({"Ghosts": 3, "Aliens": 2, "Yeti": 2, "Elves": 1, "Trolls": 1})
    assert unmapped_line(report) == (
        "The mapping does not know: Ghosts (3), Aliens (2), Yeti (2), 2 more. The default class is taken."
    )
