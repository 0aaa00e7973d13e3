"""The flat frame under the demo city."""

from __future__ import annotations

import numpy as np

from db.demo.ground import read_outline, read_streets, read_towns, snapped, to_degrees, to_metres


def test_metres_and_degrees_lead_back_to_each_other() -> None:
    metres = np.array([[0.0, 0.0], [4321.5, -987.25]])
    assert np.allclose(to_metres(to_degrees(metres)), metres, atol=1e-6)


def test_a_degree_of_latitude_is_a_hundred_and_eleven_kilometres() -> None:
    here, north = to_metres(np.array([[117.163, 35.0], [117.163, 36.0]]))
    assert 110_850 < north[1] - here[1] < 111_050


def test_snapping_moves_a_point_by_a_centimetre_at_most_and_only_once() -> None:
    points = np.array([[12.3456789, -98.7654321]])
    once = snapped(points)
    assert np.abs(once - points).max() < 0.01
    assert (to_degrees(snapped(once)).round(7) == to_degrees(once).round(7)).all()


def test_the_outline_holds_every_town_and_has_the_area_of_the_city() -> None:
    outline = read_outline()
    assert 1_450e6 < outline.area < 1_530e6
    assert len(read_towns()) == 21
    assert len({street.name for street in read_streets()}) == len(read_streets())
