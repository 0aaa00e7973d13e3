"""Names: the same thing by characters, by English words, by pinyin and by first letters."""

from __future__ import annotations

import pytest

from db.live.naming import (
    ABBREVIATED,
    BEGINS,
    EXACT,
    INSIDE,
    SPELLED,
    SPELLED_INSIDE,
    WORD_BEGINS,
    Name,
    Names,
    folded,
)

UNITS = Names(
    [
        ("cg", ("城关中队", "Chengguan Squad")),
        ("cd", ("城东中队", "Chengdong Squad")),
        ("lq", ("龙泉中队", "Longquan Squad")),
        ("lqj", ("龙泉街道办", "Longquan Sub-district Office")),
    ]
)


@pytest.mark.parametrize(
    "name, word, fit",
    [
        ("改派", "改派", EXACT),
        ("改派", "改", BEGINS),
        ("改派", "gp", SPELLED),
        ("改派", "gaipai", SPELLED),
        ("改派", "gaip", SPELLED),
        ("申请改派", "改派", INSIDE),
        ("申请改派", "gp", SPELLED_INSIDE),
        ("城关中队", "cgd", ABBREVIATED),
        ("Reassign", "rea", WORD_BEGINS),
        ("Ask for return", "ask for", BEGINS),
        ("Chengguan Squad", "squad", WORD_BEGINS),
        ("Chengguan Squad", "guan", INSIDE),
        ("Ask for return", "afr", ABBREVIATED),
        ("改派", "pg", None),
        ("城关中队", "gd", None),
        ("Reassign", "x", None),
        ("第2中队", "2", INSIDE),
    ],
)
def test_a_word_fits_a_name_in_one_way(name: str, word: str, fit: int | None) -> None:
    assert Name(folded(name)).fit(folded(word)) == fit


def test_full_width_letters_and_capitals_do_not_matter() -> None:
    assert folded("ＧＰ ") == "gp"
    assert UNITS.best("CHENGGUAN") == ["cg"]


def test_what_fits_equally_well_is_a_choice() -> None:
    assert UNITS.best("龙泉") == ["lq", "lqj"]
    assert UNITS.best("城关中队") == ["cg"]
    assert UNITS.best("cgzd") == ["cg"]
    assert UNITS.best("nobody") == []
    assert UNITS.best(" ") == []


def test_a_worse_fit_can_be_shut_out() -> None:
    assert UNITS.find("cgd") == [(ABBREVIATED, "cg")]
    assert UNITS.find("cgd", worst=SPELLED) == []
