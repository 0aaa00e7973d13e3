"""The store holds what a dictionary would hold, in slots that stay."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from db.cases.queries import REQUEST_BITS
from db.cases.rules import Light, light
from db.live.delta import Delta
from db.live.directory import Directory, Entry
from db.live.store import NEVER, Store
from tests.db.live.rows import (
    DAY,
    HOUR,
    NOON,
    ZONE,
    Model,
    Row,
    any_delta,
    case_row,
    delta_of,
    is_returned,
)

changes = st.lists(any_delta(), max_size=6)


def a_store(*rows: dict[str, object], now_ms: int = NOON) -> Store:
    store = Store(ZONE, now_ms)
    store.apply(delta_of(rows))
    return store


def as_shown(row: Row) -> Row:
    """The marks of a row in words, as ``Store.plain`` gives them."""
    return row | {
        "requests": tuple(kind for kind, bit in REQUEST_BITS.items() if row["requests"] & bit),
        "tags": tuple(row["tags"].split()),
        "helpers": tuple(map(int, row["helpers"].split())),
        "returned": is_returned(row),
    }


def ids_at(store: Store, slots: np.ndarray) -> list[int]:
    return sorted(store.id[slots].tolist())


@given(changes)
def test_any_changes_leave_the_same_rows_as_a_dictionary(deltas: list[Delta]) -> None:
    store, model = Store(ZONE, NOON), Model()
    for delta in deltas:
        store.apply(delta)
        model.apply(delta)
        assert {store.id[s].item() for s in np.flatnonzero(store.alive)} == model.rows.keys()
        for case_id, row in model.rows.items():
            slot = store.slot_of(case_id)
            assert slot is not None
            found = store.plain(slot)
            for name, value in as_shown(row).items():
                same = found[name] == value or (isinstance(value, float) and math.isnan(value))
                assert same, (name, value, found[name])
            assert found["light"] == light(NOON, row["due_at"], row["soon_at"], row["stopped_at"])


@given(changes)
def test_a_case_keeps_its_slot_while_it_is_in_the_store(deltas: list[Delta]) -> None:
    store = Store(ZONE, NOON)
    before: dict[int, int] = {}
    for delta in deltas:
        applied = store.apply(delta)
        now = {int(store.id[s]): int(s) for s in np.flatnonzero(store.alive)}
        assert all(now[i] == slot for i, slot in before.items() if i in now and slot not in applied.removed)
        before = now


@given(changes)
def test_what_is_told_is_what_happened(deltas: list[Delta]) -> None:
    store = Store(ZONE, NOON)
    for delta in deltas:
        before = {int(s) for s in np.flatnonzero(store.alive)}
        applied = store.apply(delta)
        after = {int(s) for s in np.flatnonzero(store.alive)}
        added, changed, removed = (
            set(part.tolist()) for part in (applied.added, applied.changed, applied.removed)
        )
        assert after == (before - removed) | added
        assert not added & removed
        assert changed <= before & after
        assert added == after - before


@given(changes)
def test_ranks_stand_in_the_order_of_the_ids(deltas: list[Delta]) -> None:
    store = Store(ZONE, NOON)
    for delta in deltas:
        store.apply(delta)
        slots = np.flatnonzero(store.alive)
        by_rank = slots[np.argsort(store.rank[slots])]
        assert store.id[by_rank].tolist() == sorted(store.id[slots].tolist())
        assert store.by_rank[store.rank[slots]].tolist() == slots.tolist()


@given(changes, st.text(alphabet="abAN-1 荆井盖", max_size=3))
def test_a_search_finds_what_holds_every_word(deltas: list[Delta], text: str) -> None:
    store, model = Store(ZONE, NOON), Model()
    for delta in deltas:
        store.apply(delta)
        model.apply(delta)
    found = store.find(text) & store.alive
    wanted = {
        case_id
        for case_id, row in model.rows.items()
        if all(word in f"{row['number']} {row['address']}".lower() for word in text.lower().split())
    }
    assert set(store.id[found].tolist()) == wanted


def test_a_search_finds_the_names_of_category_and_unit_too() -> None:
    names = Directory(
        units={7: Entry(7, "u7", "城关中队", "Chengguan squad")},
        categories={9: Entry(9, "09006", "占道经营", "Trading on the road", major="x")},
    )
    store = a_store(case_row(1, unit_id=7, category_id=9, address="龙泉路1号"), case_row(2, address="学院路"))
    store.directory = names
    for text in ("占道", "trading ROAD", "城关 龙泉", "09006", "chengguan"):
        assert ids_at(store, store.find(text) & store.alive) == [1], text
        assert store.has_words(store.slot_of(1), text.lower().split())
    assert not (store.find("城关 学院") & store.alive).any()


def test_a_case_that_ended_yesterday_is_not_kept() -> None:
    store = a_store(
        case_row(1, state="closed", reported_at=DAY - HOUR, closed_at=DAY - 1),
        case_row(2, state="closed", reported_at=DAY - HOUR, closed_at=DAY),
    )
    assert ids_at(store, store.alive) == [2]


def test_at_midnight_what_ended_today_leaves_and_what_is_open_stays() -> None:
    store = a_store(case_row(1, state="closed", closed_at=NOON), case_row(2))
    assert store.roll(DAY + 24 * HOUR - 1).is_empty
    removed = store.roll(DAY + 24 * HOUR).removed
    assert len(removed) == 1
    assert ids_at(store, store.alive) == [2]
    assert store.day_start_ms == DAY + 24 * HOUR


def test_a_slot_set_free_is_used_again_by_a_later_change() -> None:
    store = a_store(case_row(1), case_row(2))
    slot = store.slot_of(1)
    store.apply(delta_of([case_row(3)], gone=[1]))
    assert store.slot_of(3) != slot
    store.apply(delta_of([case_row(4)]))
    assert store.slot_of(4) == slot


def test_a_light_turns_one_millisecond_after_its_mark() -> None:
    store = a_store(case_row(1, due_at=NOON + HOUR, soon_at=NOON + HOUR // 2), case_row(2))
    assert store.next_turn() == NOON + HOUR // 2 + 1
    assert store.roll(NOON + HOUR // 2).is_empty
    assert ids_at(store, store.roll(NOON + HOUR // 2 + 1).turned) == [1]
    assert store.light[store.slot_of(1)] == Light.SOON
    assert store.next_turn() == NOON + HOUR + 1
    store.roll(NOON + HOUR + 1)
    assert store.light[store.slot_of(1)] == Light.OVER
    assert store.next_turn() == NEVER


def test_a_clock_set_back_turns_lights_back() -> None:
    store = a_store(case_row(1, due_at=NOON - HOUR, soon_at=NOON - 2 * HOUR))
    assert store.light[store.slot_of(1)] == Light.OVER
    assert len(store.roll(NOON - 3 * HOUR).turned) == 1
    assert store.light[store.slot_of(1)] == Light.ON_TIME


@given(changes, st.lists(st.integers(-40 * HOUR, 60 * HOUR), max_size=5))
def test_lights_are_right_at_every_moment(deltas: list[Delta], steps: list[int]) -> None:
    store = Store(ZONE, NOON)
    for delta in deltas:
        store.apply(delta)
    for step in steps:
        store.roll(NOON + step)
        for slot in np.flatnonzero(store.alive):
            row = store.plain(int(slot))
            assert row["light"] == light(store.now_ms, row["due_at"], row["soon_at"], row["stopped_at"])


def test_thousands_of_cases_make_the_store_grow() -> None:
    store = a_store(*(case_row(i) for i in range(1, 5001)))
    assert len(store) == store.total_open == 5000
    assert ids_at(store, store.alive) == list(range(1, 5001))
