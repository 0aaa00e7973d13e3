"""States, sources and the light: green to 80 % of the limit, amber to 100 %, red over."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.cases.rules import LIGHT_LABELS, PUBLIC_SOURCES, SOURCES, STATES, Light, light, lights


@pytest.mark.parametrize(
    "now, stopped, expected",
    [
        (80, 0, Light.ON_TIME),
        (81, 0, Light.SOON),
        (100, 0, Light.SOON),
        (101, 0, Light.OVER),
        (500, 80, Light.ON_TIME),
        (500, 100, Light.SOON),
        (500, 101, Light.OVER),
    ],
)
def test_the_light_turns_after_the_moment_and_stands_when_handed_back(
    now: int, stopped: int, expected: Light
) -> None:
    assert light(now, due_at=100, soon_at=80, stopped_at=stopped) is expected


def test_without_a_due_time_no_clock_runs() -> None:
    assert light(500, 0, 0) is light(500, 0, 0, 70) is Light.NO_CLOCK


@given(
    now=st.integers(1, 1000),
    cases=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(0, 900))),
)
def test_many_lights_are_each_as_alone(now: int, cases: list[tuple[int, int, int]]) -> None:
    table = np.array([(due, min(soon, due), stopped) for due, soon, stopped in cases], dtype=np.int64)
    due, soon, stopped = table.reshape(-1, 3).T
    found = lights(now, due, soon, stopped)
    assert found.dtype == np.uint8
    assert found.tolist() == [light(now, *map(int, each)) for each in table.reshape(-1, 3)]


def test_every_code_has_a_word() -> None:
    assert set(LIGHT_LABELS) == set(Light)
    assert all(code == state.code and state.label for code, state in STATES.items())
    assert set(SOURCES) > PUBLIC_SOURCES
    assert {code for code, state in STATES.items() if not state.open} == {
        "closed",
        "merged",
        "rejected",
        "void",
        "forced",
    }
