"""The steps that invented cases have taken, from their moments; one row per verb, in the order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from db.demo.history import CLOSED, MINUTE_MS, REJECTED, STATES, VOID, Cases
from db.demo.matters import GROUPS, SOURCES, Mix
from db.demo.partition import Ints

_DONE = {
    "parking": "已摆放整齐",
    "notice": "已清除",
    "heap": "已清移，现场恢复",
    "refuse": "已清理干净",
    "street": "已劝离，现场规范",
    "nuisance": "已制止并告知",
    "works": "已督促整改到位",
    "green": "已清理、修复",
    "road": "已修复",
    "component": "已维修，恢复完好",
}


@dataclass(frozen=True)
class Desk:
    """Who acts: ids and names of people by post, as arrays to draw from."""

    acceptor: Ints
    duty_leader: Ints
    dispatcher: Ints
    collector_of_patrol: Ints
    """Index of a collector for each patrol area."""
    handler_of_unit: Ints
    """(unit, 6) indices."""


@dataclass(frozen=True)
class Steps:
    """Steps as arrays; ``case`` and ``person`` are indices, ``unit`` -1 = none."""

    case: Ints
    at: Ints
    verb: npt.NDArray[np.object_]
    from_state: npt.NDArray[np.object_]
    to_state: npt.NDArray[np.object_]
    person: Ints
    unit: Ints
    note: npt.NDArray[np.object_]


def write_steps(cases: Cases, patrol: Ints, mix: Mix, desk: Desk, rng: np.random.Generator) -> Steps:
    """The steps of ``cases``."""
    parts = list(_verbs(cases, patrol, mix, desk, rng))
    index = np.concatenate([part[0] for part in parts])
    at = np.concatenate([part[1] for part in parts])
    size = [len(part[0]) for part in parts]
    verb, before, after = (
        np.repeat(np.array([part[column] for part in parts], dtype=object), size) for column in (2, 3, 4)
    )
    person = np.concatenate([part[5] for part in parts])
    unit = np.concatenate([part[6] for part in parts])
    note = np.concatenate([part[7] for part in parts])
    rank = np.repeat(np.arange(len(parts)), size)
    order = np.lexsort([index, rank, at])
    return Steps(
        index[order],
        at[order],
        verb[order],
        before[order],
        after[order],
        person[order],
        unit[order],
        note[order],
    )


def _verbs(
    cases: Cases, patrol: Ints, mix: Mix, desk: Desk, rng: np.random.Generator
) -> Iterator[tuple[Any, ...]]:
    count = len(cases)
    acceptor = desk.acceptor[rng.integers(0, len(desk.acceptor), count)]
    leader = desk.duty_leader[rng.integers(0, len(desk.duty_leader), count)]
    dispatcher = desk.dispatcher[rng.integers(0, len(desk.dispatcher), count)]
    collector = desk.collector_of_patrol[patrol]
    handler = desk.handler_of_unit[
        np.maximum(cases.unit, 0), rng.integers(0, desk.handler_of_unit.shape[1], count)
    ]
    done = np.array([_DONE[group] for group in GROUPS], dtype=object)[mix.group[cases.matter]]
    nothing = np.full(count, "", dtype=object)
    none = np.full(count, -1, dtype=np.int64)
    by_patrol = cases.source == SOURCES.index("collector")

    def part(
        chosen: npt.NDArray[np.bool_],
        at: Ints,
        verb: str,
        before: str,
        after: str,
        person: Ints,
        unit: Ints,
        note: npt.NDArray[np.object_],
    ) -> tuple[Any, ...]:
        index = np.flatnonzero(chosen)
        return index, at[index], verb, before, after, person[index], unit[index], note[index]

    def said(words: str) -> npt.NDArray[np.object_]:
        return np.full(count, words, dtype=object)

    everyone = np.ones(count, dtype=bool)
    dispatched, reworked = cases.dispatched > 0, cases.failed > 0
    moved = dispatched & (cases.moves > 0)
    stopped = np.where(reworked, cases.first_handled, cases.handled)
    # What a reassigned case waited for: a few minutes, but never beyond what came next.
    after_dispatch = np.where(stopped > 0, stopped, np.where(cases.received > 0, cases.received, 1 << 60))
    shifted = np.minimum(cases.dispatched + 6 * MINUTE_MS, (cases.dispatched + after_dispatch) // 2)
    early = np.where(reworked, np.minimum(shifted + 5 * MINUTE_MS, (shifted + cases.first_handled) // 2), 0)
    state = np.array(STATES, dtype=object)
    yield part(
        everyone,
        cases.reported,
        "report",
        "",
        "reported",
        np.where(by_patrol, collector, acceptor),
        none,
        nothing,
    )
    yield part(
        cases.accepted > 0, cases.accepted, "accept", "reported", "pending_register", acceptor, none, nothing
    )
    yield part(
        cases.filed > 0,
        cases.filed,
        "register",
        "pending_register",
        "pending_dispatch",
        leader,
        none,
        nothing,
    )
    for ending, verb, words in ((REJECTED, "reject", "不属于城市管理职责范围"), (VOID, "void", "重复上报")):
        chosen = cases.state == ending
        yield part(chosen, cases.closed, verb, "pending_register", state[ending], leader, none, said(words))
    yield part(
        dispatched,
        cases.dispatched,
        "dispatch",
        "pending_dispatch",
        "pending_handle",
        dispatcher,
        cases.first,
        nothing,
    )
    yield part(
        moved,
        shifted,
        "reassign",
        "pending_handle",
        "pending_handle",
        dispatcher,
        cases.unit,
        said("不属于该单位职责，改派"),
    )
    yield part(reworked, early, "receive", "pending_handle", "handling", handler, cases.unit, nothing)
    yield part(
        reworked, cases.first_handled, "handle", "handling", "pending_check", handler, cases.unit, done
    )
    yield part(
        reworked,
        cases.failed,
        "fail_check",
        "pending_check",
        "pending_handle",
        collector,
        cases.unit,
        said("现场仍未整改到位"),
    )
    received = cases.received > 0
    if_moved = np.where(moved & ~reworked, np.maximum(cases.received, shifted + 1), cases.received)
    yield part(received, if_moved, "receive", "pending_handle", "handling", handler, cases.unit, nothing)
    yield part(
        cases.handled > 0, cases.handled, "handle", "handling", "pending_check", handler, cases.unit, done
    )
    yield part(
        cases.checked > 0,
        cases.checked,
        "pass_check",
        "pending_check",
        "pending_close",
        collector,
        cases.unit,
        nothing,
    )
    closed = cases.state == CLOSED
    yield part(closed, cases.closed, "close", "pending_close", "closed", leader, cases.unit, nothing)
