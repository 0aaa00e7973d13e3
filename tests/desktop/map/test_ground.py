"""The registers' base map becomes the page's: full precision, the reader's names, parks apart from waters."""

from __future__ import annotations

import numpy as np
import pytest

from db.registers.queries import BaseMap, Shapes
from desktop.map.ground import ground

ORIGIN = (117.0, 35.0)
SQUARE = [(0.1, 0.1), (0.2, 0.1), (0.2, 0.2), (0.1, 0.1)]


def shapes(*named: tuple[int, str, str, str]) -> Shapes:
    """One square ring each: id, name, English name, grade."""
    count = len(named)
    return Shapes(
        ids=np.array([each[0] for each in named], dtype=np.int64),
        offsets=np.arange(count + 1, dtype=np.int32),
        rings=np.arange(count + 1, dtype=np.int32) * len(SQUARE),
        points=np.array(SQUARE * count, dtype=np.float32).reshape(-1, 2),
        labels=tuple(each[1] for each in named),
        labels_en=tuple(each[2] for each in named),
        grades=tuple(each[3] for each in named),
        anchors=np.tile([117.15, 35.15], (count, 1)),
    )


SOURCE = BaseMap(
    origin=ORIGIN,
    bounds=(117.0, 35.0, 117.3, 35.3),
    outline=shapes((1, "", "", "")),
    districts=shapes((2, "荆河街道", "Jinghe", ""), (3, "龙泉街道", "", "")),
    communities=shapes((4, "社区", "Community", "")),
    patrols=shapes(),
    cells=shapes((5, "", "", ""), (6, "", "", "")),
    roads=shapes((7, "府前路", "Fuqian Rd", "main")),
    waters=shapes((8, "荆河", "Jing River", "river"), (9, "公园", "Park", "park")),
)


def test_names_are_in_the_readers_language_and_chinese_where_there_is_no_other() -> None:
    english, chinese = (ground(SOURCE, language, "", {}) for language in ("en", "zh_CN"))
    assert [area.name for area in english.districts] == ["Jinghe", "龙泉街道"]
    assert [area.name for area in chinese.districts] == ["荆河街道", "龙泉街道"]
    assert [road.name for road in english.roads] == ["Fuqian Rd"]


def test_areas_bear_the_codes_that_a_click_reports() -> None:
    made = ground(SOURCE, "en", "", {2: "D2", 4: "C4"})
    assert [area.code for area in made.districts] == ["D2", ""]
    assert [area.code for area in made.communities] == ["C4"]


def test_parks_are_no_waters() -> None:
    made = ground(SOURCE, "en", "words", {})
    assert [shape.name for shape in made.waters] == ["Jing River"]
    assert [shape.name for shape in made.parks] == ["Park"]
    assert made.attribution == "words"
    assert made.bounds == SOURCE.bounds


def test_corners_are_where_they_are_on_earth() -> None:
    made = ground(SOURCE, "en", "", {})
    (line,) = made.outline
    assert line[0] == pytest.approx((117.1, 35.1), abs=1e-6)
    assert np.asarray(made.cell_rings)[0] == pytest.approx((117.1, 35.1), abs=1e-6)
    assert len(made.cell_offsets) == 3
