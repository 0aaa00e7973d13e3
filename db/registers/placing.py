"""Finds the point that an address means: crossings, doors, gates, roads, and so many metres to the east.

A point always says how far it may lie off, and how sure it is that this is what was meant: an officer
decides, not the program.
"""

from __future__ import annotations

import heapq
import math
import re
import threading
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import Connection, func, select

from db.kernel.geo import EARTH_METRES, Point
from db.registers.finding import spells, syllables
from db.registers.tables import area, place, road, water

Line = npt.NDArray[np.float64]
"""A line as (n, 2) metres east and north of the gazetteer's origin."""

COARSE_M = 100.0
"""A point that may lie further off than this is a neighbourhood, not a place."""

_METRES_PER_DEGREE = math.radians(1.0) * EARTH_METRES

# How far a point of each kind may lie off, in metres.
_WITHIN = {"crossing": 25.0, "door": 25.0, "stop": 15.0, "landmark": 60.0, "market": 60.0, "school": 80.0}
_GRADES = {"main": 0, "side": 1, "lane": 2}
_BETWEEN_DOORS = 30.0
_BEYOND = 700.0
"""A house number that would stand further behind the last one is taken for a mistake."""
_GATE = 40.0
"""From the middle of a place without an outline to its gate."""
_BESIDE = 15.0
"""What "on the east side" means when no distance is told."""
_SAME_CROSSING = 60.0
"""Two roads that come so near meet, even if their lines do not touch."""
_NEAR_ROAD = 25.0

_COMPASS = {"东北": 45.0, "东南": 135.0, "西南": 225.0, "西北": 315.0,
            "东": 90.0, "南": 180.0, "西": 270.0, "北": 0.0}  # fmt: skip
_WAYS = "东北|东南|西南|西北|东|南|西|北"
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_TENS = {"十": 10, "百": 100, "千": 1000}
_AMOUNT = r"(?P<amount>\d+(?:\.\d+)?|[零一二两三四五六七八九十百千]+)\s*(?P<unit>公里|千米|km|里|米|m)"
_OFFSET = re.compile(
    rf"(?:往|向|朝|以|偏|路|正)*(?P<way>{_WAYS})(?:侧|边|面|方向|方|头|行|走|去)*(?:约|大约|大概)?\s*{_AMOUNT}"
    r"(?:处|左右|远|的地方)*"
)
_OFFSET_BEFORE_WAY = re.compile(rf"{_AMOUNT}(?:处|左右)?(?:以|偏|的)?(?P<way>{_WAYS})(?:侧|边|面|方)?$")
_SIDE = re.compile(rf"(?:路|街|道)?(?P<way>{_WAYS})(?:侧|边|面|首|头|角)?$")
_GATE_WORD = re.compile(rf"(?P<way>{_WAYS})(?:大|小|侧)?门(?:口|外|前)?$")
_NUMBER = re.compile(r"^(?P<road>.+?)(?P<number>\d+)(?:-\d+)?号?(?:院|楼|附近|旁)?$")
_CORNER_END = re.compile(r"(?:的)?(?:交叉路口|十字路口|丁字路口|三岔路口|交叉口|交汇处|交叉处|交口|路口|口)$")
_AND = re.compile(r"与|和|跟|及|、|/|&|×|x| and ", re.IGNORECASE)
_VAGUE = re.compile(r"(?:附近|旁边|旁|边上|门口|门前|对面|楼下|处|路段|沿线|沿路|全线|内|里面|里|上)$")


@dataclass(frozen=True)
class Placed:
    """A point that an address may mean (WGS-84 degrees)."""

    name: str
    """What was found, as the gazetteer calls it."""
    lon: float
    lat: float
    kind: str
    """crossing, door, road, landmark, market, school, stop, park, lake, river, or the kind of an area."""
    within_m: float
    """How far off it may lie."""
    sure: float
    """0 to 1: how much of what was typed is explained by it."""
    is_whole: bool = True
    """False for a name that only begins like what was typed: a suggestion."""

    @property
    def point(self) -> Point:
        return self.lon, self.lat

    @property
    def is_coarse(self) -> bool:
        """Whether it is a neighbourhood rather than a place: the middle of a road, a community."""
        return self.within_m > COARSE_M


@dataclass(frozen=True)
class Named:
    """A name with a point, as the registers give it."""

    kind: str
    name: str
    name_en: str
    lon: float
    lat: float


@dataclass(frozen=True)
class NamedShape:
    """A road (line) or a park, lake or river (outline), in WGS-84 degrees."""

    kind: str
    name: str
    name_en: str
    shape: shapely.Geometry


class Gazetteer:
    """All names of a city with their places; built once, asked at each key from any thread."""

    def __init__(
        self,
        places: Iterable[Named],
        roads: Iterable[NamedShape] = (),
        waters: Iterable[NamedShape] = (),
        areas: Iterable[Named] = (),
        prefixes: Iterable[str] = (),
    ) -> None:
        """``prefixes`` are names that may stand before an address and say nothing new: the city."""
        known = list(places)
        lines = sorted((each for each in roads if each.name), key=lambda each: _GRADES.get(each.kind, 9))
        shapes = [each for each in waters if each.name and not each.shape.is_empty]
        within = list(areas)
        self._origin = _middle(known, lines, within)
        self._narrow = math.cos(math.radians(self._origin[1]))
        self._lines: dict[str, list[Line]] = {}
        self._english: dict[str, str] = {}
        for each in lines:
            self._lines.setdefault(each.name, []).extend(self._plane_lines(each.shape))
            self._english.setdefault(each.name, each.name_en)
        self._shapes: dict[str, NamedShape] = {each.name: each for each in reversed(shapes)}
        self._places: dict[str, list[Named]] = {}
        self._corners: dict[frozenset[str], list[Named]] = {}
        self._doors: dict[str, list[tuple[int, Named]]] = {}
        for spot in known:
            self._add(spot)
        for doors in self._doors.values():
            doors.sort(key=lambda pair: pair[0])
        self._areas: dict[str, Named] = {each.name: each for each in reversed(within)}
        self._prefixes = sorted({*prefixes, *self._areas}, key=len, reverse=True)
        self._index_names(known)
        self._spots = known
        self._spot_points = np.array([(s.lon, s.lat) for s in known], dtype=np.float64).reshape(-1, 2)
        self._spelled: list[tuple[tuple[str, ...], str]] | None = None
        self._spelling = threading.Lock()

    # Asking.

    def find(self, text: str, limit: int = 8) -> list[Placed]:
        """The points that ``text`` may mean, surest first; then names that only begin like it."""
        words = _plain(text)
        if not words:
            return []
        whole = sorted(self._whole(words), key=lambda each: (-each.sure, each.within_m))
        found: dict[tuple[str, str], Placed] = {}
        for each in (*whole, *self._suggestions(words, limit)):
            found.setdefault((each.name, each.kind), each)
        return list(found.values())[:limit]

    def describe(self, lon: float, lat: float, reach_m: float = 200.0) -> str:
        """A point in words: the nearest named place, or so many metres from it; "" when there is none."""
        if not len(self._spots):
            return ""
        offset = (self._spot_points - (lon, lat)) * (_METRES_PER_DEGREE * self._narrow, _METRES_PER_DEGREE)
        distance = np.hypot(offset[:, 0], offset[:, 1])
        nearest = int(distance.argmin())
        if distance[nearest] > reach_m:
            return ""
        name, metres = self._spots[nearest].name, float(distance[nearest])
        if metres < 15.0:
            return name
        bearing = math.degrees(math.atan2(-offset[nearest, 0], -offset[nearest, 1])) % 360.0
        way = ("北", "东", "南", "西")[round(bearing / 90.0) % 4]
        return f"{name}{way}{max(10, round(metres / 10) * 10)}米"

    # What a whole text means.

    def _whole(self, words: str) -> Iterator[Placed]:
        yield from self._read(words, 1.0)
        for prefix in self._prefixes:
            rest = words.removeprefix(prefix)
            if rest and rest != words:
                # "荆河街道荆河街道办事处": one prefix is taken off, then perhaps the next.
                yield from self._whole_without_prefix(rest)
                break

    def _whole_without_prefix(self, words: str) -> Iterator[Placed]:
        for each in self._whole(words):
            yield replace(each, sure=each.sure * 0.99)

    def _read(self, words: str, sure: float) -> Iterator[Placed]:
        anchors = list(self._anchors(words))
        if anchors:
            yield from (replace(each, sure=each.sure * sure) for each in anchors)
            return
        for pattern in (_OFFSET, _OFFSET_BEFORE_WAY, _SIDE):
            match = pattern.search(words)
            if match is None or not match.start():
                continue
            metres = _metres(match) if "amount" in pattern.groupindex else _BESIDE
            base = words[: match.start()]
            # What follows the distance ("…东50米路北") tells less than the distance itself.
            rest = words[match.end() :]
            for each in self._base(base):
                moved = self._moved(each, _COMPASS[match["way"]], metres)
                yield replace(
                    moved, name=f"{each.name}{words[match.start() : match.end()]}",
                    sure=each.sure * sure * (0.9 if rest else 1.0),
                )  # fmt: skip
            return
        shorter = _VAGUE.sub("", words)
        if shorter and shorter != words:
            for each in self._read(shorter, sure * 0.95):
                yield replace(each, within_m=each.within_m + 30.0)
            return
        yield from self._begins(words, sure)

    def _base(self, base: str) -> list[Placed]:
        found = list(self._anchors(base))
        shorter = _VAGUE.sub("", base)
        if not found and shorter != base:
            found = list(self._anchors(shorter))
        if not found:
            found = [each for each in self._whole(base) if each.sure > 0.5]
        best = max((each.sure for each in found), default=0.0)
        return [each for each in found if each.sure == best]

    def _begins(self, words: str, sure: float) -> Iterator[Placed]:
        """The longest known name with which the text begins, or which it holds; the rest stays dark."""
        for length in range(len(words) - 1, 1, -1):
            found = list(self._anchors(words[:length]))
            if found:
                share = sure * (0.35 + 0.5 * length / len(words))
                yield from (replace(each, sure=each.sure * share) for each in found)
                return
        for start in range(1, len(words) - 1):
            for end in range(len(words), start + 1, -1):
                found = list(self._anchors(words[start:end]))
                if found:
                    share = sure * 0.6 * (end - start) / len(words)
                    yield from (replace(each, sure=each.sure * share) for each in found)
                    return

    def _anchors(self, words: str) -> Iterator[Placed]:
        """Places that bear exactly this name, in any of the ways in which one is built."""
        exact = False
        for spot in self._places.get(words, ()):
            exact = True
            yield _placed(spot)
        if words in self._shapes:
            exact = True
            yield self._middle_of(self._shapes[words])
        if exact:
            return
        corner = list(self._corner(words))
        if corner:
            yield from corner
            return
        if (match := _NUMBER.match(words)) and match["road"] in self._lines:
            yield from self._door(match["road"], int(match["number"]))
            return
        if match := _GATE_WORD.search(words):
            yield from self._gate(words[: match.start()], match["way"], words)
        if words in self._lines:
            yield self._road(words)
        elif words in self._areas:
            spot = self._areas[words]
            yield Placed(spot.name, spot.lon, spot.lat, spot.kind, 800.0, 0.9)

    def _corner(self, words: str) -> Iterator[Placed]:
        names = self._two_roads(words)
        if names is None:
            return
        for spot in self._corners.get(frozenset(names), ()):
            yield _placed(spot)
            return
        meeting = self._meeting(*names)
        if meeting is not None:
            lon, lat = self._degrees(meeting[0])
            label = f"{names[0]}与{names[1]}路口"
            yield Placed(label, lon, lat, "crossing", max(25.0, meeting[1]), 0.97)

    def _two_roads(self, words: str) -> tuple[str, str] | None:
        """The roads of "A与B路口", "A和B交叉口", "A与B" or "AB路口"."""
        # "荆河路口" is 荆河路 and 口, "墨子大道路口" is 墨子大道 and 路口: what is a road decides.
        for ending in (words, _CORNER_END.sub("", words), words.removesuffix("口")):
            # 和 stands in names too: 祥和西路与翠湖西路口.
            for between in _AND.finditer(ending):
                left, right = ending[: between.start()], ending[between.end() :]
                if left in self._lines and right in self._lines and left != right:
                    return left, right
            if ending != words:
                for end in range(2, len(ending) - 1):
                    left, right = ending[:end], ending[end:]
                    if left in self._lines and right in self._lines and left != right:
                        return left, right
        return None

    def _meeting(self, one: str, other: str) -> tuple[npt.NDArray[np.float64], float] | None:
        """Where two roads come nearest, in metres, and by how much they miss each other."""
        first = shapely.multilinestrings([shapely.linestrings(line) for line in self._lines[one]])
        second = shapely.multilinestrings([shapely.linestrings(line) for line in self._lines[other]])
        gap = float(shapely.distance(first, second))
        if gap > _SAME_CROSSING:
            return None
        ends = shapely.get_coordinates(shapely.shortest_line(first, second))
        return ends.mean(axis=0), gap

    def _door(self, name: str, number: int) -> Iterator[Placed]:
        """A house number: itself, between its neighbours of the same side, or beyond the last one."""
        doors = self._doors.get(name, [])
        side = [pair for pair in doors if pair[0] % 2 == number % 2] or doors
        label = f"{name}{number}号"
        if not side:
            yield replace(self._road(name), name=label, sure=0.7)
            return
        at = bisect_left(side, number, key=lambda pair: pair[0])
        if at < len(side) and side[at][0] == number:
            yield _placed(side[at][1])
        elif 0 < at < len(side):
            (low, left), (high, right) = side[at - 1], side[at]
            share = (number - low) / (high - low)
            lon = left.lon + (right.lon - left.lon) * share
            lat = left.lat + (right.lat - left.lat) * share
            off = max(_BETWEEN_DOORS, (high - low) * 2.0)
            yield Placed(label, lon, lat, "door", off, 0.97)
        else:
            known, last = side[min(at, len(side) - 1)]
            off = COARSE_M + abs(number - known) * 12.0
            if off > _BEYOND:
                # No such number: the road is all that is known.
                yield replace(self._road(name), sure=0.5)
            else:
                yield Placed(label, last.lon, last.lat, "door", off, 0.7)

    def _gate(self, name: str, way: str, words: str) -> Iterator[Placed]:
        """The east gate of something: on its outline, or a little east of its middle."""
        if name in self._shapes:
            shape = self._shapes[name].shape
            ring = shapely.boundary(shape)
            middle = shapely.get_coordinates(shapely.centroid(shape))[0]
            turn = math.radians(_COMPASS[way])
            ray = shapely.linestrings([middle, middle + np.array([math.sin(turn), math.cos(turn)])])
            hits = shapely.get_coordinates(shapely.intersection(ring, ray))
            if len(hits):
                far = hits[np.hypot(*(hits - middle).T).argmax()]
                yield Placed(words, float(far[0]), float(far[1]), self._shapes[name].kind, 80.0, 0.97)
                return
        for spot in self._places.get(name, ()):
            moved = self._shifted(spot.lon, spot.lat, _COMPASS[way], _GATE)
            yield Placed(words, *moved, spot.kind, 50.0, 0.97)

    def _road(self, name: str) -> Placed:
        """The middle of a road, as far off as the road is long."""
        lines = self._lines[name]
        lengths = [float(np.hypot(*np.diff(line, axis=0).T).sum()) for line in lines]
        longest = int(np.argmax(lengths))
        middle = shapely.line_interpolate_point(shapely.linestrings(lines[longest]), 0.5, normalized=True)
        whole = np.vstack(lines)
        reach = float(np.hypot(*(whole - shapely.get_coordinates(middle)[0]).T).max())
        lon, lat = self._degrees(shapely.get_coordinates(middle)[0])
        return Placed(name, lon, lat, "road", max(reach, COARSE_M + 1.0), 0.9)

    def _middle_of(self, each: NamedShape) -> Placed:
        lon, lat = shapely.get_coordinates(shapely.point_on_surface(each.shape))[0].tolist()
        west, south, east, north = shapely.bounds(each.shape).tolist()
        reach = math.hypot((east - west) * self._narrow, north - south) / 2 * _METRES_PER_DEGREE
        return Placed(each.name, lon, lat, each.kind, max(reach, 30.0), 0.95)

    # Moving.

    def _moved(self, base: Placed, bearing: float, metres: float) -> Placed:
        """So many metres along the road that leads that way, or straight when none does."""
        if base.kind in {"crossing", "door"}:
            along = self._along_road(base, bearing, metres)
            if along is not None:
                return replace(base, lon=along[0], lat=along[1], within_m=base.within_m + 0.1 * metres)
        lon, lat = self._shifted(base.lon, base.lat, bearing, metres)
        return replace(base, lon=lon, lat=lat, within_m=base.within_m + 0.25 * metres)

    def _along_road(self, base: Placed, bearing: float, metres: float) -> Point | None:
        here = self._plane(base.lon, base.lat)
        turn = math.radians(bearing)
        wanted = np.array([math.sin(turn), math.cos(turn)])
        best, best_cosine = None, math.cos(math.radians(40.0))
        for name in self._roads_at(base.name):
            for line in self._lines[name]:
                road_line = shapely.linestrings(line)
                at = float(shapely.line_locate_point(road_line, shapely.points(here)))
                on = shapely.get_coordinates(shapely.line_interpolate_point(road_line, at))[0]
                if np.hypot(*(on - here)) > _NEAR_ROAD:
                    continue
                for goal in (at + metres, at - metres):
                    if not 0.0 <= goal <= shapely.length(road_line):
                        continue
                    there = shapely.get_coordinates(shapely.line_interpolate_point(road_line, goal))[0]
                    step = there - on
                    length = float(np.hypot(*step))
                    if length and float(step @ wanted) / length > best_cosine:
                        best, best_cosine = here + step, float(step @ wanted) / length
        return None if best is None else self._degrees(best)

    def _roads_at(self, name: str) -> list[str]:
        """The roads that the name of a place speaks of."""
        if pair := self._two_roads(name):
            return list(pair)
        if (match := _NUMBER.match(name)) and match["road"] in self._lines:
            return [match["road"]]
        return []

    def _shifted(self, lon: float, lat: float, bearing: float, metres: float) -> Point:
        turn = math.radians(bearing)
        east, north = math.sin(turn) * metres, math.cos(turn) * metres
        narrow = math.cos(math.radians(lat))
        return lon + east / (_METRES_PER_DEGREE * narrow), lat + north / _METRES_PER_DEGREE

    # Suggesting.

    def _suggestions(self, words: str, limit: int) -> Iterator[Placed]:
        """Names that begin with what was typed, then those that hold it, then those that sound like it."""
        seen: set[str] = set()
        for name in self._matching(words, limit):
            if name in seen:
                continue
            seen.add(name)
            for each in self._anchors(name):
                yield replace(each, sure=each.sure * 0.5 * min(1.0, len(words) / len(name)), is_whole=False)
                break
            if len(seen) >= limit:
                return

    def _matching(self, words: str, limit: int) -> Iterator[str]:
        if words.isascii():
            yield from self._matching_letters(words.lower(), limit)
            return
        first = bisect_left(self._sorted, (words,))
        beyond = bisect_left(self._sorted, (words + "\U0010ffff",))
        begin = heapq.nsmallest(limit, self._sorted[first:beyond], key=lambda entry: entry[2])
        yield from (name for _begins, name, _weight in begin)
        at = self._blob.find(words)
        while at >= 0:
            yield self._blob[self._blob.rfind("\n", 0, at) + 1 : self._blob.find("\n", at)]
            at = self._blob.find(words, at + 1)

    def _matching_letters(self, words: str, limit: int) -> Iterator[str]:
        if not any(sign.isalpha() for sign in words):
            return
        letters = words.replace(" ", "")
        with self._spelling:
            if self._spelled is None:
                # Doors are left out: nobody spells 7,000 house numbers in pinyin.
                self._spelled = [(syllables(name), name) for name in self._by_weight]
        starts = [(spells(letters, spoken), name) for spoken, name in self._spelled]
        yield from (name for start, name in starts if start == 0)
        for english, name in self._in_english:
            if english.startswith(words):
                yield name
        yield from (name for start, name in starts if start > 0)

    # Building.

    def _add(self, spot: Named) -> None:
        self._places.setdefault(spot.name, []).append(spot)
        if spot.kind == "door" and (match := _NUMBER.match(spot.name)):
            self._doors.setdefault(match["road"], []).append((int(match["number"]), spot))
        elif spot.kind == "crossing" and (pair := self._two_roads(spot.name)):
            self._corners.setdefault(frozenset(pair), []).append(spot)

    def _index_names(self, known: Sequence[Named]) -> None:
        """The names in the order in which they are suggested: roads and landmarks, crossings, then doors."""
        corners = [spot.name for spot in known if spot.kind == "crossing"]
        others = [spot.name for spot in known if spot.kind not in {"crossing", "door"}]
        doors = [spot.name for spot in known if spot.kind == "door"]
        self._by_weight = list(dict.fromkeys([*self._lines, *self._shapes, *others, *self._areas, *corners]))
        self._in_english = [(self._english.get(name, "").lower(), name) for name in self._lines]
        self._in_english += [(s.name_en.lower(), s.name) for s in known if s.kind != "door" and s.name_en]
        self._in_english += [(s.name_en.lower(), s.name) for s in self._shapes.values()]
        pairs = {(name, name) for name in (*self._by_weight, *doors)}
        for pair, spots in self._corners.items():
            for one in pair:
                other = next(iter(pair - {one}))
                pairs.add((f"{one}与{other}", spots[0].name))
        weight = {name: place for place, name in enumerate((*self._by_weight, *doors))}
        self._sorted = sorted((begins, name, weight[name]) for begins, name in pairs)
        self._blob = "\n" + "\n".join((*self._by_weight, *doors)) + "\n"

    def _plane(self, lon: float, lat: float) -> npt.NDArray[np.float64]:
        return np.array(
            [
                (lon - self._origin[0]) * _METRES_PER_DEGREE * self._narrow,
                (lat - self._origin[1]) * _METRES_PER_DEGREE,
            ]
        )

    def _plane_lines(self, shape: shapely.Geometry) -> list[Line]:
        scale = np.array([_METRES_PER_DEGREE * self._narrow, _METRES_PER_DEGREE])
        return [(shapely.get_coordinates(part) - self._origin) * scale for part in shapely.get_parts(shape)]

    def _degrees(self, point: npt.NDArray[np.float64]) -> Point:
        return (
            self._origin[0] + float(point[0]) / (_METRES_PER_DEGREE * self._narrow),
            self._origin[1] + float(point[1]) / _METRES_PER_DEGREE,
        )


def load_gazetteer(connection: Connection) -> Gazetteer:
    """The gazetteer of this database."""
    places = [
        Named(*row)
        for row in connection.execute(
            select(place.c.kind, place.c.name, place.c.name_en, place.c.lon, place.c.lat)
            .where(place.c.ended_on.is_(None))
            .order_by(place.c.id)
        )
    ]
    r, w, a = road.c, water.c, area.c
    roads = connection.execute(
        select(r.grade, r.name, r.name_en, r.line).where(r.ended_on.is_(None)).order_by(r.id)
    )
    waters = connection.execute(
        select(w.kind, w.name, w.name_en, w.outline).where(w.ended_on.is_(None)).order_by(w.id)
    )
    areas = connection.execute(
        select(a.kind, a.name, a.name_en, a.lon, a.lat)
        .where(a.kind.in_(("city", "district", "community")), a.ended_on.is_(None))
        .order_by(a.id)
    ).all()
    return Gazetteer(
        places,
        [NamedShape(kind, name, english, shapely.from_wkb(line)) for kind, name, english, line in roads],
        [NamedShape(kind, name, english, shapely.from_wkb(line)) for kind, name, english, line in waters],
        [Named(*row) for row in areas if row.kind != "city"],
        [row.name for row in areas if row.kind == "city"],
    )


_kept: tuple[str, Gazetteer] | None = None
_keeping = threading.Lock()


def gazetteer_of(connection: Connection) -> Gazetteer:
    """The gazetteer of this database, built anew only when its names have changed."""
    global _kept
    counts = [
        connection.execute(
            select(func.count(), func.coalesce(func.max(t.c.id), 0), func.coalesce(func.sum(t.c.version), 0))
        ).one()
        for t in (place, road, water)
    ]
    mark = f"{connection.engine.url}|{[tuple(count) for count in counts]}"
    with _keeping:
        if _kept is None or _kept[0] != mark:
            _kept = (mark, load_gazetteer(connection))
        return _kept[1]


def _placed(spot: Named) -> Placed:
    return Placed(spot.name, spot.lon, spot.lat, spot.kind, _WITHIN.get(spot.kind, 60.0), 1.0)


def _middle(places: Sequence[Named], lines: Sequence[NamedShape], areas: Sequence[Named]) -> Point:
    points = [(spot.lon, spot.lat) for spot in (*places, *areas)]
    if not points and lines:
        points = shapely.get_coordinates(lines[0].shape).tolist()
    if not points:
        return 0.0, 0.0
    middle = np.median(np.array(points), axis=0)
    return float(middle[0]), float(middle[1])


def _plain(text: str) -> str:
    """Full width to half, no blanks between Chinese characters, no punctuation at the ends."""
    folded = unicodedata.normalize("NFKC", text).strip(" \t\n,.;:。，；：、")
    return re.sub(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])|[,，。]", "", folded)


def _metres(match: re.Match[str]) -> float:
    amount = match["amount"]
    value = float(amount) if amount[0].isdigit() else float(_chinese_number(amount))
    return value * {"公里": 1000.0, "千米": 1000.0, "km": 1000.0, "里": 500.0}.get(match["unit"], 1.0)


def _chinese_number(text: str) -> int:
    """一百二十 as 120, 五十 as 50, 十 as 10."""
    total, digit = 0, 0
    for sign in text:
        if sign in _TENS:
            total += (digit or 1) * _TENS[sign]
            digit = 0
        else:
            digit = _DIGITS[sign]
    return total + digit
