"""Texts are cut into pairs and beginnings, and what is asked is cut the same way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.kernel.clock import to_ms
from db.search.rules import Word, changed_terms, like_pattern, month_terms, terms_of, words_of

MARCH = datetime(2026, 3, 14, tzinfo=UTC)


def row(**values: Any) -> dict[str, Any]:
    return {"number": "N1", "state": "handling", "source": "app", "reported_at": MARCH, **values}


def test_chinese_text_becomes_pairs_and_runs_become_their_beginnings() -> None:
    terms = terms_of(row(address="荆河路12号", description="井盖，破损 AB"))
    assert {"荆河", "河路", "井盖", "破损", "1", "12", "a", "ab"} <= terms
    assert not terms & {"盖破", "路1", "号井", "AB", "2"}


def test_facts_are_terms_that_no_text_can_be() -> None:
    terms = terms_of(row(category_id=7, unit_id=None, district_id=9, address="_c8 _open"))
    assert {"_c7", "_d9", "_fapp", "_open"} <= terms
    assert "_c8" not in terms
    ended = terms_of(row(state="void"))
    assert "_svoid" in ended
    assert "_open" not in ended


ROWS = st.fixed_dictionaries(
    {
        "number": st.sampled_from(["20260316001000123", "20260401001000001"]),
        "address": st.text("井盖路面aB1 ", max_size=6),
        "description": st.text("井盖路面aB1 ", max_size=6),
        "foreign_number": st.sampled_from([None, "A-77"]),
        "state": st.sampled_from(["reported", "handling", "closed", "void"]),
        "source": st.sampled_from(["app", "hotline"]),
        "reported_at": st.sampled_from([MARCH, datetime(2026, 4, 1, tzinfo=UTC)]),
        **{
            column: st.sampled_from([None, 1, 2])
            for column in (
                "category_id",
                "unit_id",
                "district_id",
                "community_id",
                "component_id",
                "reporter_person_id",
            )
        },
    }
)


@given(ROWS, ROWS)
def test_what_a_change_takes_and_gives_leads_from_the_old_terms_to_the_new(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    gone, come = changed_terms(before, after)
    assert gone == terms_of(before) - terms_of(after)
    assert come == terms_of(after) - terms_of(before)


def test_a_moment_says_the_same_as_a_datetime_and_in_milliseconds() -> None:
    assert terms_of(row()) == terms_of(row(reported_at=to_ms(MARCH)))


def test_a_case_number_is_found_by_its_month_day_and_block() -> None:
    terms = terms_of(row(number="20260314001000123"))
    assert {"_n202603", "_n20260314", "_n20260314001", "_n20260314001000"} <= terms


@given(st.text(max_size=30), st.text(max_size=30))
def test_terms_hold_nothing_that_either_database_would_read_as_a_sign(address: str, number: str) -> None:
    for term in terms_of(row(address=address, number=number)):
        assert term.removeprefix("_").isalnum()


def test_words_are_parted_by_spaces_and_kept_together_by_quotation_marks() -> None:
    texts = [word.text for word in words_of('井盖　破损 "荆河路 12号" “东 门” 井盖 "" AB"c d"')]
    assert texts == ["井盖", "破损", "荆河路 12号", "东 门", "ab", "c d"]
    assert words_of(' " “ ') == ()


@pytest.mark.parametrize(
    "text, terms, number_term, is_exact",
    [
        ("井盖", ("井盖",), "", True),
        ("井盖破", ("井盖", "盖破"), "", False),
        ("路", (), "", False),
        ("，", (), "", False),
        ("12", ("12",), "", True),
        ("20260314", ("20260314",), "_n20260314", True),
        ("2026031", ("2026031",), "_n202603", False),
        ("20260314001000123", ("20260314001000",), "_n20260314001000", False),
        ("荆河12", ("荆河", "12"), "", False),
    ],
)
def test_a_word_knows_whether_its_terms_decide(
    text: str, terms: tuple[str, ...], number_term: str, is_exact: bool
) -> None:
    assert words_of(text) == (Word(text, terms, number_term, is_exact),)


def test_signs_of_a_pattern_are_taken_as_they_are() -> None:
    assert like_pattern("50%_a\\") == "%50\\%\\_a\\\\%"
    assert like_pattern("é井") == "%_井%"


def test_months_are_named_unless_there_are_too_many() -> None:
    day = 86_400_000
    assert len(month_terms((to_ms(MARCH), to_ms(MARCH) + 40 * day), 0)) == 2
    assert len(month_terms((to_ms(MARCH), None), to_ms(MARCH) + day)) == 1
    assert month_terms((None, to_ms(MARCH)), 0) == ()
    assert month_terms((0, to_ms(MARCH)), 0) == ()
