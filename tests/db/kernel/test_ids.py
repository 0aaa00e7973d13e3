"""Ids are unique and ascending: over threads, stations, programs, and when the clock is set back."""

from __future__ import annotations

import itertools
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.kernel.ids import EPOCH_MS, STATIONS, IdMaker, first_id_at, made_at_ms, random_station

counts = st.lists(st.integers(1, 5000), min_size=1, max_size=6)


@pytest.fixture
def clock_ms(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the computer's clock says; may be set."""
    at = [1_773_626_400_000]
    monkeypatch.setattr(time, "time_ns", lambda: at[0] * 1_000_000)
    return at


@given(counts)
def test_ids_ascend_however_many_are_asked_for_at_once(counts: list[int]) -> None:
    make = IdMaker(3)
    made = [one for count in counts for one in make.block(count)]
    assert made == sorted(set(made))
    assert make.last > made[-1]


def test_ids_ascend_when_the_clock_is_set_back(clock_ms: list[int]) -> None:
    make = IdMaker(3)
    made = []
    for step in (0, 5, -3_600_000, 1, -1, 7_200_000):
        clock_ms[0] += step
        made += [make(), make()]
    assert all(a < b for a, b in itertools.pairwise(made))


def test_threads_get_different_ids() -> None:
    make = IdMaker(3)
    made: list[list[int]] = []

    def work() -> None:
        mine = [make() for _ in range(2000)]
        assert mine == sorted(mine)
        made.append(mine)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(itertools.chain(*made))) == 8000


def test_stations_never_make_the_same_id_in_the_same_millisecond(clock_ms: list[int]) -> None:
    made = [one for station in (0, 1, STATIONS - 1) for one in IdMaker(station).block(3000)]
    assert len(set(made)) == 9000


def test_a_second_program_of_the_station_goes_on_after_the_first(clock_ms: list[int]) -> None:
    first, second = IdMaker(3), IdMaker(3)
    made = first.block(5000)
    clock_ms[0] -= 60_000
    second.after(first.last)
    made += second.block(5)
    first.after(second.last)
    made.append(first())
    assert all(a < b for a, b in itertools.pairwise(made))


def test_going_on_after_ones_own_last_id_skips_nothing(clock_ms: list[int]) -> None:
    make = IdMaker(3)
    first = make()
    make.after(make.last)
    make.after(first)
    assert make() == first + 1


def test_an_id_tells_when_it_was_made_and_fits_a_signed_64_bit_column(clock_ms: list[int]) -> None:
    made = IdMaker(STATIONS - 1)()
    assert made_at_ms(made) == clock_ms[0]
    clock_ms[0] = EPOCH_MS + (1 << 42) - 1
    assert 0 < IdMaker(STATIONS - 1).block(2048)[-1] < 1 << 63


@pytest.mark.parametrize("station", [-1, STATIONS])
def test_a_station_outside_the_range_is_refused(station: int) -> None:
    with pytest.raises(ValueError, match="station must be"):
        IdMaker(station)


def test_a_random_station_is_one() -> None:
    assert all(0 <= random_station() < STATIONS for _ in range(100))


@given(st.integers(0, STATIONS - 1))
def test_no_id_of_a_moment_is_smaller_than_its_first(station: int) -> None:
    made = IdMaker(station)()
    assert first_id_at(made_at_ms(made)) <= made < first_id_at(made_at_ms(made) + 1)
    assert first_id_at(0) == 0
