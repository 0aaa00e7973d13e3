"""The evaluation: later months are unknown to what was learned, and the counts are those of the cases."""

from __future__ import annotations

import pytest

from db.advice.evaluating import evaluate
from db.bootstrap import Core
from db.kernel.refusal import Refused
from tests.db.advice.history import write_cases
from tests.db.duties.village import EAST, ROADS, SQUAD_EAST, SQUAD_WEST, WEST, an, settle


def test_it_learns_before_the_cut_and_is_judged_after_it(village: Core) -> None:
    settle(village, an(SQUAD_WEST, WEST), an(SQUAD_EAST, EAST))
    write_cases(village, 300, 102, SQUAD_WEST, days_ago=100)
    write_cases(village, 97, 102, SQUAD_WEST, days_ago=10)
    # What only the later days show cannot be learned: two were done by somebody else.
    write_cases(village, 2, 102, ROADS, days_ago=5, moves=1)
    write_cases(village, 1, 107, SQUAD_EAST, days_ago=5)
    with village.database.read() as connection:
        found = evaluate(connection, months=1)
    assert (found.learned, found.asked) == (300, 100)
    at = {each.threshold: each for each in found.by_threshold}[0.97]
    assert (at.said, at.right, at.coverage) == (99, 97, 0.99)
    assert at.precision == pytest.approx(97 / 99)
    assert found.abstained == {"rare": 1}
    assert (found.by_duty, found.first) == (98, 98)
    assert sum(band.said for band in found.bands) == 99
    assert found.bands[-1].right == pytest.approx(97 / 99)


def test_without_an_earlier_history_it_says_so(file_village: Core) -> None:
    with file_village.database.read() as connection, pytest.raises(Refused, match="no closed cases"):
        evaluate(connection)
    write_cases(file_village, 3, 102, SQUAD_WEST, days_ago=3)
    with file_village.database.read() as connection, pytest.raises(Refused, match="no closed cases"):
        evaluate(connection)
