"""The codes of DOMAIN 1.3."""

from __future__ import annotations

import pytest

from db.kernel.refusal import Refused
from db.registers.codes import (
    area_code_fault,
    component_class,
    component_code_fault,
    next_code,
    parent_of,
)


@pytest.mark.parametrize(
    "kind, code",
    [
        ("city", "370481"),
        ("district", "370481001"),
        ("community", "370481001001"),
        ("cell", "370481001001001"),
        ("cell", "37048100100101"),
        ("patrol", "370481001001-01"),
    ],
)
def test_codes_of_the_standards_are_good(kind: str, code: str) -> None:
    assert area_code_fault(kind, code, "370481") is None


@pytest.mark.parametrize(
    "kind, code, fault",
    [
        ("district", "37048100", "bad_code"),
        ("cell", "3704810010010012", "bad_code"),
        ("cell", "37048100100100A", "bad_code"),
        ("cell", "３７０４８１００１００１００１", "bad_code"),
        ("district", "370482001", "foreign_code"),
        ("patrol", "一号网格", "bad_code"),
    ],
)
def test_other_codes_are_told_what_is_wrong(kind: str, code: str, fault: str) -> None:
    found = area_code_fault(kind, code, "370481")
    assert found is not None
    assert found.code == fault
    assert code in found.text() or fault == "bad_code"


def test_components_of_both_editions_are_known() -> None:
    assert component_code_fault("37048101001000001", "370481") is None
    assert component_code_fault("3704810101000001", "370481") is None
    assert component_code_fault("370481010100000", "370481") is not None
    assert component_class("37048101001000001") == ("GB/T 47678.5-2026", "01001")
    assert component_class("3704810101000001") == ("GB/T 30428.2-2013", "0101")


def test_a_code_says_what_it_belongs_to() -> None:
    assert parent_of("cell", "370481001001001") == ("community", "370481001001")
    assert parent_of("cell", "37048100100101") == ("community", "370481001001")
    assert parent_of("patrol", "370481001001-01") == ("community", "370481001001")
    assert parent_of("city", "370481") is None


def test_the_next_code_is_the_first_free_one() -> None:
    assert next_code("cell", "370481001001", {"370481001001001"}) == "370481001001002"
    assert next_code("patrol", "370481001001", set()) == "370481001001-01"
    with pytest.raises(Refused, match="are taken"):
        next_code("cell", "1", {f"1{number:03d}" for number in range(1000)})
