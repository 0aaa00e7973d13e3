"""Components of the demo city, placed where such things stand: lamps at the kerb, covers in the road,
trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import shapely

from db.demo.city import City, locate_cells
from db.demo.ground import Floats, random, snapped
from db.demo.partition import Ints
from db.demo.streets import LANE, MAIN, SIDE

_ALL = (1.0, 1.0, 1.0)
_KERB = (1.0, 0.8, 0.15)
_BIG = (1.0, 0.15, 0.0)
_HOMES = (0.35, 0.8, 1.0)

# Class, share of all components, density on main, side and lane, how far off the middle of the street as a
# share of
# the kerb's distance (0 = in the carriageway, 1 = at the kerb, more = behind the footway).
_PLAN: tuple[tuple[str, float, tuple[float, float, float], float, float], ...] = (
    ("04002", 22.0, (1.0, 0.9, 0.05), 1.0, 1.0),
    ("04011", 9.0, (1.0, 0.8, 0.0), 1.0, 1.0),
    ("01037", 9.5, (1.0, 0.75, 0.35), 1.05, 1.05),
    ("01004", 8.0, _KERB, 0.86, 0.9),
    ("01002", 6.0, _ALL, -0.4, 0.4),
    ("01003", 5.5, _ALL, -0.6, 0.6),
    ("03007", 4.6, (1.0, 0.9, 0.2), 1.5, 1.9),
    ("01007", 3.2, _ALL, 0.7, 1.2),
    ("01001", 3.0, _ALL, -0.7, 0.7),
    ("02010", 2.6, (1.0, 0.5, 0.0), 1.0, 1.1),
    ("03005", 2.4, (1.0, 0.9, 0.4), 1.1, 1.25),
    ("02038", 2.4, _HOMES, 1.6, 2.0),
    ("01005", 1.6, _KERB, 0.9, 1.3),
    ("02021", 1.9, (1.0, 0.4, 0.0), 1.0, 1.1),
    ("02017", 1.7, _BIG, -0.1, 0.1),
    ("01030", 1.5, (0.3, 1.0, 1.0), 1.1, 1.3),
    ("01031", 1.4, (0.3, 1.0, 1.0), 1.1, 1.3),
    ("01010", 1.1, _KERB, -0.5, 0.5),
    ("01011", 1.1, _KERB, 0.6, 1.2),
    ("01013", 0.9, _KERB, 1.05, 1.2),
    ("04008", 0.8, _KERB, 1.2, 1.4),
    ("01027", 0.8, (0.6, 1.0, 0.7), 1.2, 1.5),
    ("01014", 0.7, _KERB, 1.2, 1.6),
    ("01006", 0.7, _KERB, 1.0, 1.1),
    ("02012", 0.7, (1.0, 0.9, 0.1), 1.05, 1.15),
    ("01050", 0.7, (1.0, 0.5, 0.1), 1.0, 1.2),
    ("01009", 0.6, _ALL, 0.7, 1.2),
    ("01008", 0.6, _ALL, 0.7, 1.2),
    ("01018", 0.6, _HOMES, 1.6, 2.4),
    ("04013", 0.6, _KERB, 1.5, 2.2),
    ("01048", 0.4, (0.5, 1.0, 0.7), 1.4, 1.9),
    ("02014", 0.4, _BIG, 0.9, 1.0),
    ("02004", 0.35, _BIG, 1.1, 1.2),
    ("02025", 0.35, (1.0, 0.6, 0.0), 1.2, 1.4),
    ("01060", 0.3, (1.0, 0.7, 0.2), 1.2, 1.4),
    ("04007", 0.3, (1.0, 0.3, 0.0), 1.3, 1.7),
    ("01075", 0.3, _HOMES, 1.6, 2.4),
    ("03006", 0.3, _BIG, 1.4, 1.9),
    ("01054", 0.25, (0.6, 1.0, 0.4), 1.5, 2.2),
    ("04005", 0.25, _BIG, 1.1, 1.3),
    ("03008", 0.2, _HOMES, 1.4, 1.9),
    ("01046", 0.2, _HOMES, 1.6, 2.4),
    ("01023", 0.2, _ALL, -0.6, 0.6),
    ("02027", 0.15, (1.0, 0.6, 0.0), 1.2, 1.4),
    ("01059", 0.15, _HOMES, 1.5, 2.1),
    ("02034", 0.12, _BIG, 1.0, 1.2),
    ("03001", 0.07, (0.7, 1.0, 0.5), 1.6, 2.2),
    ("02001", 0.06, (0.7, 1.0, 0.2), 1.8, 2.6),
    ("03004", 0.05, _HOMES, 1.6, 2.4),
    ("04001", 0.03, _HOMES, 1.5, 2.2),
    ("01049", 0.05, _HOMES, 1.6, 2.2),
    ("02009", 0.02, _BIG, -0.2, 0.2),
    ("05003", 0.015, _BIG, 1.9, 2.6),
)  # fmt: skip
_KERB_METRES = {MAIN: 11.0, SIDE: 6.5, LANE: 3.0}
STATES = ("intact", "damaged", "lost", "derelict", "removed")
_STATE_SHARES = (0.943, 0.035, 0.008, 0.010, 0.004)


@dataclass(frozen=True)
class Furniture:
    """Components as arrays of the same length: class code, number within the class, place in metres, cell,
    state.
    """

    code: npt.NDArray[np.str_]
    serial: Ints
    x: Floats
    y: Floats
    cell: Ints
    state: Ints
    placed_on: npt.NDArray[np.object_]


def furnish(city: City, count: int) -> Furniture:
    """Place ``count`` components; each lies in a cell."""
    rng = random(city.seed, "components")
    grades = np.array([(MAIN, SIDE, LANE).index(street.grade) for street in city.streets])
    lines = np.array([street.line for street in city.streets], dtype=object)
    length = shapely.length(lines)
    kerb = np.array([_KERB_METRES[street.grade] for street in city.streets])
    shares = np.cumsum([share for _code, share, *_rest in _PLAN])
    amounts = np.diff(np.round(count * shares / shares[-1]), prepend=0).astype(np.int64)
    picked: list[tuple[str, Floats, Ints]] = []
    for (code, _share, density, low, high), wanted in zip(_PLAN, amounts.tolist(), strict=True):
        weight = length * np.array(density)[grades]
        ends = np.cumsum(weight)
        points, cell = np.empty((0, 2)), np.empty(0, dtype=np.int64)
        while len(cell) < wanted:
            # Evenly spaced, as things beside a road are; a little more than is missing, for those beyond
            # the last cell.
            missing = wanted - len(cell)
            drawn = missing + missing // 3 + 12
            at = (np.arange(drawn) + rng.uniform(0.2, 0.8, drawn)) / drawn * ends[-1]
            street = np.searchsorted(ends, at, side="right").clip(0, len(lines) - 1)
            share_of = (at - (ends[street] - weight[street])) / np.maximum(weight[street], 1e-9)
            side = np.where(rng.random(drawn) < 0.5, -1.0, 1.0)
            off = rng.uniform(low, high, drawn) * kerb[street] * side
            placed = snapped(_beside_many(lines[street], share_of * length[street], off))
            inside = locate_cells(city.tree, placed[:, 0], placed[:, 1])
            keep = np.sort(rng.permutation(np.flatnonzero(inside >= 0))[:missing])
            points, cell = np.vstack([points, placed[keep]]), np.concatenate([cell, inside[keep]])
        picked.append((code, points, cell))
    sizes = [len(cell) for _code, _points, cell in picked]
    points = np.vstack([points for _code, points, _cell in picked])
    n = len(points)
    days = rng.integers(0, 365 * 13, n)
    first = date(2013, 1, 1)
    calendar = np.array([(first + timedelta(days=d)).isoformat() for d in range(365 * 13)], dtype=object)
    return Furniture(
        np.repeat([code for code, *_rest in picked], sizes),
        np.concatenate([np.arange(1, size + 1) for size in sizes]),
        points[:, 0],
        points[:, 1],
        np.concatenate([cell for *_rest, cell in picked]),
        np.searchsorted(np.cumsum(_STATE_SHARES), rng.random(n)).clip(0, 4),
        calendar[days],
    )


def _beside_many(lines: npt.NDArray[np.object_], along: Floats, off: Floats) -> Floats:
    here = shapely.get_coordinates(shapely.line_interpolate_point(lines, along))
    back = np.maximum(along - 1.0, 0.0)
    way = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, along + 1.0)
    ) - shapely.get_coordinates(shapely.line_interpolate_point(lines, back))
    way /= np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)[:, None]
    placed: Floats = here + np.column_stack([-way[:, 1], way[:, 0]]) * off[:, None]
    return placed
