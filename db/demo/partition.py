"""Cuts the town into unit cells and groups them; a partition by construction.

Every border is a line in one drawing that is noded once on a grid of one centimetre; the cells are the
faces of that
drawing. Faces cannot overlap or leave gaps, and neighbours share their corners exactly. Patrol areas,
communities and
districts are unions of cells, so no cell crosses any of their borders (DOMAIN 1.4).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from db.demo.ground import Floats, Town, random
from db.demo.streets import LANE, Network, Street

Ints = npt.NDArray[np.int64]
Geometries = npt.NDArray[np.object_]

GRID = 0.01
CELL = 10_000.0
"""The usual size of a unit cell, square metres (万米单元网格)."""
_SPLIT = 1.42 * CELL
_SLIVER = 0.22 * CELL
_CELLS_PER_COMMUNITY = 68
_CELLS_PER_PATROL = 18


@dataclass(frozen=True)
class Partition:
    """Cells with their groups, in metres. ``cells[i]`` lies in ``patrol[i]``, ``community[i]``; a community
    in one district.
    """

    cells: Geometries
    patrol: Ints
    """Index of the patrol area of each cell."""
    community: Ints
    """Index of the community of each cell."""
    district: Ints
    """Index of the town (in ``towns``) of each community."""
    communities: Geometries
    patrols: Geometries
    patrol_community: Ints
    districts: Geometries
    """One per town: its communities and the country around."""
    urban: shapely.Geometry
    lanes: list[shapely.LineString]


def divide(network: Network, towns: list[Town], outline: shapely.Polygon, cells: int, seed: int) -> Partition:
    """Divide the town into about ``cells`` cells."""
    rng = random(seed, "partition")
    streets = [street.line for street in (*network.mains, *network.sides)]
    frame = shapely.box(-5000, -5000, 5000, 5000)
    blocks = _faces([*_trimmed_sides(streets, frame), *_clipped(network.rivers, frame)])
    urban_blocks = _built_up(blocks, cells, rng)
    cuts, lanes = _cuts(urban_blocks, rng)
    urban = shapely.union_all(urban_blocks, grid_size=GRID)
    country = [g for g in _country_lines(towns, outline, urban, rng) if not g.is_empty]
    faces = _faces([*shapely.boundary(urban_blocks).tolist(), *cuts, *country, outline.exterior])
    inside = shapely.contains_properly(urban, shapely.point_on_surface(faces))
    fine = _without_slivers(faces[inside])
    fine = fine[np.lexsort(np.round(shapely.get_coordinates(shapely.centroid(fine)), 2).T)]
    superblocks = _faces(
        [*_trimmed_sides([s.line for s in network.mains], frame), *_clipped(network.rivers, frame)]
    )
    community = _communities(fine, superblocks, max(1, round(len(fine) / _CELLS_PER_COMMUNITY)))
    patrol, patrol_community = _patrols(fine, community)
    communities = _unions(fine, community)
    patrols = _unions(fine, patrol)
    seats = np.array([(town.x, town.y) for town in towns])
    district = _nearest(shapely.get_coordinates(shapely.centroid(communities)), seats)
    outer = faces[~inside & shapely.contains_properly(outline, shapely.point_on_surface(faces))]
    districts = _districts(communities, district, outer, seats)
    return Partition(
        fine, patrol, community, district, communities, patrols, patrol_community, districts, urban, lanes
    )


def _faces(lines: list[shapely.Geometry]) -> Geometries:
    noded = shapely.union_all(np.array(lines, dtype=object), grid_size=GRID)
    faces: Geometries = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    return faces


def _clipped(lines: list[shapely.LineString], frame: shapely.Polygon) -> list[shapely.Geometry]:
    return [line.intersection(frame) for line in lines]


def _trimmed_sides(lines: list[shapely.LineString], frame: shapely.Polygon) -> list[shapely.Geometry]:
    return [*_clipped(lines, frame), frame.exterior]


def _built_up(blocks: Geometries, cells: int, rng: np.random.Generator) -> Geometries:
    """The blocks of the built-up town: those nearest the centre, by a wobbly distance, until the cells
    suffice.
    """
    centre = shapely.get_coordinates(shapely.centroid(blocks))
    angle = np.arctan2(centre[:, 1] - 100, centre[:, 0] - 150)
    wobble = 1 + 0.10 * np.sin(2 * angle + 0.4) + 0.07 * np.sin(3 * angle + rng.uniform(0, 6))
    distance = np.hypot((centre[:, 0] - 150) / 1.12, centre[:, 1] - 100) / wobble
    area = shapely.area(blocks)
    distance[area > 3_000_000] = np.inf
    order = np.argsort(distance, kind="stable")
    enough = int(np.searchsorted(np.cumsum(area[order]), cells * CELL * 1.005)) + 1
    chosen = np.zeros(len(blocks), dtype=bool)
    chosen[order[:enough]] = True
    whole = max(shapely.get_parts(shapely.union_all(blocks[chosen])).tolist(), key=lambda part: part.area)
    # Blocks in holes belong to the town; blocks that hang on by a corner only do not.
    whole = shapely.Polygon(whole.exterior)
    built: Geometries = blocks[shapely.contains_properly(whole, shapely.point_on_surface(blocks))]
    return built


def _cuts(
    blocks: Geometries, rng: np.random.Generator
) -> tuple[list[shapely.LineString], list[shapely.LineString]]:
    """Lines that cut blocks into cells; the first cuts of a large block are lanes."""
    cuts: list[shapely.LineString] = []
    lanes: list[shapely.LineString] = []
    pending = list(blocks)
    while pending:
        block = pending.pop()
        if block.area <= _SPLIT * rng.uniform(0.93, 1.07):
            continue
        line = _cut_line(block, rng)
        pieces = [g for g in shapely.get_parts(line.intersection(block)).tolist() if g.length > 1]
        if not pieces:
            continue
        cuts += pieces
        if block.area > 2.9 * CELL and rng.random() < (0.92 if block.area > 5 * CELL else 0.45):
            lanes += pieces
        pending += _halves(block, line)
    return cuts, lanes


def _cut_line(block: shapely.Polygon, rng: np.random.Generator) -> shapely.LineString:
    """Across the longer side of the block, about its middle, a little askew."""
    frame = shapely.get_coordinates(shapely.minimum_rotated_rectangle(block))
    a, b = frame[1] - frame[0], frame[2] - frame[1]
    long, short = (a, b) if np.hypot(*a) >= np.hypot(*b) else (b, a)
    start = frame[0] if long is a else frame[1]
    parts = max(2, round(np.sqrt(block.area / CELL)))
    share = rng.uniform(0.46, 0.54) if parts % 2 == 0 else (parts // 2) / parts + rng.uniform(-0.03, 0.03)
    lean = rng.uniform(-0.05, 0.05)
    # The short side leads into the rectangle from the first corner, and out of it from the second.
    inward = 1.0 if long is a else -1.0
    begin = start + long * (share - lean) - short * 0.2 * inward
    end = start + long * (share + lean) + short * 1.2 * inward
    return shapely.LineString([begin, end])


def _halves(block: shapely.Polygon, line: shapely.LineString) -> list[shapely.Polygon]:
    (x0, y0), (x1, y1) = shapely.get_coordinates(line)
    nx, ny = -(y1 - y0), x1 - x0
    reach = 4000 / np.hypot(nx, ny)
    dx, dy = (x1 - x0) * 10, (y1 - y0) * 10
    side = shapely.Polygon(
        [
            (x0 - dx, y0 - dy),
            (x1 + dx, y1 + dy),
            (x1 + dx + nx * reach, y1 + dy + ny * reach),
            (x0 - dx + nx * reach, y0 - dy + ny * reach),
        ]
    )
    return [
        g
        for g in (*shapely.get_parts(block.intersection(side)), *shapely.get_parts(block.difference(side)))
        if isinstance(g, shapely.Polygon) and g.area > _SLIVER
    ]


def _country_lines(
    towns: list[Town], outline: shapely.Polygon, urban: shapely.Geometry, rng: np.random.Generator
) -> list[shapely.Geometry]:
    """Borders of the districts outside the town: Voronoi cells of the seats, called invented."""
    seats = shapely.MultiPoint([(town.x, town.y) for town in towns])
    edges = shapely.get_parts(shapely.voronoi_polygons(seats, extend_to=outline, only_edges=True))
    wild = outline.difference(urban)
    return [_crooked(edge, rng).intersection(wild) for edge in sorted(edges.tolist(), key=lambda e: e.wkb)]


def _crooked(edge: shapely.LineString, rng: np.random.Generator) -> shapely.LineString:
    """A border in the country follows ditches and field paths, not a ruler; its ends stay."""
    points = shapely.get_coordinates(edge)
    swing = 0.07
    while np.hypot(*(points[1] - points[0])) > 320:
        step = points[1:] - points[:-1]
        middle = points[:-1] + step / 2 + step[:, ::-1] * (-1, 1) * rng.uniform(-swing, swing, (len(step), 1))
        woven = np.empty((len(points) + len(middle), 2))
        woven[0::2], woven[1::2] = points, middle
        points = woven
    return shapely.LineString(points)


def borders(cells: Geometries) -> tuple[Ints, Ints, Floats]:
    """Pairs of neighbouring cells and the length of border between them, metres."""
    owners: dict[tuple[float, float, float, float], int] = {}
    shared: dict[tuple[int, int], float] = defaultdict(float)
    points, owner = shapely.get_coordinates(cells, return_index=True)
    for (x0, y0), (x1, y1), a, b in zip(
        points.tolist(), points[1:].tolist(), owner.tolist(), owner[1:].tolist(), strict=False
    ):
        if a != b:
            continue
        key = (x0, y0, x1, y1) if (x0, y0) < (x1, y1) else (x1, y1, x0, y0)
        other = owners.setdefault(key, a)
        if other != a:
            shared[other, a] += ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    pairs = np.array(list(shared), dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1], np.array(list(shared.values()))


def _without_slivers(cells: Geometries) -> Geometries:
    """Merge fragments into the neighbour with which they share most border."""
    left, right, length = borders(cells)
    around: dict[int, dict[int, float]] = defaultdict(dict)
    for a, b, border in zip(left.tolist(), right.tolist(), length.tolist(), strict=True):
        around[a][b] = around[b][a] = border
    area = shapely.area(cells)
    home = np.arange(len(cells))

    def root(i: int) -> int:
        while home[i] != i:
            i = int(home[i])
        return i

    for i in np.argsort(area, kind="stable").tolist():
        if root(i) != i or area[i] >= _SLIVER:
            continue
        weights: dict[int, float] = defaultdict(float)
        for j, border in around[i].items():
            if root(j) != i:
                weights[root(j)] += border
        if not weights:
            continue
        target = max(weights, key=lambda j: (weights[j], -j))
        home[i] = target
        area[target] += area[i]
        for j, border in around[i].items():
            around[target][j] = around[target].get(j, 0.0) + border
    groups: dict[int, list[int]] = defaultdict(list)
    for i in range(len(cells)):
        groups[root(i)].append(i)
    return np.array(
        [cells[m[0]] if len(m) == 1 else shapely.union_all(cells[m]) for m in groups.values()], dtype=object
    )


def _communities(cells: Geometries, superblocks: Geometries, wanted: int) -> Ints:
    """Groups of cells within main streets and rivers, the smallest merged with a neighbour until they are
    few enough.
    """
    tree = shapely.STRtree(superblocks)
    cell, block = tree.query(shapely.point_on_surface(cells), predicate="within")
    group = np.full(len(cells), -1, dtype=np.int64)
    group[cell] = block
    group[group < 0] = np.arange((group < 0).sum()) + len(superblocks)
    left, right, length = borders(cells)
    group = _connected(group, left, right)
    while True:
        names, sizes = np.unique(group, return_counts=True)
        small = sizes.min()
        if len(names) <= wanted or small > 1.6 * len(cells) / wanted:
            return np.unique(group, return_inverse=True)[1]
        target = names[int(np.argmin(sizes))]
        a, b = group[left], group[right]
        touching = (a == target) ^ (b == target)
        others = np.where(a == target, b, a)[touching]
        candidates, index = np.unique(others, return_inverse=True)
        if not len(candidates):
            return np.unique(group, return_inverse=True)[1]
        weight = np.bincount(index, weights=length[touching])
        size_of = sizes[np.searchsorted(names, candidates)]
        best = candidates[int(np.argmax(weight / (30 + size_of)))]
        group[group == target] = best


def _connected(group: Ints, left: Ints, right: Ints) -> Ints:
    """Split groups that are not in one piece."""
    home = np.arange(len(group))

    def root(i: int) -> int:
        while home[i] != i:
            home[i] = home[home[i]]
            i = int(home[i])
        return i

    same = group[left] == group[right]
    for a, b in zip(left[same].tolist(), right[same].tolist(), strict=True):
        ra, rb = root(a), root(b)
        if ra != rb:
            home[max(ra, rb)] = min(ra, rb)
    return np.array([root(i) for i in range(len(group))], dtype=np.int64)


def _patrols(cells: Geometries, community: Ints) -> tuple[Ints, Ints]:
    """Contiguous groups of cells within each community; returns the group of each cell and each group's
    community.
    """
    centre = shapely.get_coordinates(shapely.centroid(cells))
    group = np.zeros(len(cells), dtype=np.int64)
    count = 0
    for name in range(int(community.max()) + 1):
        pending = [np.flatnonzero(community == name)]
        while pending:
            members = pending.pop()
            if len(members) <= 1.45 * _CELLS_PER_PATROL:
                group[members] = count
                count += 1
                continue
            own = centre[members] - centre[members].mean(axis=0)
            _values, vectors = np.linalg.eigh(own.T @ own)
            order = np.argsort(own @ vectors[:, -1], kind="stable")
            pending += [members[order[: len(order) // 2]], members[order[len(order) // 2 :]]]
    left, right, length = borders(cells)
    pieces = _connected(group, left, right)
    # A piece cut off from its group joins the neighbouring group of the same community.
    for _round in range(6):
        main = {int(g): int(np.bincount(pieces[group == g]).argmax()) for g in np.unique(group)}
        stray = np.flatnonzero(pieces != np.array([main[int(g)] for g in group]))
        if not stray.size:
            break
        for cell in stray.tolist():
            near = (left == cell) | (right == cell)
            others = np.where(left[near] == cell, right[near], left[near])
            good = (community[others] == community[cell]) & (group[others] != group[cell])
            if good.any():
                group[cell] = group[others[good][int(np.argmax(length[near][good]))]]
        pieces = _connected(group, left, right)
    _names, result = np.unique(pieces, return_inverse=True)
    of_community = np.zeros(int(result.max()) + 1, dtype=np.int64)
    of_community[result] = community
    return result, of_community


def _unions(cells: Geometries, group: Ints) -> Geometries:
    order = np.argsort(group, kind="stable")
    bounds = np.flatnonzero(np.diff(group[order])) + 1
    return np.array([shapely.coverage_union_all(cells[m]) for m in np.split(order, bounds)], dtype=object)


def _nearest(points: Floats, seats: Floats) -> Ints:
    nearest: Ints = ((points[:, None, :] - seats[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
    return nearest


def _districts(communities: Geometries, district: Ints, outer: Geometries, seats: Floats) -> Geometries:
    """Each town's communities with the country around it; a piece of country cut off joins whom it touches
    most.
    """
    owner = _nearest(shapely.get_coordinates(shapely.point_on_surface(outer)), seats)
    faces = np.concatenate([communities, outer])
    group = np.concatenate([district, owner])
    left, right, length = borders(faces)
    for _round in range(4):
        pieces = _connected(group, left, right)
        area = shapely.area(faces)
        changed = False
        for name in np.unique(group):
            members = np.flatnonzero(group == name)
            sizes = {
                int(p): float(area[members][pieces[members] == p].sum()) for p in np.unique(pieces[members])
            }
            keep = max(sizes, key=lambda p: sizes[p])
            for p in sizes:
                if p == keep:
                    continue
                lost = members[pieces[members] == p]
                if (lost < len(communities)).any():
                    continue
                touching = np.isin(left, lost) ^ np.isin(right, lost)
                others = np.where(np.isin(left, lost), right, left)[touching]
                good = group[others] != name
                if good.any():
                    weight = np.bincount(group[others[good]], weights=length[touching][good])
                    group[lost] = int(weight.argmax())
                    changed = True
        if not changed:
            break
    return np.array([shapely.coverage_union_all(faces[group == i]) for i in range(len(seats))], dtype=object)


_LANE_ENDINGS = (
    ("巷", "Ln"), ("胡同", "Hutong"), ("前街", "Front St"), ("后街", "Back St"), ("东巷", "East Ln"),
    ("西巷", "West Ln"), ("南巷", "South Ln"), ("北巷", "North Ln"), ("一巷", "Ln 1"), ("二巷", "Ln 2"),
    ("三巷", "Ln 3"), ("四巷", "Ln 4"), ("五巷", "Ln 5"), ("东一巷", "East Ln 1"), ("东二巷", "East Ln 2"),
    ("西一巷", "West Ln 1"), ("西二巷", "West Ln 2"), ("南一巷", "South Ln 1"), ("北一巷", "North Ln 1"),
)  # fmt: skip


def lane_streets(
    lanes: list[shapely.LineString], words: list[tuple[str, str]], rng: np.random.Generator
) -> list[Street]:
    """Names for the lanes: an old trade or virtue and 巷, 胡同 or 街; more lanes, more of the endings."""
    names = [(w + e, f"{we} {ee}") for e, ee in _LANE_ENDINGS for w, we in words]
    picked = rng.permutation(min(len(names), len(lanes) + 40))
    streets = []
    for i, line in enumerate(lanes):
        name, english = names[int(picked[i % len(picked)])]
        streets.append(Street(name, english, LANE, line))
    return streets
