"""A list under any filter and order shows what plain sorting and filtering would, after any change."""

from __future__ import annotations

import math
import random
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.cases.queries import CLOSINGS, REQUEST_BITS, SOURCE_CODES, STATE_CODES
from db.cases.rules import light
from db.live import lens as lens_module
from db.live.claims import NO_CLAIMS, Claimed, Claims
from db.live.delta import Delta
from db.live.filters import EVERYTHING, Filter, Scope
from db.live.lens import ORDER_KEYS, Lens, Match, _ranks_of_few, _ranks_of_many, _repeats
from db.live.remaining import Remaining
from db.live.shapes import Ring
from db.live.store import Store
from tests.db.live.rows import (
    DAY,
    DIRECTORY,
    HOUR,
    NOON,
    ZONE,
    Model,
    Row,
    any_delta,
    case_row,
    delta_of,
    is_open,
    is_returned,
    runs,
)
from tests.db.live.test_filters import filters

LEARNED = Remaining(
    {
        "pending_handle": {"": 5 * HOUR, "s/matter/01": 9 * HOUR},
        "handling": {"": HOUR, "s/matter/00": 2 * HOUR},
    }
)
orders = st.tuples(st.sampled_from(ORDER_KEYS), st.booleans())


def light_of(row: Row, now_ms: int) -> int:
    return int(light(now_ms, row["due_at"], row["soon_at"], row["stopped_at"]))


def within(value: int, span: tuple[int | None, int | None]) -> bool:
    return (span[0] is None or value >= span[0]) and (span[1] is None or value < span[1])


def in_triangle(ring: Ring, lon: float, lat: float) -> bool:
    """Whether all three sides see the point on the same hand."""
    sides = [
        (b[0] - a[0]) * (lat - a[1]) - (b[1] - a[1]) * (lon - a[0])
        for a, b in zip(ring, (*ring[1:], ring[0]), strict=True)
    ]
    return all(side > 0 for side in sides) or all(side < 0 for side in sides)


def passes(chosen: Filter, row: Row, now_ms: int, claimant: int = 0) -> bool:
    """The filter in plain words, scope apart."""
    major = DIRECTORY.major_of.get(row["category_id"], "")
    return all(
        (
            not chosen.states or row["state"] in chosen.states,
            not chosen.sources or row["source"] in chosen.sources,
            not chosen.lights or light_of(row, now_ms) in chosen.lights,
            not chosen.districts or row["district_id"] in chosen.districts,
            not chosen.communities or row["community_id"] in chosen.communities,
            not chosen.patrols or row["patrol_id"] in chosen.patrols,
            not chosen.cells or row["cell_id"] in chosen.cells,
            not chosen.units or row["unit_id"] in chosen.units,
            not chosen.categories or row["category_id"] in chosen.categories,
            not chosen.majors or major in chosen.majors,
            not chosen.priorities or row["priority"] in chosen.priorities,
            not chosen.holders or row["holder_id"] in chosen.holders,
            not chosen.claimants or claimant in chosen.claimants,
            not chosen.requests or any(row["requests"] & REQUEST_BITS[kind] for kind in chosen.requests),
            not chosen.tags or not chosen.tags.isdisjoint(row["tags"].split()),
            not chosen.supervised or row["supervised"],
            not chosen.returned or is_returned(row),
            chosen.mine is None
            or (0 < chosen.mine[0] == claimant)
            or (0 < chosen.mine[1] == row["holder_id"]),
            chosen.shape is None or in_triangle(chosen.shape, row["lon"], row["lat"]),
            chosen.slack is None or (runs(row) and within(row["due_at"] - now_ms, chosen.slack)),
            chosen.arrived is None or within(row["reported_at"], chosen.arrived),
            chosen.closed is None
            or (
                row["state"] in CLOSINGS and row["closed_at"] > 0 and within(row["closed_at"], chosen.closed)
            ),
            not chosen.no_position or math.isnan(row["lon"]),
            chosen.box is None
            or (
                chosen.box[0] <= row["lon"] <= chosen.box[2] and chosen.box[1] <= row["lat"] <= chosen.box[3]
            ),
            chosen.ids is None or row["id"] in chosen.ids,
            all(word in f"{row['number']} {row['address']}".lower() for word in chosen.text.lower().split()),
        )
    )


def in_scope(scope: Scope, row: Row) -> bool:
    if scope is Scope.OPEN:
        return is_open(row)
    return scope is Scope.ALL or (row["state"] in CLOSINGS and row["closed_at"] >= DAY)


def sort_key(key: str, descending: bool, row: Row, now_ms: int) -> tuple[Any, ...]:
    """The order in plain words; text runs backwards by its code points."""
    if key in ("slack", "left"):
        if not row["due_at"]:
            return (1, row["reported_at"], row["id"])
        left = row["due_at"] - (row["stopped_at"] or now_ms)
        if key == "slack":
            left -= LEARNED.of(row["state"], DIRECTORY.major_of.get(row["category_id"], ""))
        return (0, -left if descending else left, row["id"])
    value: Any
    if key in ("category", "unit", "district"):
        kind = {"category": DIRECTORY.categories, "unit": DIRECTORY.units, "district": DIRECTORY.areas}[key]
        i = row[f"{key}_id"]
        value = (0 if i == 0 else 1 if i in kind else 2) * 1000 + (list(kind).index(i) if i in kind else i)
    elif key == "state":
        value = STATE_CODES.index(row["state"])
    elif key == "source":
        value = SOURCE_CODES.index(row["source"])
    elif key == "priority":
        value = -row["priority"]
    elif key == "light":
        value = [2, 1, 0, 3][light_of(row, now_ms)]
    else:
        value = row[key]
    if descending:
        value = (*(-ord(c) for c in value), 1) if isinstance(value, str) else -value
    return (value, row["id"])


def wanted(
    model: Model,
    chosen: Filter,
    key: str,
    descending: bool,
    now_ms: int,
    claims: Claims = NO_CLAIMS,
) -> list[int]:
    taken = {i: each.account_id for i, each in claims.at(now_ms).by_case.items()}
    rows = [
        r
        for r in model.rows.values()
        if in_scope(chosen.scope, r) and passes(chosen, r, now_ms, taken.get(r["id"], 0))
    ]
    return [r["id"] for r in sorted(rows, key=lambda row: sort_key(key, descending, row, now_ms))]


def shown(lens: Lens) -> list[int]:
    return lens.store.id[lens.rows].tolist()


def a_lens(*rows: Row, chosen: Filter | None = None) -> Lens:
    store = Store(ZONE, NOON)
    store.name_anew(DIRECTORY)
    store.learn(LEARNED)
    store.apply(delta_of(rows))
    return Lens(store, chosen)


some_claims = st.dictionaries(
    st.integers(1, 30),
    st.builds(Claimed, st.integers(1, 3), st.just("王敏"), st.integers(NOON, NOON + 12 * HOUR)),
    max_size=6,
).map(Claims)
steps = st.lists(
    st.one_of(any_delta(), st.integers(0, 4 * HOUR), filters, orders, some_claims), min_size=1, max_size=10
)


@pytest.mark.parametrize("patch_share", [0, 16])
@given(steps)
def test_after_any_steps_the_list_is_what_plain_sorting_gives(
    patch_share: int, taken: list[Delta | int | Filter | tuple[str, bool] | Claims]
) -> None:
    """With a share of 0 each change is laid in; with 16 so short a list is sorted afresh."""
    with patch.object(lens_module, "_PATCH_SHARE", patch_share):
        follow(taken)


def follow(taken: list[Delta | int | Filter | tuple[str, bool] | Claims]) -> None:
    lens, model, claims = a_lens(), Model(), NO_CLAIMS
    store, now_ms = lens.store, NOON
    for step in taken:
        before = lens.rows.copy()
        if isinstance(step, Delta):
            model.apply(step)
            changed = lens.update(store.apply(step))
        elif isinstance(step, int):
            # Steps may reach midnight; what is then shown of the new day another test looks at.
            now_ms = min(now_ms + step, DAY + 24 * HOUR - 1)
            changed = lens.update(store.roll(now_ms))
        elif isinstance(step, Filter):
            changed = lens.set_filter(step)
        elif isinstance(step, Claims):
            claims = step
            changed = lens.update(store.apply(delta_of([], claims=claims)))
        else:
            changed = lens.set_order(*step)
        expected = wanted(model, lens.filter, lens.order_key, lens.descending, now_ms, claims)
        assert shown(lens) == expected
        assert changed or np.array_equal(before, lens.rows)
        assert set(np.flatnonzero(lens.mask).tolist()) == set(lens.rows.tolist())
        assert len(lens.mask) == store.size
        for row, case_id in enumerate(shown(lens)):
            assert lens.row_of(case_id) == row
            assert lens.id_at(row) == case_id


@given(any_delta(), filters)
def test_a_part_left_out_of_the_match_is_the_filter_without_it(delta: Delta, chosen: Filter) -> None:
    lens = a_lens(chosen=chosen)
    lens.update(lens.store.apply(delta))
    for part, _values in chosen.parts():
        other = Lens(lens.store, chosen.without(part))
        assert np.array_equal(lens.match.without(part), other.match.all)
    assert np.array_equal(lens.match.without(), lens.match.all)


def test_small_changes_in_a_long_list_are_laid_in_at_their_places() -> None:
    """So few of so many that the list is patched rather than sorted."""
    rows = {i: case_row(i, reported_at=DAY + (i * 7919) % 5000) for i in range(1, 2001)}
    lens = a_lens(*rows.values())
    for key in ("reported_at", "state", "light", "source", "slack", "number"):
        lens.set_order(key)
        for case_id in (2001, 5, 700, 2002):
            rows[case_id] = case_row(case_id, reported_at=DAY + case_id * 31 % 977, due_at=NOON + case_id)
            lens.update(lens.store.apply(delta_of([rows[case_id]], gone=[case_id + 1])))
            rows.pop(case_id + 1, None)
            model = Model()
            model.rows = rows
            assert shown(lens) == wanted(model, lens.filter, key, False, NOON)


def test_cases_without_a_clock_stand_last_whichever_way_the_time_left_runs() -> None:
    lens = a_lens(
        case_row(1, reported_at=DAY + 2),
        case_row(2, reported_at=DAY + 1),
        case_row(3, due_at=NOON + HOUR),
        case_row(4, due_at=NOON - HOUR),
    )
    assert shown(lens) == [4, 3, 2, 1]
    lens.set_order("slack", descending=True)
    assert shown(lens) == [3, 4, 2, 1]


def test_a_handed_back_case_falls_behind_as_other_clocks_run_on() -> None:
    lens = a_lens(
        case_row(1, state="pending_check", due_at=NOON + HOUR, stopped_at=NOON),
        case_row(2, due_at=NOON + 2 * HOUR),
    )
    assert shown(lens) == [1, 2]
    assert lens.update(lens.store.roll(NOON + 2 * HOUR))
    assert shown(lens) == [2, 1]


def test_at_midnight_the_closed_of_today_are_gone_from_the_list() -> None:
    lens = a_lens(case_row(1, state="closed", closed_at=NOON), case_row(2), chosen=EVERYTHING)
    lens.update(lens.store.roll(DAY + 24 * HOUR))
    assert shown(lens) == [2]


def test_keys_too_far_apart_for_one_number_are_sorted_all_the_same() -> None:
    far = 1 << 61
    lens = a_lens(case_row(1, reported_at=far), case_row(2, reported_at=0), case_row(3, reported_at=far))
    lens.set_order("reported_at")
    assert shown(lens) == [2, 1, 3]


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(ValueError, match="no order key"):
        a_lens().set_order("weather")


def test_a_case_that_is_not_in_the_list_has_no_row() -> None:
    lens = a_lens(case_row(1), chosen=Filter(units=frozenset({9})))
    assert lens.count == 0
    assert lens.row_of(1) is None
    assert lens.row_of(404) is None
    assert lens.total_open == 1
    assert Match.everything(lens.store).without("units").sum() == 1


def test_texts_that_repeat_and_texts_that_do_not_are_ranked_alike() -> None:
    draw = random.Random(7)
    for texts in (
        [draw.choice(("荆河路1号", "善国路2号", "")) for _place in range(300)],
        [f"{draw.random()}" for _place in range(300)],
        [],
    ):
        wanted = [sorted(set(texts)).index(text) for text in texts]
        assert _ranks_of_few(texts).tolist() == wanted
        assert _ranks_of_many(texts, np.empty(0, dtype=np.int64)).tolist() == wanted
        assert _ranks_of_many([*texts, "\uffff"], _ranks_of_few(texts)).tolist()[: len(texts)] == wanted
    assert _repeats(["a", "a", "a", "a", "b"])
    assert not _repeats(["a", "b", "c", "a"])
