"""A filter is a value: it is stored, compared, taken apart and put together."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.cases.rules import REQUESTS, SOURCES, STATES
from db.live.filters import EVERYTHING, PARTS, SETS, Filter, Scope

spans = st.one_of(
    st.none(), st.tuples(st.one_of(st.none(), st.integers()), st.one_of(st.none(), st.integers()))
)
some_ids = st.frozensets(st.integers(0, 3), max_size=3)
filters = st.builds(
    Filter,
    states=st.frozensets(st.sampled_from(list(STATES)), max_size=3),
    lights=st.frozensets(st.integers(0, 3), max_size=3),
    districts=some_ids,
    communities=some_ids,
    patrols=some_ids,
    cells=some_ids,
    units=some_ids,
    categories=some_ids,
    majors=st.frozensets(st.sampled_from(["s/matter/00", "s/matter/01"]), max_size=1),
    sources=st.frozensets(st.sampled_from(list(SOURCES)), max_size=3),
    priorities=st.frozensets(st.integers(0, 2), max_size=2),
    holders=some_ids,
    claimants=some_ids,
    requests=st.frozensets(st.sampled_from(list(REQUESTS)), max_size=2),
    tags=st.frozensets(st.sampled_from(["占道", "两会", "无"]), max_size=2),
    supervised=st.booleans(),
    returned=st.booleans(),
    mine=st.one_of(st.none(), st.tuples(st.integers(0, 3), st.integers(0, 3))),
    slack=spans,
    arrived=spans,
    closed=spans,
    no_position=st.booleans(),
    text=st.text(alphabet="ab 荆河路A-1", max_size=3),
    box=st.one_of(st.none(), st.just((117.2, 35.2, 117.9, 35.8))),
    shape=st.one_of(st.none(), st.just(((117.1, 35.1), (117.9, 35.2), (117.5, 35.9)))),
    ids=st.one_of(st.none(), st.frozensets(st.integers(1, 30), max_size=9)),
    scope=st.sampled_from(Scope),
)


@given(filters)
def test_a_filter_comes_back_from_plain_as_it_was(chosen: Filter) -> None:
    assert Filter.from_plain(json.loads(json.dumps(chosen.as_plain()))) == chosen


@given(filters)
def test_each_set_part_is_a_chip_and_taking_all_off_leaves_nothing(chosen: Filter) -> None:
    parts = [part for part, _values in chosen.parts()]
    assert parts == [part for part in PARTS if chosen.has(part)]
    for part in parts:
        assert not chosen.without(part).has(part)
        chosen = chosen.without(part)
    assert chosen.is_empty


@given(filters, st.sampled_from(SETS))
def test_toggling_twice_changes_nothing(chosen: Filter, part: str) -> None:
    for value in getattr(chosen, part) | {1}:
        once = chosen.toggled(part, value)
        assert (value in getattr(once, part)) != (value in getattr(chosen, part))
        assert once.toggled(part, value) == chosen


def test_a_span_is_taken_and_let_go() -> None:
    chosen = Filter().toggled("slack", (0, 10))
    assert chosen.slack == (0, 10)
    assert chosen.toggled("slack", (0, 20)).slack == (0, 20)
    assert chosen.toggled("slack", (0, 10)) == Filter()


def test_equal_filters_are_one_key() -> None:
    assert len({Filter(units=frozenset({1, 2})), Filter(units=frozenset({2, 1}))}) == 1


def test_the_scope_alone_is_an_empty_filter() -> None:
    assert EVERYTHING.is_empty
    assert EVERYTHING.as_plain() == {"scope": "all"}


@pytest.mark.parametrize(
    "plain",
    [
        {"nothing": 1},
        {"states": ["sleeping"]},
        {"lights": [7]},
        {"units": "12"},
        {"units": ["a"]},
        {"slack": [1]},
        {"slack": ["a", None]},
        {"box": [1, 2]},
        {"mine": [1, "a"]},
        {"mine": [1]},
        {"shape": [[1, 2], [3]]},
        {"tags": "占道"},
        {"requests": ["sleep"]},
        {"priorities": [9]},
        {"supervised": 1},
        {"text": 3},
        {"no_position": "yes"},
        {"scope": "tomorrow"},
        {"ids": None},
    ],
)
def test_what_is_no_filter_is_not_read_as_one(plain: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not a|unpack|valid"):
        Filter.from_plain(plain)
