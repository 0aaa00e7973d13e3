"""Draws the streets, rivers and parks of the demo city, in metres; names are real, the lines are invented."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from db.demo.ground import Floats, StreetPlan, Town, random, read_highways, read_streets

MAIN, SIDE, LANE = "main", "side", "lane"
_TURN = np.radians(-3.5)
"""The town's grid is turned a little against north."""
_REACH = 5200.0
"""Half the side of the square in which main streets are drawn, metres."""
_STEP = 110.0


@dataclass(frozen=True)
class Street:
    """A street with its line in metres."""

    name: str
    name_en: str
    grade: str
    line: shapely.LineString


@dataclass(frozen=True)
class Shape:
    """A river, lake or park."""

    kind: str
    name: str
    name_en: str
    outline: shapely.Geometry


@dataclass(frozen=True)
class Network:
    """What cuts the town into blocks."""

    mains: list[Street]
    sides: list[Street]
    rivers: list[shapely.LineString]


def draw_network(seed: int) -> Network:
    """Main streets as an irregular grid, side streets between them (some stretches left out), two rivers."""
    plans = read_streets()
    rng = random(seed, "streets")
    grid = {runs: _grid_lines(runs, plans, rng) for runs in ("ns", "ew")}
    mains = [Street(p.name, p.name_en, MAIN, _line(p.runs, bends)) for p, bends in (*grid["ns"], *grid["ew"])]
    sides: list[Street] = []
    for runs, across in (("ns", "ew"), ("ew", "ns")):
        plans_left = [p for p in plans if p.grade == SIDE and p.runs == runs]
        sides += _side_streets(runs, grid[runs], grid[across], plans_left, rng)
    return Network(mains, sides, [_jinghe(rng), _brook(rng)])


Bends = tuple[Floats, Floats]
"""Along and across coordinates of a street in the unturned grid."""


def _grid_lines(
    runs: str, plans: list[StreetPlan], rng: np.random.Generator
) -> list[tuple[StreetPlan, Bends]]:
    chosen = sorted((p for p in plans if p.grade == MAIN and p.runs == runs), key=lambda p: p.offset)
    along = np.arange(-_REACH, _REACH + 1, _STEP)
    lines = []
    for plan in chosen:
        wave = rng.uniform(25, 62) * np.sin(along / rng.uniform(600, 1300) + rng.uniform(0, 6.28))
        lines.append((plan, (along, plan.offset + plan.tilt * along + wave)))
    return lines


def _line(runs: str, bends: Bends) -> shapely.LineString:
    return shapely.LineString(_place(runs, bends))


def _place(runs: str, bends: Bends) -> Floats:
    """From the straight grid into the town: a gentle warp, then the turn."""
    along, across = bends
    x, y = (across, along) if runs == "ns" else (along, across)
    wx = x + 150 * np.sin(y / 1900 + 0.6) + 0.000012 * x * np.abs(x)
    wy = y + 170 * np.sin(x / 2000 + 1.1) + 0.000010 * y * np.abs(y)
    return np.column_stack([wx * np.cos(_TURN) - wy * np.sin(_TURN), wx * np.sin(_TURN) + wy * np.cos(_TURN)])


def _side_streets(
    runs: str,
    parallel: list[tuple[StreetPlan, Bends]],
    crossing: list[tuple[StreetPlan, Bends]],
    names: list[StreetPlan],
    rng: np.random.Generator,
) -> list[Street]:
    streets: list[Street] = []
    pool = list(names)
    cross = [plan.offset for plan, _bends in crossing]
    for (left, left_bends), (right, right_bends) in pairwise(parallel):
        gap = right.offset - left.offset
        shares = (
            [rng.uniform(0.29, 0.37), rng.uniform(0.63, 0.71)] if gap > 770 else [rng.uniform(0.41, 0.59)]
        )
        for share in shares:
            along = left_bends[0]
            across = left_bends[1] * (1 - share) + right_bends[1] * share
            across = across + rng.uniform(6, 18) * np.sin(
                along / rng.uniform(260, 520) + rng.uniform(0, 6.28)
            )
            plan = pool.pop(int(rng.integers(len(pool)))) if pool else None
            for number, (low, high) in enumerate(_runs_kept(cross, rng)):
                inside = (along > low) & (along < high)
                stretch = np.concatenate([[low], along[inside], [high]])
                bends = (stretch, np.interp(stretch, along, across))
                if plan is None:
                    pool = list(names)
                    plan = pool.pop(int(rng.integers(len(pool))))
                name = (
                    plan.name if number == 0 else f"{plan.name[:-1]}{'东西南北'[number % 4]}{plan.name[-1]}"
                )
                english = (
                    plan.name_en
                    if number == 0
                    else f"{plan.name_en} {('East', 'West', 'South', 'North')[number % 4]}"
                )
                streets.append(Street(name, english, SIDE, _line(runs, bends)))
    return _unique(streets)


def _runs_kept(cross: list[float], rng: np.random.Generator) -> list[tuple[float, float]]:
    """The stretches between crossings in which a side street exists, as long runs."""
    runs: list[tuple[float, float]] = []
    open_at: float | None = None
    for low, _high in pairwise(cross):
        if rng.random() < 0.84:
            open_at = low if open_at is None else open_at
        elif open_at is not None:
            runs.append((open_at, low))
            open_at = None
    if open_at is not None:
        runs.append((open_at, cross[-1]))
    return [(low - 25, high + 25) for low, high in runs]


def _unique(streets: list[Street]) -> list[Street]:
    seen: dict[str, int] = {}
    result = []
    for street in streets:
        count = seen[street.name] = seen.get(street.name, 0) + 1
        if count > 1:
            ordinal = "二三四五六七八九"[min(count - 2, 7)]
            street = Street(
                f"{street.name[:-1]}{ordinal}{street.name[-1]}",
                f"{street.name_en} {count}",
                street.grade,
                street.line,
            )
        result.append(street)
    return result


def spline(points: list[tuple[float, float]], step: float = 60.0) -> shapely.LineString:
    """A smooth line through points (Catmull-Rom), metres."""
    p = np.array([points[0], *points, points[-1]], dtype=np.float64)
    pieces = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        count = max(int(np.hypot(*(c - b)) / step), 2)
        t = np.linspace(0, 1, count, endpoint=False)[:, None]
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return shapely.LineString(np.vstack([*pieces, p[-1:]]))


def _jinghe(rng: np.random.Generator) -> shapely.LineString:
    """荆河: from the hills in the north-east through the town to the lake plain in the south-west."""
    inner = [
        (5600, 2650), (4300, 1750), (3300, 1980), (2450, 1120), (1650, 900), (1000, 330),
        (250, 480), (-420, -180), (-1150, -240), (-1800, -880),
        (-2700, -1020), (-3500, -1750), (-4700, -2050),
    ]  # fmt: skip
    shaken = [(x + rng.uniform(-70, 70), y + rng.uniform(-70, 70)) for x, y in inner]
    outer_ne = [(13500, 12800), (10800, 8600), (8900, 6100), (7000, 3600)]
    outer_sw = [(-6500, -3100), (-9500, -3000), (-13500, -4700), (-18500, -4000), (-23500, -6200)]
    return spline([*outer_ne, *shaken, *outer_sw])


def _brook(rng: np.random.Generator) -> shapely.LineString:
    """小清河: a stream in the south-east; that the second river bears this name is a guess (DOMAIN 6.2)."""
    inner = [
        (5400, -900), (4200, -1250), (3300, -1050), (2500, -1680), (1500, -1850), (900, -2450), (100, -2550),
        (-700, -3150), (-1700, -3300), (-2600, -3900),
    ]  # fmt: skip
    shaken = [(x + rng.uniform(-60, 60), y + rng.uniform(-60, 60)) for x, y in inner]
    return spline([(9500, 900), (7200, -700), *shaken, (-4800, -4300), (-7600, -3300)])


def trimmed(network: Network, urban: shapely.Geometry, seed: int) -> Network:
    """The streets as far as the town goes; main ones run on a little into the fields."""
    rng = random(seed, "ends")
    near = urban.buffer(40)
    mains = [_longest(street, urban.buffer(rng.uniform(180, 750), quad_segs=4)) for street in network.mains]
    sides = [piece for street in network.sides for piece in _pieces(street, near)]
    return Network([street for street in mains if street is not None], sides, network.rivers)


def _pieces(street: Street, within: shapely.Geometry) -> list[Street]:
    lines = [g for g in shapely.get_parts(street.line.intersection(within)).tolist() if g.length > 150]
    return [Street(street.name, street.name_en, street.grade, line) for line in lines]


def _longest(street: Street, within: shapely.Geometry) -> Street | None:
    return max(_pieces(street, within), key=lambda piece: piece.line.length, default=None)


def river_shapes(rivers: list[shapely.LineString], outline: shapely.Polygon) -> list[Shape]:
    """The rivers with their width, wider downstream."""
    shapes = []
    for line, name, english, wide in (
        (rivers[0], "荆河", "Jing River", 34.0),
        (rivers[1], "小清河", "Xiaoqing Brook", 15.0),
    ):
        coordinates = shapely.get_coordinates(line)
        parts = [
            shapely.LineString(coordinates[i : i + 13]).buffer(
                wide * (0.65 + 0.6 * i / len(coordinates)), quad_segs=4
            )
            for i in range(0, len(coordinates) - 1, 12)
        ]
        shapes.append(Shape("river", name, english, shapely.union_all(parts).intersection(outline)))
    return shapes


def blob(x: float, y: float, radius: float, rng: np.random.Generator, squash: float = 0.7) -> shapely.Polygon:
    """A rounded irregular shape for a lake."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    r = radius * (
        1 + 0.18 * np.sin(2 * angle + rng.uniform(0, 6)) + 0.1 * np.sin(3 * angle + rng.uniform(0, 6))
    )
    turn = rng.uniform(0, np.pi)
    u, v = r * np.cos(angle), squash * r * np.sin(angle)
    return shapely.Polygon(
        np.column_stack(
            [x + u * np.cos(turn) - v * np.sin(turn), y + u * np.sin(turn) + v * np.cos(turn)]
        ).round(2)
    )


def highways(towns: list[Town], mains: list[Street], outline: shapely.Polygon) -> list[Street]:
    """Roads between the town and its villages: 104国道, S320, S321 and country roads to each seat."""
    at = {town.name: (town.x, town.y) for town in towns}
    for street in mains:
        ends = shapely.get_coordinates(street.line)
        at[f"<{street.name}"], at[f"{street.name}>"] = tuple(ends[0]), tuple(ends[-1])
    streets = []
    for name, english, way in read_highways():
        # A small town lacks some main streets; the road then begins at the next place on its way.
        stops = [_stop(word, at) for word in way]
        line = spline([stop for stop in stops if stop is not None], 250.0).intersection(outline)
        pieces = [g for g in shapely.get_parts(line).tolist() if isinstance(g, shapely.LineString)]
        if pieces:
            streets.append(Street(name, english, MAIN, max(pieces, key=lambda g: g.length)))
    return streets


def _stop(word: str, at: dict[str, tuple[float, float]]) -> tuple[float, float] | None:
    """A word of a way: ``x:y`` in metres, a town, ``<street`` or ``street>``: where a main street begins or
    ends.
    """
    if ":" in word:
        x, y = word.split(":")
        return float(x), float(y)
    return at.get(word)


def village_streets(towns: list[Town], seed: int) -> list[Street]:
    """A few streets in each town seat, so that the country is not empty."""
    rng = random(seed, "villages")
    streets = []
    for town in towns:
        if not town.name.endswith("镇"):
            continue
        turn = rng.uniform(-0.5, 0.5)
        short = town.name[:-1]
        english = town.name_en.removesuffix(" Town")
        for i, (name, name_en) in enumerate(
            (
                ("中心街", "Central St"),
                ("商业街", "Market St"),
                ("政府街", "Office St"),
                ("学校路", "School Rd"),
                ("振兴街", "Zhenxing St"),
            )
        ):
            half, shift = rng.uniform(350, 700), (i // 2) * 190.0 * (1 if i % 2 else -1)
            along = np.linspace(-half, half, 7)
            bend = rng.uniform(-12, 12, 7)
            u, v = (along, shift + bend) if i % 2 else (shift + bend, along)
            x = town.x + u * np.cos(turn) - v * np.sin(turn)
            y = town.y + u * np.sin(turn) + v * np.cos(turn)
            streets.append(
                Street(
                    f"{short}{name}",
                    f"{english} {name_en}",
                    SIDE,
                    shapely.LineString(np.column_stack([x, y])),
                )
            )
    return streets
