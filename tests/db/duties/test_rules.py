"""Who answers: the smallest area, the longest prefix, the named kind; blocks; changes on a line of days."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.duties.rules import LEVELS, NOBODY, Duty, allot, clashes, largest_blocks, overlay, resolve
from tests.db.duties.village import CITY, EAST, TODAY, WEST, an

LEVEL_OF = {CITY: 0, WEST: 1, EAST: 1, 11: 2, 12: 2, 21: 2, 22: 2} | {c * 10: 3 for c in (11, 12, 21, 22)}
PLACES = np.array(
    [
        (CITY, district, community, community * 10, 100 + n)
        for n, (district, community) in enumerate(
            ((WEST, 11), (WEST, 11), (WEST, 12), (EAST, 21), (EAST, 22), (EAST, 22)), start=1
        )
    ]
)
CLASSES = (
    ("component", "01001"), ("component", "01002"), ("matter", "01001"), ("matter", "06001"),
    ("matter", "06002"), ("matter", "09001"),
)  # fmt: skip


def winner(*duties: Duty, kind: str = "matter", code: str = "09001") -> int:
    levels = {CITY: 0, WEST: 1, 11: 2, 110: 3, 101: 4}
    found = resolve(duties, kind, code, levels, TODAY)
    return found.unit_id if found else 0


def test_the_smallest_area_wins_before_the_longest_prefix() -> None:
    assert winner(an(1, CITY, "09001", "matter"), an(2, WEST, "09"), an(3, 101)) == 3
    assert winner(an(1, CITY, "09001", "matter"), an(2, WEST, "09")) == 2


def test_in_one_area_the_longest_prefix_wins_and_then_the_named_kind() -> None:
    assert winner(an(1, WEST, "09"), an(2, WEST, "09001"), an(3, WEST, "09", "matter")) == 2
    assert winner(an(1, WEST, "09"), an(3, WEST, "09", "matter")) == 3


def test_what_is_about_something_else_is_not_heard() -> None:
    elsewhere, other_class, other_kind = an(1, EAST), an(1, WEST, "06"), an(1, WEST, "09", "component")
    ended, not_yet = an(1, until=TODAY - timedelta(1)), an(1, since=TODAY + timedelta(1))
    assert winner(elsewhere, other_class, other_kind, ended, not_yet) == 0
    assert winner(an(1, until=TODAY)) == 1
    assert winner(an(1, since=TODAY)) == 1


def test_of_two_of_equal_rank_the_later_one_answers_and_both_are_told() -> None:
    old, new = an(1, WEST, "09", row_id=5), an(2, WEST, "09", since=date(2025, 1, 1), row_id=4)
    assert winner(new, old) == winner(old, new) == 2
    assert clashes([new, old, an(3, EAST, "09")], TODAY) == [(old, new)]


duties = st.lists(
    st.builds(
        an,
        st.integers(1, 3),
        st.sampled_from([*LEVEL_OF, *range(101, 107)]),
        st.sampled_from(["", "01", "06", "09", "01001", "06002"]),
        st.sampled_from(["", "component", "matter"]),
        row_id=st.integers(1, 999),
    ),
    max_size=12,
    unique_by=lambda each: each.id,
)


@given(duties)
def test_all_at_once_is_the_same_as_one_by_one(drawn: list[Duty]) -> None:
    found = allot(drawn, PLACES, CLASSES, TODAY)
    for p, place in enumerate(PLACES.tolist()):
        levels = {area_id: level for level, area_id in enumerate(place)}
        for c, (kind, code) in enumerate(CLASSES):
            index = found.winner[p, c]
            wanted = resolve(drawn, kind, code, levels, TODAY)
            assert (found.duties[index] if index != NOBODY else None) == wanted
            twin = wanted is not None and sum(each.key == wanted.key for each in drawn) > 1
            assert found.clash[p, c] == twin


@given(st.integers(0, 2**36 - 1))
def test_the_blocks_tell_all_that_is_marked_and_nothing_else(bits: int) -> None:
    marked = np.array([bits >> n & 1 for n in range(36)], dtype=bool).reshape(6, 6)
    told = np.zeros_like(marked)
    for block in largest_blocks(marked, PLACES, CLASSES):
        rows = PLACES[:, block.level] == block.area_id
        columns = [block.kind in ("", k) and code.startswith(block.prefix) for k, code in CLASSES]
        box = np.ix_(rows, columns)
        assert (block.places, block.classes) == (rows.sum(), sum(columns))
        assert not told[box].all(), "a block that tells nothing new"
        told[box] = True
    assert (told == marked).all()


def test_the_largest_names_are_used() -> None:
    marked = np.zeros((6, 6), dtype=bool)
    marked[3:, 5] = marked[0, 3:5] = True
    marked[:, [0, 2]] = True
    told = [(LEVELS[b.level], b.area_id, b.kind, b.prefix) for b in largest_blocks(marked, PLACES, CLASSES)]
    assert told == [
        ("city", CITY, "", "01001"), ("district", EAST, "matter", "09"), ("cell", 101, "matter", "06"),
    ]  # fmt: skip


days = st.integers(0, 30).map(lambda n: date(2026, 1, 1) + timedelta(n))
spans = st.tuples(st.integers(1, 4), days, st.one_of(st.none(), st.integers(0, 12)))


@given(st.lists(spans, max_size=6))
def test_after_each_change_its_days_are_the_new_keepers_and_all_others_as_before(
    changes: list[tuple[int, date, int | None]],
) -> None:
    rows: list[Duty] = []

    def keeper(day: date) -> int:
        standing = [each.unit_id for each in rows if each.holds_on(day)]
        assert len(standing) <= 1, "two rows for one day"
        return standing[0] if standing else 0

    calendar = [date(2025, 12, 25) + timedelta(n) for n in range(70)]
    for number, (unit_id, first, length) in enumerate(changes):
        before = {day: keeper(day) for day in calendar}
        last = None if length is None else first + timedelta(length)
        planned = min((r.valid_from for r in rows if r.valid_from > first), default=date.max)
        rows = [
            each
            if each.id
            else an(each.unit_id, since=each.valid_from, until=each.valid_to, row_id=100 * number + n + 1)
            for n, each in enumerate(overlay(rows, an(unit_id, since=first, until=last)))
        ]
        for day in calendar:
            ours = first <= day and (day <= last if last else day < planned)
            assert keeper(day) == (unit_id if ours else before[day]), day


def test_saying_what_stands_changes_nothing() -> None:
    standing = [an(1, row_id=7)]
    assert overlay(standing, an(1, since=TODAY)) == standing
    assert overlay(standing, an(1, since=TODAY, until=TODAY)) == standing


@pytest.mark.parametrize("areas", [0, 3])
def test_without_duties_or_places_nobody_answers(areas: int) -> None:
    found = allot([], PLACES[:areas], CLASSES, TODAY)
    assert (found.winner == NOBODY).all()
    assert found.units.shape == (areas, 6)
