"""Text from outside loses what can deceive the eye and stays text; contacts are masked."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.kernel.text import clean, mask_name, mask_phone, no_formula, one_line


def test_what_cannot_be_seen_is_taken_out_and_markup_is_left_as_text() -> None:
    assert clean(" a\x00b\u202ec\u200b\r\nd\re ") == "abc\nd\ne"
    assert clean("<img src=x onerror=alert(1)>") == "<img src=x onerror=alert(1)>"
    assert clean("e\u0301") == "é"


@given(st.text(), st.integers(0, 50))
def test_cleaned_text_is_short_clean_and_stays_as_it_is(text: str, limit: int) -> None:
    found = clean(text, limit)
    assert len(found) <= limit
    assert all(c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cf"} for c in found)
    line = one_line(text, 30)
    assert len(line) <= 30
    assert not {"\n", "\t"} & set(line)


def test_lines_are_folded_into_one() -> None:
    assert one_line("平行路\n  12 号\t左侧") == "平行路 12 号 左侧"


@pytest.mark.parametrize(
    "phone, shown",
    [
        ("13812341234", "138****1234"),
        ("053212345678", "053*****5678"),
        ("5551234", "5****34"),
        ("55512345", "5****345"),
        ("110", "***"),
        ("", ""),
    ],
)
def test_the_middle_of_a_number_is_hidden(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@given(st.text("0123456789", min_size=4, max_size=20))
def test_at_least_four_digits_are_hidden(phone: str) -> None:
    shown = mask_phone(phone)
    assert len(shown) == len(phone)
    assert shown.count("*") >= 4


@pytest.mark.parametrize("name, shown", [("张三", "张*"), ("欧阳修远", "欧**"), ("李", "李"), ("", "")])
def test_only_the_first_sign_of_a_name_is_shown(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@pytest.mark.parametrize("words", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_reckon_with_becomes_words(words: str) -> None:
    assert no_formula(words) == f"'{words}"


@pytest.mark.parametrize("words", ["", "井盖丢失", "1-2", "a=b"])
def test_other_words_stay_as_they_are(words: str) -> None:
    assert no_formula(words) == words
