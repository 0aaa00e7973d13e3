"""A password has eight characters from three classes."""

from __future__ import annotations

import pytest

from db.people.rules import POSTS, password_faults


@pytest.mark.parametrize(
    "password, codes",
    [
        ("Abcdefg1", []),
        ("abcdef1!", []),
        ("密码Abc12", ["password_short"]),
        ("密码Abc123", []),
        ("abcdefgh", ["password_plain"]),
        ("ABCDEFG1", ["password_plain"]),
        ("aB1", ["password_short"]),
        ("", ["password_short", "password_plain"]),
    ],
)
def test_what_is_wrong_with_a_password_is_told_all_at_once(password: str, codes: list[str]) -> None:
    faults = password_faults(password)
    assert [fault.code for fault in faults] == codes
    assert all(fault.text() for fault in faults)


def test_every_post_has_a_word() -> None:
    assert all(POSTS.values())
