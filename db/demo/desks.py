"""The desks of the demo city: officers look at cases, write in them, claim some and give them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from db.bootstrap import Core
from db.cases.claims import ClaimNext, ReleaseClaim
from db.cases.leases import POOL
from db.kernel.actor import Actor
from db.kernel.refusal import Refused
from db.people.commands import actor_of
from db.people.presence import say
from db.people.queries import accounts

AT_DESKS = ("shouli", "shouli2", "paiqian", "bujian")
"""The demo accounts that sit at a desk; a city without accounts has nobody there."""
SAY_SECONDS = 10.0
LOOK_SECONDS = (20.0, 60.0)
"""So long somebody looks at one case."""
_FROM_POOL = 40


@dataclass
class _Desk:
    actor: Actor
    case_id: int = 0
    is_claimed: bool = False
    until: float = 0.0
    said_at: float = -SAY_SECONDS


class Desks:
    """Who sits there, one case at a time; called again and again with the seconds that have gone."""

    def __init__(self, core: Core, rng: np.random.Generator) -> None:
        self._core = core
        self._rng = rng
        with core.database.read() as connection:
            known = {each.login for each in accounts(connection)}
        self._desks = [_Desk(actor_of(core.database, login)) for login in AT_DESKS if login in known]

    @property
    def claimed(self) -> frozenset[int]:
        """The cases that others leave alone for now."""
        return frozenset(desk.case_id for desk in self._desks if desk.is_claimed)

    def sit(self, seconds: float, by_state: Mapping[str, Sequence[int]]) -> None:
        """Let everybody go on: to another case when it is time, and say so now and then."""
        for desk in self._desks:
            if seconds >= desk.until:
                self._turn(desk, seconds, by_state)
            if seconds - desk.said_at >= SAY_SECONDS:
                typing = bool(self._rng.random() < 0.4)
                say(self._core.database, f"demo-{desk.actor.account_id}", desk.actor, desk.case_id, typing)
                desk.said_at = seconds

    def _turn(self, desk: _Desk, seconds: float, by_state: Mapping[str, Sequence[int]]) -> None:
        if desk.is_claimed:
            self._try(desk, ReleaseClaim((desk.case_id,)))
        desk.case_id, desk.is_claimed, desk.said_at = 0, False, -SAY_SECONDS
        desk.until = seconds + float(self._rng.uniform(*LOOK_SECONDS))
        states = [s for s, permission in POOL.items() if desk.actor.may(permission) and by_state.get(s)]
        if not states:
            return
        pool = by_state[states[int(self._rng.integers(len(states)))]]
        some = tuple(pool[int(i)] for i in self._rng.integers(0, len(pool), min(len(pool), _FROM_POOL)))
        desk.case_id = some[0]
        if self._rng.random() < 0.7:
            taken = self._try(desk, ClaimNext(some))
            if taken is not None:
                desk.case_id, desk.is_claimed = taken, True

    def _try(self, desk: _Desk, command: ClaimNext | ReleaseClaim) -> int | None:
        """What came of it; ``None`` when somebody was quicker, which is what claims are for."""
        try:
            return int(self._core.bus.run(command, desk.actor).result)
        except Refused:
            return None
