"""The folded matrix: one answer for a group in an area, in words, with what is wrong with it."""

from __future__ import annotations

import numpy as np

from desktop.duties.summary import Line, Summary, area_columns, lines, percent_text
from tests.db.duties.village import EAST, ROADS, SQUAD_EAST, SQUAD_WEST, WEST

STREET, OTHER = Line("matter", "09"), Line("matter", "10")


def test_an_answer_names_the_units_by_their_share_and_nobody_last(summary: Summary) -> None:
    assert summary.answer(STREET, WEST).units == (SQUAD_WEST, ROADS)
    assert summary.answer(STREET, EAST).units == (SQUAD_EAST,)
    assert summary.answer(OTHER, 1).units == (ROADS, 0)
    assert summary.answer(OTHER, EAST).has_hole
    assert sum(summary.answer(STREET, WEST).shares) == 1.0


def test_an_answer_in_words_names_person_and_overlap(summary: Summary) -> None:
    assert summary.said(summary.answer(STREET, EAST)) == "东中队 · 员21"
    assert summary.said(summary.answer(Line("matter", "09003"), 12)) == "市政处 · 员31 · overlap"
    assert summary.said(summary.answer(OTHER, EAST)) == "nobody"
    assert summary.short(summary.answer(STREET, WEST)) == "2 units"


def test_a_cell_shows_its_unit_several_units_or_the_hole(summary: Summary) -> None:
    assert summary.cell_units(STREET).tolist() == [SQUAD_WEST] * 2 + [-1] * 2 + [SQUAD_EAST] * 4
    assert summary.cell_units(OTHER).tolist() == [ROADS] * 4 + [0] * 4
    assert np.flatnonzero(summary.cell_clashes(STREET)).tolist() == [2, 3]


def test_rows_are_majors_and_below_the_open_ones_their_classes(summary: Summary) -> None:
    closed = lines(summary.book.classes, frozenset())
    assert closed[:2] == [Line("component", "01"), Line("component", "02")]
    assert len(closed) == 15
    opened = lines(summary.book.classes, frozenset({("matter", "10")}))
    assert opened[-3:] == [OTHER, Line("matter", "10001"), Line("matter", "10002")]


def test_columns_are_districts_and_after_the_open_ones_their_communities(summary: Summary) -> None:
    assert [each.id for each in area_columns(summary.book, frozenset())] == [WEST, EAST]
    assert [each.id for each in area_columns(summary.book, frozenset({WEST}))] == [WEST, 11, 12, EAST]


def test_the_proof_in_one_line_is_never_rounded_up(summary: Summary) -> None:
    text = percent_text(summary.coverage)
    pairs = summary.coverage.pairs
    assert text == f"{int(10_000 * (pairs - 8 - 2) / pairs) / 100:.2f} % covered · 1 hole · 1 overlap"
