"""A queue counts as many cases as its filter shows, for everybody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from db.kernel.actor import Actor
from db.live.board import Board
from db.live.claims import Claimed, Claims
from db.live.delta import Delta
from db.live.filters import Filter
from db.live.lens import ORDER_KEYS, Lens
from db.live.queues import QUEUES, STAGE_QUEUES, counts, queue_filter
from tests.db.live.rows import NOON, ZONE, any_delta, case_row, delta_of
from tests.db.live.test_lens import some_claims

WANG = Actor(2, "王敏", person_id=3)


@given(any_delta(), some_claims)
def test_each_count_is_the_length_of_the_list_that_it_opens(delta: Delta, claims: Claims) -> None:
    board = Board(ZONE, NOON)
    board.apply(delta)
    board.apply(delta_of([], claims=claims))
    shown = {queue.id: Lens(board.store, queue_filter(queue.id, WANG)).count for queue in QUEUES}
    assert counts(board, WANG) == shown


@given(any_delta())
def test_the_queues_of_the_stages_share_out_all_open_cases(delta: Delta) -> None:
    board = Board(ZONE, NOON)
    board.apply(delta)
    found = counts(board, WANG)
    assert sum(found[queue_id] for queue_id in STAGE_QUEUES) == board.store.total_open


def test_mine_is_what_i_claimed_and_what_i_hold_until_the_claim_ends() -> None:
    board = Board(ZONE, NOON)
    rows = [case_row(1, state="reported"), case_row(2, holder_id=3), case_row(3, holder_id=4)]
    board.apply(delta_of(rows, claims=Claims({1: Claimed(2, "王敏", NOON + 60_000)})))
    assert counts(board, WANG)["mine"] == 2
    board.set_filter(queue_filter("mine", WANG))
    news = board.tick(NOON + 60_000)
    assert news.rows_changed
    assert board.store.id[board.lens.rows].tolist() == [2]
    assert counts(board, WANG)["mine"] == 1
    assert counts(board, Actor(0, "nobody"))["mine"] == 0


def test_every_queue_has_an_order_and_a_filter_of_its_own() -> None:
    assert all(queue.order in ORDER_KEYS for queue in QUEUES)
    assert len({queue_filter(queue.id, WANG) for queue in QUEUES}) == len(QUEUES)
    assert Filter() not in {queue_filter(queue.id, WANG) for queue in QUEUES}


@given(st.integers(1, 5))
def test_a_filter_on_claimants_follows_claims(account_id: int) -> None:
    board = Board(ZONE, NOON)
    board.apply(delta_of([case_row(1), case_row(2)]))
    board.set_filter(Filter(claimants=frozenset({account_id})))
    assert board.lens.count == 0
    board.apply(delta_of([], claims=Claims({2: Claimed(account_id, "李强", NOON + 1)})))
    assert board.store.id[board.lens.rows].tolist() == [2]
    board.set_filter(Filter(claimants=frozenset({0})))
    assert board.store.id[board.lens.rows].tolist() == [1]
