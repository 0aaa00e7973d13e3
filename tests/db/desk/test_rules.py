"""What a selection that is kept must look like; filters and views are read strictly when they are opened."""

from __future__ import annotations

from typing import Any

import pytest

from db.desk.queries import roles
from db.desk.rules import EVERYBODY, KINDS, MOST_CASES, plain_faults
from tests.db.desk.conftest import Desk


@pytest.mark.parametrize("ids", [[1], [3, 1, 2], (1, 2), list(range(MOST_CASES))])
def test_a_list_of_numbers_is_a_selection(ids: Any) -> None:
    assert plain_faults("selection", {"ids": ids}) == []


@pytest.mark.parametrize(
    "content,code",
    [
        ({}, "bad_content"),
        ({"ids": None}, "bad_content"),
        ({"ids": "123"}, "bad_content"),
        ({"ids": {"1": 2}}, "bad_content"),
        ({"ids": ["1"]}, "bad_content"),
        ({"ids": [1, 2.0]}, "bad_content"),
        # JSON has both, and Python counts True among the numbers.
        ({"ids": [True]}, "bad_content"),
        ({"ids": []}, "empty_selection"),
        ({"ids": range(MOST_CASES)}, "bad_content"),
        ({"ids": list(range(MOST_CASES + 1))}, "too_many"),
    ],
)
def test_what_is_no_selection_is_told_in_a_sentence(content: dict[str, Any], code: str) -> None:
    (fault,) = plain_faults("selection", content)
    assert fault.code == code
    assert fault.text()
    assert "{" not in fault.text()


def test_too_many_says_how_many_they_are() -> None:
    (fault,) = plain_faults("selection", {"ids": list(range(MOST_CASES + 1))})
    assert f"{MOST_CASES + 1:,}" in fault.text()


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"selection"}))
def test_other_kinds_are_not_judged_here(kind: str) -> None:
    assert plain_faults(kind, {"ids": "whatever"}) == []


def test_no_role_is_called_everybody(desk: Desk) -> None:
    with desk.core.database.read() as connection:
        assert EVERYBODY not in {each.code for each in roles(connection)}
