"""The seeded city as a value: ground, streets, waters, named places, and the spots where things happen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from db.demo.ground import (
    Floats,
    Town,
    geometry_to_degrees,
    random,
    read_outline,
    read_towns,
    read_words,
    snapped,
)
from db.demo.partition import Geometries, Ints, Partition, divide, lane_streets
from db.demo.streets import (
    LANE,
    MAIN,
    SIDE,
    Shape,
    Street,
    blob,
    draw_network,
    highways,
    river_shapes,
    trimmed,
    village_streets,
)

DOOR_STEP = 24.0
"""Metres of street front to one house number on each side."""


@dataclass(frozen=True)
class Place:
    """A named place of the gazetteer, in metres."""

    kind: str
    name: str
    name_en: str
    x: float
    y: float


@dataclass(frozen=True)
class Spots:
    """Points beside the streets of the town with their address; the stage on which cases happen.

    Arrays of the same length: metres, index of cell and street, and the address in words.
    """

    x: Floats
    y: Floats
    cell: Ints
    street: Ints
    address: npt.NDArray[np.object_]
    near: Ints
    """0 street front, 1 market, 2 school, 3 crossing, 4 lane, 5 water or park."""


@dataclass(frozen=True)
class City:
    """Everything that stays where it is."""

    seed: int
    outline: shapely.Polygon
    towns: list[Town]
    partition: Partition
    streets: list[Street]
    """Of the town: main, side and lane; ``country`` holds the others."""
    country: list[Street]
    waters: list[Shape]
    places: list[Place]
    spots: Spots
    tree: shapely.STRtree
    """Over the cells."""


def build_city(seed: int, cells: int = 3600) -> City:
    """The city of a seed; the same seed gives the same city."""
    outline, towns, words = read_outline(), read_towns(), read_words()
    drawn = draw_network(seed)
    partition = divide(drawn, towns, outline, cells, seed)
    network = trimmed(drawn, partition.urban, seed)
    rivers = river_shapes(network.rivers, outline)
    lanes = _on_land(partition.lanes, shapely.union_all([river.outline for river in rivers]))
    streets = [
        *network.mains,
        *network.sides,
        *lane_streets(lanes, words["lane"], random(seed, "lanes")),
    ]
    country = [*highways(towns, network.mains, outline), *village_streets(towns, seed)]
    waters = [*rivers, *_parks(partition, outline, seed)]
    tree = shapely.STRtree(partition.cells)
    crossings = _crossings(streets)
    landmarks = _landmarks(partition, streets, crossings, words, seed)
    places = [*(Place("crossing", *c.names(streets), c.x, c.y) for c in crossings), *landmarks]
    spots = _spots(streets, crossings, landmarks, waters, partition, tree, seed)
    places += _doors(streets, partition)
    return City(seed, outline, towns, partition, streets, country, waters, places, spots, tree)


def _on_land(lanes: list[shapely.LineString], rivers: shapely.Geometry) -> list[shapely.LineString]:
    """Lanes end at the embankment; only streets have bridges."""
    dry = shapely.difference(np.array(lanes, dtype=object), rivers.buffer(6, quad_segs=2))
    return [part for part in shapely.get_parts(dry).tolist() if part.length > 15]


@dataclass(frozen=True)
class Crossing:
    """Where two streets meet: their indices, how far along each, and the point."""

    a: int
    b: int
    along_a: float
    along_b: float
    x: float
    y: float

    def names(self, streets: list[Street]) -> tuple[str, str]:
        a, b = streets[self.a], streets[self.b]
        return corner_of(a.name, b.name), f"{a.name_en} and {b.name_en}"


def corner_of(street: str, other: str) -> str:
    """How people say it: 龙泉路与荆河路口, 书院街与墨子大道路口."""
    return f"{street}与{other}{'口' if other[-1] in '路街' else '路口'}"


def locate_cells(tree: shapely.STRtree, x: Floats, y: Floats) -> Ints:
    """The index of the cell of each point in metres, -1 outside; the lower index on a border."""
    found = np.full(len(x), -1, dtype=np.int64)
    point, cell = tree.query(shapely.points(x, y), predicate="intersects")
    order = np.argsort(-cell, kind="stable")
    found[point[order]] = cell[order]
    return found


def _crossings(streets: list[Street]) -> list[Crossing]:
    named = [i for i, street in enumerate(streets) if street.grade != LANE]
    lines = np.array([streets[i].line for i in named], dtype=object)
    left, right = shapely.STRtree(lines).query(lines, predicate="intersects")
    found = []
    for i, j in sorted(zip(left.tolist(), right.tolist(), strict=True)):
        if i >= j or streets[named[i]].name == streets[named[j]].name:
            continue
        for part in shapely.get_parts(lines[i].intersection(lines[j])):
            point = shapely.get_coordinates(part)[0]
            at = shapely.points(point)
            found.append(
                Crossing(
                    named[i],
                    named[j],
                    float(shapely.line_locate_point(lines[i], at)),
                    float(shapely.line_locate_point(lines[j], at)),
                    float(point[0]),
                    float(point[1]),
                )
            )
            break
    return found


def _parks(partition: Partition, outline: shapely.Polygon, seed: int) -> list[Shape]:
    """Parks are groups of cells, lakes lie within them; reservoirs in the hills."""
    rng = random(seed, "parks")
    centre = shapely.get_coordinates(shapely.centroid(partition.cells))
    shapes: list[Shape] = []
    plans = [
        ("荆河公园", "Jinghe Park", (-500, -60), 9, 0.0),
        ("龙泉公园", "Longquan Park", (1150, 620), 7, 70.0),
        ("翠湖公园", "Cuihu Park", (-1900, 1300), 12, 120.0),
        ("善园", "Shan Garden", (500, -2150), 6, 55.0),
        ("墨子森林公园", "Mozi Forest Park", (2600, -500), 10, 0.0),
        ("北辛公园", "Beixin Park", (300, 2500), 5, 0.0),
    ]
    for name, english, (x, y), size, lake in plans:
        distance = np.hypot(centre[:, 0] - x, centre[:, 1] - y)
        if distance.min() > 150:
            continue
        start = int(distance.argmin())
        near = np.flatnonzero(partition.patrol == partition.patrol[start])
        chosen = near[np.argsort(np.hypot(*(centre[near] - centre[start]).T), kind="stable")[:size]]
        ground = max(
            shapely.get_parts(shapely.union_all(partition.cells[chosen])).tolist(), key=lambda g: g.area
        )
        shapes.append(Shape("park", name, english, ground.buffer(-9)))
        if lake:
            middle = shapely.get_coordinates(ground.centroid)[0]
            water = blob(middle[0], middle[1], lake, rng).intersection(ground.buffer(-22))
            shapes.append(
                Shape(
                    "lake",
                    f"{name[:-2] if name.endswith('公园') else name}湖",
                    f"{english.split()[0]} Lake",
                    water,
                )
            )
    for name, english, x, y, radius in (
        ("马河水库", "Mahe Reservoir", 5200, 13800, 1300.0),
        ("户主水库", "Huzhu Reservoir", 15200, -9800, 620.0),
    ):
        shapes.append(Shape("lake", name, english, blob(x, y, radius, rng, 0.5).intersection(outline)))
    return [shape for shape in shapes if not shape.outline.is_empty]


def _landmarks(
    partition: Partition,
    streets: list[Street],
    crossings: list[Crossing],
    words: dict[str, list[tuple[str, str]]],
    seed: int,
) -> list[Place]:
    """Markets, schools, landmarks, estates and bus stops, each beside its street."""
    rng = random(seed, "landmarks")
    urban = partition.urban
    shapely.prepare(urban)
    places: list[Place] = []

    def beside(street: Street, along: float, off: float) -> tuple[float, float] | None:
        x, y = _beside(street.line, np.array([along]), np.array([off]))[0]
        return (float(x), float(y)) if shapely.contains_xy(urban, x, y) else None

    share = len(partition.cells) / 3600
    sides = [s for s in streets if s.grade == SIDE and s.line.length > 350]
    mains = [s for s in streets if s.grade == MAIN]
    for i in range(max(3, round(18 * share))):
        street = sides[int(rng.integers(len(sides)))]
        ending, english = words["market"][(0, 0, 1, 3, 0, 2)[i % 6]]
        spot = beside(street, rng.uniform(0.2, 0.8) * street.line.length, 28)
        name = f"{street.name}{ending}"
        if spot and name not in {p.name for p in places}:
            places.append(Place("market", name, f"{street.name_en} {english}", *spot))
    middles = shapely.get_coordinates(shapely.centroid(partition.communities))
    for i, (x, y) in enumerate(middles.tolist()):
        community, community_en = words["community"][i % len(words["community"])]
        ending, english = words["school"][i % len(words["school"])]
        x, y = x + rng.uniform(-180, 180), y + rng.uniform(-180, 180)
        if shapely.contains_xy(urban, x, y):
            places.append(Place("school", f"{community}{ending}", f"{community_en} {english}", x, y))
        estate, estate_en = words["estate"][i % len(words["estate"])]
        x, y = middles[i][0] + rng.uniform(-260, 260), middles[i][1] + rng.uniform(-260, 260)
        if shapely.contains_xy(urban, x, y) and i < len(words["estate"]):
            places.append(Place("landmark", estate, estate_en, x, y))
    for name, english in words["landmark"]:
        if name == "滕州东站":
            continue
        street = mains[int(rng.integers(len(mains)))]
        spot = beside(street, rng.uniform(0.2, 0.8) * street.line.length, rng.choice([-45, 45]))
        if spot:
            places.append(Place("landmark", name, english, *spot))
    for crossing in crossings:
        a, b = streets[crossing.a], streets[crossing.b]
        if a.grade == MAIN and b.grade == MAIN:
            spot = beside(a, crossing.along_a + 45, 8)
            if spot:
                places.append(
                    Place(
                        "stop",
                        f"{corner_of(a.name, b.name).replace('与', '')}站",
                        f"{a.name_en} and {b.name_en} Stop",
                        *spot,
                    )
                )
    return places


def _beside(line: shapely.LineString, along: Floats, off: Floats) -> Floats:
    """Points at ``along`` metres of a line, ``off`` metres to its left (negative: right)."""
    here = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(line, along + 1.0))
    behind = shapely.get_coordinates(shapely.line_interpolate_point(line, np.maximum(along - 1.0, 0)))
    way = ahead - behind
    way /= np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)[:, None]
    placed: Floats = here + np.column_stack([-way[:, 1], way[:, 0]]) * off[:, None]
    return placed


_SPOT_STEP = {MAIN: 20.0, SIDE: 24.0, LANE: 30.0}
OFF_STREET = {MAIN: 11.0, SIDE: 7.0, LANE: 3.0}
"""How far from the middle of a street its front is, metres."""


def _spots(
    streets: list[Street],
    crossings: list[Crossing],
    landmarks: list[Place],
    waters: list[Shape],
    partition: Partition,
    tree: shapely.STRtree,
    seed: int,
) -> Spots:
    rng = random(seed, "spots")
    xy, index, along = [], [], []
    for i, street in enumerate(streets):
        count = int(street.line.length / _SPOT_STEP[street.grade])
        if count < 1:
            continue
        at = (np.arange(count) + rng.uniform(0.1, 0.9, count)) * _SPOT_STEP[street.grade]
        side = np.where(rng.random(count) < 0.5, -1.0, 1.0) * OFF_STREET[street.grade]
        xy.append(_beside(street.line, at, side))
        index.append(np.full(count, i))
        along.append(at * np.sign(side))
    points, street_of, signed = snapped(np.vstack(xy)), np.concatenate(index), np.concatenate(along)
    rivers = shapely.union_all([w.outline for w in waters if w.kind != "park"])
    shapely.prepare(rivers)
    cell = locate_cells(tree, points[:, 0], points[:, 1])
    dry = (cell >= 0) & ~shapely.contains_xy(rivers, points[:, 0], points[:, 1])
    points, street_of, signed, cell = points[dry], street_of[dry], signed[dry], cell[dry]
    near = np.where(np.array([s.grade == LANE for s in streets])[street_of], 4, 0)
    address = _addresses(streets, crossings, points, street_of, signed, near)
    marked = [p for p in landmarks if p.kind in {"market", "school"}]
    if marked:
        marks = shapely.STRtree(shapely.points([(p.x, p.y) for p in marked]))
        spot, mark = marks.query(shapely.points(points), predicate="dwithin", distance=75.0)
        for s, m in zip(spot.tolist(), mark.tolist(), strict=True):
            place = marked[m]
            gate = _compass(points[s, 0] - place.x, points[s, 1] - place.y, 4)
            address[s] = f"{place.name}{gate}门"
            near[s] = 1 if place.kind == "market" else 2
    quiet = shapely.union_all([w.outline for w in waters]).buffer(45, quad_segs=2)
    shapely.prepare(quiet)
    near[(near == 0) & shapely.contains_xy(quiet, points[:, 0], points[:, 1])] = 5
    return Spots(points[:, 0], points[:, 1], cell, street_of, address, near)


def _addresses(
    streets: list[Street],
    crossings: list[Crossing],
    points: Floats,
    street_of: Ints,
    signed: Floats,
    near: Ints,
) -> npt.NDArray[np.object_]:
    """Words for each spot: the crossing when it is near, else the house number."""
    on: dict[int, list[tuple[float, Crossing]]] = {}
    for crossing in crossings:
        on.setdefault(crossing.a, []).append((crossing.along_a, crossing))
        on.setdefault(crossing.b, []).append((crossing.along_b, crossing))
    address = np.empty(len(points), dtype=object)
    for i, (street_index, mark) in enumerate(zip(street_of.tolist(), signed.tolist(), strict=True)):
        street, at = streets[street_index], abs(mark)
        here = on.get(street_index)
        if here:
            distance, crossing = _closest(here, at)
            if distance < 130:
                other = streets[crossing.b if crossing.a == street_index else crossing.a]
                corner = corner_of(street.name, other.name)
                if distance < 18:
                    address[i] = corner
                    near[i] = 3
                else:
                    way = _compass(points[i, 0] - crossing.x, points[i, 1] - crossing.y, 4)
                    address[i] = f"{corner}{way}{round(distance / 10) * 10}米"
                continue
        address[i] = f"{street.name}{_number(at, mark > 0)}号"
    return address


def _closest(here: list[tuple[float, Crossing]], at: float) -> tuple[float, Crossing]:
    along, crossing = min(here, key=lambda pair: abs(pair[0] - at))
    return abs(along - at), crossing


def _number(along: float, left: bool) -> int:
    """Odd numbers on the left, even ones on the right."""
    return 2 * int(along / DOOR_STEP) + (1 if left else 2)


def _compass(dx: float, dy: float, parts: int) -> str:
    names = "东北西南"
    return names[int(np.floor(np.arctan2(dy, dx) / (2 * np.pi) * parts + 0.5)) % parts]


def _doors(streets: list[Street], partition: Partition) -> list[Place]:
    """House numbers every so often along main and side streets; enough to find any address by its street."""
    urban = partition.urban
    shapely.prepare(urban)
    doors: list[Place] = []
    seen: set[str] = set()
    for street in streets:
        if street.grade == LANE:
            continue
        step = DOOR_STEP * (2 if street.grade == MAIN else 3)
        at = np.arange(step / 2, street.line.length, step)
        for left in (True, False):
            off = np.full(len(at), OFF_STREET[street.grade] * (1 if left else -1))
            points = _beside(street.line, at, off)
            for along, (x, y) in zip(at.tolist(), points.tolist(), strict=True):
                number = _number(along, left)
                name = f"{street.name}{number}号"
                if name not in seen and shapely.contains_xy(urban, x, y):
                    seen.add(name)
                    doors.append(Place("door", name, f"{number} {street.name_en}", x, y))
    return doors


def wkb(geometries: Geometries) -> list[bytes]:
    """WKB of geometries in metres, as WGS-84 degrees."""
    return list(shapely.to_wkb(geometry_to_degrees(geometries)))
