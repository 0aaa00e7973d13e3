"""Columns of points: what the page is told after each change."""

from __future__ import annotations

import json

import numpy as np
import pytest

from desktop.map.points import PointColumns


def head(answer: bytes) -> dict[str, object]:
    length = int.from_bytes(answer[:4], "little")
    assert (4 + length) % 8 == 0
    return json.loads(answer[4 : 4 + length])


def filled(count: int) -> PointColumns:
    columns = PointColumns()
    columns.replace(1, np.full(count, 117.0), np.full(count, 35.0), np.zeros(count), np.ones(count))
    return columns


def test_a_page_that_knows_nothing_gets_everything() -> None:
    columns = filled(10)
    columns.patch(2, [3], [117.1], [35.1], [2], [True])
    assert head(columns.since(0, 2)) == {
        "generation": 2, "length": 10, "count": 10, "whole": True, "masked": False,
    }  # fmt: skip


def test_a_page_that_is_behind_gets_only_what_was_touched_since() -> None:
    columns = filled(10)
    columns.patch(2, [3], [117.1], [35.1], [2], [True])
    columns.patch(3, [3, 4], [117.2] * 2, [35.1] * 2, [1] * 2, [True] * 2)
    assert head(columns.since(1, 3))["count"] == 2
    assert head(columns.since(3, 3))["count"] == 0


def test_a_mask_travels_as_bits_and_without_positions() -> None:
    columns = filled(800)
    columns.show(2, np.zeros(800, bool))
    answer = columns.since(1, 2)
    assert head(answer)["masked"] is True
    assert head(answer)["count"] == 0
    assert len(answer) < 250


def test_when_most_slots_changed_a_whole_copy_is_sent() -> None:
    columns = filled(10)
    columns.patch(2, range(8), [117.0] * 8, [35.0] * 8, [0] * 8, [True] * 8)
    assert head(columns.since(1, 2))["whole"] is True


def test_slots_beyond_the_end_grow_the_columns_and_the_gap_stays_hidden() -> None:
    columns = filled(2)
    columns.patch(2, [5], [117.1], [35.1], [2], [True])
    assert len(columns) == 6
    columns.patch(3, [], [], [], [], [])
    assert len(columns) == 6


def test_columns_of_different_length_are_refused() -> None:
    columns = filled(3)
    with pytest.raises(ValueError, match="different length"):
        columns.patch(2, [0, 1], [117.0], [35.0], [0], [True])
    with pytest.raises(ValueError, match="different length"):
        columns.show(2, [True])
    columns.show(2, [True] * 5)
    assert len(columns) == 5
    with pytest.raises(ValueError, match="never negative"):
        columns.patch(2, [-1], [117.0], [35.0], [0], [True])
