"""What is kept by column tells the same text as one dictionary for each row would."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.engine.columns import canonical
from db.engine.diffs import Diff, Diffs

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.floats(allow_nan=False),
    st.sampled_from(["", "100%", "%s", '"井盖"\n', "\\"]),
    st.lists(st.sampled_from(["a", 1, None]), max_size=2),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["came", "changed", "went"]), st.sets(st.integers(1, 5), min_size=1), VALUES, VALUES
    ),
    max_size=6,
)


class Model:
    """One table of rows ``{id, a, b}``, and the first known state of each row that was touched."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {key: {"id": key, "a": key, "b": "x"} for key in (1, 2, 3)}
        self.first: dict[int, dict[str, Any] | None] = {}

    def set(self, key: int, row: dict[str, Any] | None) -> None:
        self.first.setdefault(key, self.rows.get(key))
        self.rows.pop(key, None)
        if row is not None:
            self.rows[key] = row


@given(STEPS)
def test_whatever_is_done_in_turn_the_first_and_the_last_value_are_told(steps: list[Any]) -> None:
    diffs, model = Diffs(), Model()
    for what, keys, one, other in steps:
        ids = sorted(key for key in keys if (key in model.rows) != (what == "came"))
        if not ids:
            continue
        if what == "came":
            rows = [{"id": key, "a": one if key % 2 else other, "b": other} for key in ids]
            diffs.came(ids, ("b", "id", "a"), [[row[name] for row in rows] for name in ("b", "id", "a")])
            for key, row in zip(ids, rows, strict=True):
                model.set(key, row)
        elif what == "changed":
            before = [model.rows[key]["a"] for key in ids]
            diffs.changed(ids, ("a",), [before], [[one] * len(ids)])
            for key in ids:
                model.set(key, {**model.rows[key], "a": one})
        else:
            rows = [model.rows[key] for key in ids]
            diffs.went(ids, ("id", "a", "b"), [[row[name] for row in rows] for name in ("id", "a", "b")])
            for key in ids:
                model.set(key, None)
    told = dict(json.loads(diffs.text()))
    assert set(told) == set(diffs.ids)
    for key, first in model.first.items():
        _holds(told.get(key), first, model.rows.get(key))


def _holds(diff: Diff | None, first: dict[str, Any] | None, last: dict[str, Any] | None) -> None:
    if first is None and last is None:
        assert diff is None
        return
    assert diff is not None
    assert ("id" in diff) == (first is None or last is None)
    for name, pair in diff.items():
        assert pair == [(first or {}).get(name), (last or {}).get(name)]
    for name in ("a", "b"):
        if canonical((first or {}).get(name)) != canonical((last or {}).get(name)):
            assert name in diff


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=5))
def test_the_text_is_canonical(rows: list[tuple[Any, Any, Any]]) -> None:
    diffs = Diffs()
    ids = list(range(1, len(rows) + 1))
    before, after, other = zip(*rows, strict=True)
    diffs.changed(ids, ("ö", "a%d"), [before, other], [after, other])
    plain = [
        [key, {"ö": [was, now], "a%d": [same, same]}] for key, (was, now, same) in zip(ids, rows, strict=True)
    ]
    assert diffs.text() == canonical(plain)


@pytest.mark.parametrize("values", [[True, 1], [1, 1.0], [None, 0], [False, False], [1.0, 1.0]])
def test_values_that_are_equal_and_print_otherwise_are_told_as_what_they_are(values: list[Any]) -> None:
    diffs = Diffs()
    diffs.came([1, 2], ("id", "a"), [[1, 2], values])
    assert [diff["a"][1] for _key, diff in json.loads(diffs.text())] == values
    assert diffs.text() == canonical(
        [[key, {"id": [None, key], "a": [None, value]}] for key, value in zip((1, 2), values, strict=True)]
    )


def test_of_nothing_there_is_nothing_to_tell() -> None:
    diffs = Diffs()
    diffs.came([1], ("id",), [[1]])
    diffs.went([1], ("id",), [[1]])
    assert not diffs.ids
    diffs.came([2], ("id",), [[2]])
    assert diffs.text() == '[[2,{"id":[null,2]}]]'
