"""The ground under the demo city: a flat frame in metres around the town, its outline, towns and word
lists.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from db.kernel.resources import resource

Floats = npt.NDArray[np.float64]

CENTRE_LON, CENTRE_LAT = 117.163, 35.0865
"""Where the old town is taken to be (DOMAIN 6.2: the urban window 117.10–117.23 E, 35.04–35.13 N)."""
_PHI = math.radians(CENTRE_LAT)
METRES_PER_LON = 111412.84 * math.cos(_PHI) - 93.5 * math.cos(3 * _PHI)
METRES_PER_LAT = 111132.92 - 559.82 * math.cos(2 * _PHI) + 1.175 * math.cos(4 * _PHI)
"""Length of a degree at the centre (WGS-84 series); over the town the error is below one in a thousand."""


def to_metres(degrees: Floats) -> Floats:
    """(n, 2) lon, lat to (n, 2) metres east and north of the centre."""
    return (degrees - (CENTRE_LON, CENTRE_LAT)) * (METRES_PER_LON, METRES_PER_LAT)


def to_degrees(metres: Floats) -> Floats:
    """(n, 2) metres to (n, 2) lon, lat; equal points stay equal, so a partition stays one."""
    return metres / (METRES_PER_LON, METRES_PER_LAT) + (CENTRE_LON, CENTRE_LAT)


def snapped(metres: Floats) -> Floats:
    """Points moved onto the seventh decimal of a degree, as they will be kept; a centimetre at most."""
    return to_metres(to_degrees(metres).round(7))


def geometry_to_degrees(geometries: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """The same for whole geometries."""
    moved: npt.NDArray[np.object_] = shapely.transform(geometries, to_degrees)
    return moved


@dataclass(frozen=True)
class Town:
    """A street office's or town's official code and name with an approximate centre, in metres."""

    code: str
    name: str
    name_en: str
    x: float
    y: float


@dataclass(frozen=True)
class StreetPlan:
    """A named street: main ones with their place in the grid (metres from the centre), side ones without."""

    name: str
    name_en: str
    grade: str
    runs: str
    offset: float
    tilt: float


def read_outline() -> shapely.Polygon:
    """The city's outline in metres."""
    found = shapely.from_geojson(resource("demo", "outline.geojson").read_text(encoding="utf-8"))
    polygon = max(shapely.get_parts(shapely.get_parts(found)).tolist(), key=lambda part: part.area)
    return shapely.transform(polygon, to_metres)


def read_towns() -> list[Town]:
    """The 21 streets and towns."""
    towns = []
    for row in _rows("townships.csv"):
        x, y = to_metres(np.array([[float(row["lon"]), float(row["lat"])]]))[0]
        towns.append(Town(row["code"], row["name"], row["name_en"], float(x), float(y)))
    return towns


def read_streets() -> list[StreetPlan]:
    """The named streets; their geometry is invented."""
    return [
        StreetPlan(
            row["name"],
            row["name_en"],
            row["grade"],
            row["runs"],
            float(row["offset"] or 0),
            float(row["tilt"] or 0),
        )
        for row in _rows("streets.csv")
    ]


def read_highways() -> list[tuple[str, str, list[str]]]:
    """Country roads: name, English name, and the words of their way (see ``streets.highways``)."""
    return [(row["name"], row["name_en"], row["way"].split()) for row in _rows("highways.csv")]


def read_words() -> dict[str, list[tuple[str, str]]]:
    """The word lists by name: (Chinese, English) pairs."""
    lists: dict[str, list[tuple[str, str]]] = {}
    for row in _rows("words.csv"):
        lists.setdefault(row["list"], []).append((row["name"], row["name_en"]))
    return lists


def _rows(name: str) -> Iterator[dict[str, str]]:
    with resource("demo", name).open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def random(seed: int, stream: str) -> np.random.Generator:
    """A generator of its own for each part, so that one part's draws never shift another's."""
    return np.random.default_rng([seed, *stream.encode()])
