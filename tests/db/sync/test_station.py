"""How a station paces itself: driven by hand, by a clock that moves only when a test says so."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from db.engine.connections import Database
from db.sync import station as pacing
from db.sync.push import Pushed
from db.sync.station import FEW, LOOK_SECONDS, REST_SECONDS, SEND_REST_SECONDS, SHARE, Station
from tests.db.sync.conftest import Pair

OWN, OTHERS = 7, 8
"""Processes of the server: the one that serves this station, and one that serves another."""
CROWD = 50
SHORT, MIDDLE, LONG = 0.01, 0.05, 60.0
"""What a look at the server takes, in seconds. After a middling one a crowd rests from the news for longer
than from sending, whatever the lot says.
"""


class Desk:
    """A station without threads, whose server takes as long over everything as it is told to."""

    def __init__(self, local: Database, patch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.took = SHORT
        self.pulls = 0
        self.pushes = 0
        patch.setattr(pacing, "monotonic", lambda: self.now)
        patch.setattr(pacing, "pull", self._pull)
        patch.setattr(pacing, "push", self._push)
        self.station: Any = Station(local, "postgresql://server.example/jingwei")
        self.station._photos = SimpleNamespace(step=lambda _server: False)
        self.station._beat_at = math.inf
        self.station._doors[1] = SimpleNamespace(database=None, backends={OWN})

    def _pull(self, *_given: Any) -> None:
        self.now += self.took
        self.pulls += 1

    def _push(self, *_given: Any, **_how: Any) -> Pushed:
        self.now += self.took
        self.pushes += 1
        return Pushed()

    def look(self) -> float:
        """One turn of the thread; for how long it would wait then."""
        return float(self.station._look())

    def ring(self, backend: int = OTHERS) -> float:
        """The bell; for how long it need not be heard."""
        return float(self.station._on_ring(backend))

    @property
    def rest(self) -> float:
        """How long it still leaves the server to others."""
        return float(self.station._rests_until - self.now)

    @property
    def holds_back(self) -> float:
        """How long acts still wait for company."""
        return float(self.station._sends_from - self.now)

    @property
    def is_woken(self) -> bool:
        return bool(self.station._wake.is_set())


@pytest.fixture
def desk(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(pair.east.local, monkeypatch)


@pytest.mark.parametrize("crowd", [1, FEW])
def test_few_rest_only_for_as_long_as_it_took(desk: Desk, crowd: int) -> None:
    desk.station._crowd = crowd
    desk.look()
    assert SHORT / 2 <= desk.rest <= SHORT


def test_in_a_crowd_each_rests_for_its_share(desk: Desk) -> None:
    desk.station._crowd = CROWD
    desk.look()
    share = SHORT * (CROWD - FEW) / SHARE
    assert SHORT < share < REST_SECONDS
    assert share / 2 <= desk.rest <= share


@pytest.mark.parametrize("crowd", [1, FEW, CROWD, 1000])
def test_nobody_rests_for_longer_than_the_longest(desk: Desk, crowd: int) -> None:
    desk.station._crowd = crowd
    desk.took = LONG
    desk.look()
    assert REST_SECONDS / 2 <= desk.rest <= REST_SECONDS
    # The look at the news has come after it.
    assert SEND_REST_SECONDS / 2 <= desk.holds_back + LONG <= SEND_REST_SECONDS


def test_the_bell_of_others_wakes_it_and_its_own_does_not(desk: Desk) -> None:
    desk.look()
    desk.now = desk.station._rests_until
    assert desk.ring(OWN) == 0.0
    assert not desk.is_woken
    desk.look()
    assert desk.pulls == 1
    assert desk.ring() <= 0.0
    assert desk.is_woken
    desk.look()
    assert desk.pulls == 2


def test_what_rings_while_it_rests_is_heard_right_after_it(desk: Desk) -> None:
    desk.station._crowd = CROWD
    desk.look()
    # For so long the bell may be taken off.
    assert desk.ring() == pytest.approx(desk.rest)
    assert not desk.is_woken
    assert desk.rest > 0.0
    # Something was done here, or the time of the acts has come: the news have not.
    wait = desk.look()
    assert desk.pulls == 1
    assert wait <= desk.rest
    desk.now = desk.station._rests_until
    desk.look()
    assert desk.pulls == 2


def test_without_a_bell_it_looks_by_the_clock(desk: Desk) -> None:
    desk.look()
    looked = desk.now
    desk.now = desk.station._rests_until
    wait = desk.look()
    assert desk.pulls == 1
    assert desk.now + wait == pytest.approx(looked + LOOK_SECONDS)
    desk.now += wait
    desk.look()
    assert desk.pulls == 2


def test_acts_in_a_crowd_wait_for_company_and_go_when_their_time_has_come(desk: Desk) -> None:
    desk.station._crowd = CROWD
    desk.took = MIDDLE
    desk.look()
    assert desk.pushes == 1
    assert 0.0 < desk.holds_back < desk.rest
    wait = desk.look()
    assert desk.pushes == 1
    # It comes back for them though the news have time.
    assert wait == pytest.approx(desk.holds_back)
    desk.now += wait
    desk.look()
    assert (desk.pushes, desk.pulls) == (2, 1)


def test_whoever_wakes_it_is_served_at_once(desk: Desk) -> None:
    desk.station._crowd = CROWD
    desk.look()
    desk.look()
    assert (desk.pushes, desk.pulls) == (1, 1)
    desk.station.wake()
    assert desk.is_woken
    desk.look()
    assert (desk.pushes, desk.pulls) == (2, 2)
