"""A command bears its name, its permission and its label, and becomes plain values for the journal."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import db.bootstrap  # noqa: F401  all commands are known then
from db.engine.columns import canonical
from db.kernel.clock import from_ms
from db.kernel.command import (
    as_plain,
    command,
    command_label,
    command_name,
    from_plain,
    registered_commands,
    without_private,
)
from tests.kit.refusals import refused


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


# The way back.

KINDS: dict[object, st.SearchStrategy[object]] = {
    int: st.integers(-(2**62), 2**62),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(max_size=8),
    datetime: st.integers(0, 4_000_000_000_000).map(from_ms),
    type(None): st.none(),
    Any: st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=4)),
}


def values_of(kind: object) -> st.SearchStrategy[object]:
    """Values of a field's kind."""
    if isinstance(kind, types.UnionType):
        return st.one_of([values_of(each) for each in kind.__args__])
    if typing.get_origin(kind) is tuple:
        kinds = typing.get_args(kind)
        if kinds[-1] is Ellipsis:
            return st.lists(values_of(kinds[0]), max_size=3).map(tuple)
        return st.tuples(*map(values_of, kinds))
    if typing.get_origin(kind) is Mapping:
        return st.dictionaries(st.text(max_size=4), KINDS[Any], max_size=3)
    return KINDS[kind]


BATCHES = {"case.import", "registers.import", "registers.put_areas"}
"""These carry what was read from a file or drawn, and cannot be made from plain values."""


def registered() -> list[type]:
    """The commands of the whole program; those that a test made up aside."""
    return [cls for cls in registered_commands() if cls.__module__.startswith("db.")]


def plain_commands() -> list[type]:
    return [cls for cls in registered() if command_name(cls) not in BATCHES]


@settings(max_examples=300)
@given(data=st.data())
def test_every_command_comes_back_from_its_plain_values(data: st.DataObject) -> None:
    cls = data.draw(st.sampled_from(plain_commands()))
    hints = typing.get_type_hints(cls)
    values = {each.name: data.draw(values_of(hints[each.name])) for each in dataclasses.fields(cls)}
    made = cls(**values)
    through_json = json.loads(canonical(as_plain(made)))
    assert from_plain(command_name(cls), through_json) == made


def test_what_a_command_carries_from_a_file_is_not_made_up() -> None:
    for name in BATCHES:
        (cls,) = (cls for cls in registered() if command_name(cls) == name)
        fields = {each.name: "" for each in dataclasses.fields(cls)}
        with refused("not_arguments"):
            from_plain(name, fields)


def test_a_name_that_nobody_knows_is_refused() -> None:
    with refused("unknown_command"):
        from_plain("of.tomorrow", {})


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"case_ids": 1},
        {"case_ids": ["1"]},
        {"case_ids": [True]},
        {"case_ids": [1], "note": 3},
        {"case_ids": [1], "note": None},
        {"case_ids": [1], "word": "x"},
    ],
)
def test_what_does_not_fit_a_field_is_refused(arguments: dict[str, object]) -> None:
    with refused("not_arguments"):
        from_plain("test.turn", arguments)


def test_a_field_that_came_later_has_its_default() -> None:
    assert from_plain("test.turn", {"case_ids": [1, 2]}) == Turn((1, 2))


def test_what_a_citizen_told_is_left_out_and_the_rest_reads_as_before() -> None:
    arguments = {"source": "hotline", "category_id": 7, "reporter_name": "张三", "reporter_phone": "138"}
    bare = without_private("case.report", arguments)
    assert bare == {**arguments, "reporter_name": "", "reporter_phone": ""}
    assert from_plain("case.report", bare).category_id == 7
    assert without_private("no.such", arguments) == arguments
