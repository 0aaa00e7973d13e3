"""The queues by duty: for each work of the closed loop the cases that wait for it, and how many they are.

The first seven share out all open cases; the others look across them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from db.cases.queries import STATE_CODES
from db.cases.rules import Light
from db.kernel.actor import Actor
from db.kernel.language import N_
from db.live.board import Board
from db.live.columns import Mask
from db.live.filters import Filter
from db.live.lens import belongs_to
from db.live.store import Store


@dataclass(frozen=True)
class Queue:
    """One queue: its name, and what the list is ordered by when it is opened."""

    id: str
    title: str
    order: str = "slack"


STAGE_QUEUES: Mapping[str, frozenset[str]] = {
    "accept": frozenset({"reported"}),
    "verify": frozenset({"pending_verify"}),
    "file": frozenset({"pending_register"}),
    "dispatch": frozenset({"pending_dispatch"}),
    "in_hand": frozenset({"pending_handle", "handling", "suspended"}),
    "check": frozenset({"pending_check"}),
    "close": frozenset({"pending_close"}),
}
"""The states of each queue that is a stage."""

QUEUES = (
    Queue("accept", N_("To accept"), "reported_at"),  # zh: 待受理
    Queue("verify", N_("To verify"), "reported_at"),  # zh: 待核实
    Queue("file", N_("To register"), "reported_at"),  # zh: 待立案
    Queue("dispatch", N_("To dispatch"), "reported_at"),  # zh: 待派遣
    Queue("in_hand", N_("In hand")),  # zh: 处置中
    Queue("check", N_("To check")),  # zh: 待核查
    Queue("close", N_("To close")),  # zh: 待结案
    Queue("returned", N_("Returned")),  # zh: 回退
    Queue("overdue", N_("Overdue"), "left"),  # zh: 超期
    Queue("supervised", N_("Supervised")),  # zh: 督办
    Queue("mine", N_("Mine")),  # zh: 我的
)


def queue_filter(queue_id: str, who: Actor) -> Filter:
    """The filter that shows a queue; raises ``KeyError`` for one that there is not."""
    if queue_id in STAGE_QUEUES:
        return Filter(states=STAGE_QUEUES[queue_id])
    return {
        "returned": Filter(returned=True),
        "overdue": Filter(lights=frozenset({int(Light.OVER)})),
        "supervised": Filter(supervised=True),
        "mine": Filter(mine=_person(who)),
    }[queue_id]


def counts(board: Board, who: Actor) -> dict[str, int]:
    """How many open cases stand in each queue, whatever the filter: as many as ``queue_filter`` shows."""
    store = board.store
    is_open = store.is_open
    by_state = np.bincount(store.state[is_open], minlength=len(STATE_CODES)).tolist()
    found = {
        queue_id: sum(by_state[STATE_CODES.index(code)] for code in states)
        for queue_id, states in STAGE_QUEUES.items()
    }
    across: dict[str, Callable[[Store], Mask]] = {
        "returned": lambda store: store.returned,
        "overdue": lambda store: store.light == Light.OVER,
        "supervised": lambda store: store.supervised,
        "mine": lambda store: belongs_to(store, _person(who)),
    }
    return found | {
        queue_id: int(np.count_nonzero(mask_of(store) & is_open)) for queue_id, mask_of in across.items()
    }


def _person(who: Actor) -> tuple[int, int]:
    return who.account_id, who.person_id or 0
