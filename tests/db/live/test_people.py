"""The newest place of each person counts."""

from __future__ import annotations

import numpy as np

from db.live.people import NOBODY, People


def at(**places: float) -> People:
    ids = np.array([ord(name) for name in places], dtype=np.int64)
    lon = np.array(list(places.values()))
    return People(ids, lon, lon - 80, np.arange(len(ids)))


def test_later_places_lie_over_earlier_ones() -> None:
    people = at(a=117.0, b=117.1).then(at(b=117.2, c=117.3))
    assert dict(zip(people.ids.tolist(), people.lon.tolist(), strict=True)) == {
        97: 117.0,
        98: 117.2,
        99: 117.3,
    }


def test_no_news_leaves_the_places_as_they_are() -> None:
    people = at(a=117.0)
    assert people.then(NOBODY) is people
    assert len(NOBODY.then(people)) == 1
