"""A command bears its name, its permission and its label, and becomes plain values for the journal."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from db.kernel.command import as_plain, command, command_label, command_name


@command("test.turn", permission="test.do", label="Turn")
@dataclass(frozen=True)
class Turn:
    """Turns."""

    case_ids: tuple[int, ...]
    note: str = ""


def test_a_command_knows_its_name_and_the_name_its_label() -> None:
    assert command_name(Turn) == "test.turn"
    assert command_label("test.turn") == "Turn"
    assert command_label("of.tomorrow") == "of.tomorrow"


def test_two_commands_cannot_have_one_name() -> None:
    with pytest.raises(ValueError, match=r"two commands are called test\.turn"):
        command("test.turn", permission="x", label="y")(dataclass(frozen=True)(type("Other", (), {})))


def test_a_command_is_its_fields() -> None:
    assert as_plain(Turn((1, 2), "x")) == {"case_ids": (1, 2), "note": "x"}
