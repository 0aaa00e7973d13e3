"""Reads a pair of coordinates as people write it, in whatever frame, and makes it WGS-84 degrees.

Understood are decimal degrees, degrees with minutes and seconds, and the metres of a 3° Gauss-Krüger zone (by
their size: nobody means 514 242 degrees). The pair may stand in either order. What was written is kept beside
what was made of it, with the name of its frame (DOMAIN 6.3).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from db.kernel.geo import (
    TO_WGS84,
    Point,
    as_it_is,
    bd09_from_wgs84,
    gcj02_from_wgs84,
    metres_between,
    on_earth,
)
from db.kernel.language import N_
from db.kernel.refusal import Refused

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

DATUMS = tuple(TO_WGS84)
"""The frames of degrees that a person may choose; metres are known by their size."""

GCJ_METRES = 5.0
"""How far a point made from GCJ-02 or BD-09 may lie off: the public formula is not the official one."""

_OWN_MERIDIAN = 117
"""The central meridian of eastings without a zone number: the county lies around it (EPSG:4548)."""
_EASTINGS = (100_000.0, 900_000.0)
_NORTHINGS = (1_900_000.0, 6_100_000.0)
"""China's, from the Nansha islands to Mohe."""
_ZONES = range(25, 46)
_CHINA = (72.0, 3.0, 136.0, 54.0)

_SIGN = {
    "东经": "E", "西经": "W", "北纬": "N", "南纬": "S", "经度": "E", "纬度": "N", "lng": "E", "lon": "E",
    "lat": "N", "longitude": "E", "latitude": "N",
}  # fmt: skip
_MARK = re.compile(r"东经|西经|北纬|南纬|经度|纬度|longitude|latitude|lng|lon|lat", re.IGNORECASE)
_PART = re.compile(
    r"(?P<before>[EWNS])?[:=]?\s*(?P<sign>[-+])?(?P<degrees>\d+(?:\.\d+)?)"
    r"(?:\s*[°度]\s*(?:(?P<minutes>\d+(?:\.\d+)?)\s*['分]\s*(?:(?P<seconds>\d+(?:\.\d+)?)\s*[\"秒]?)?)?)?"
    r"\s*(?P<after>[EWNS](?![a-z]))?",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s,;、/|()\[\]]*")


@dataclass(frozen=True)
class Coordinates:
    """A place in WGS-84 degrees, and the pair it was made from: x is longitude or easting, y the other."""

    lon: float
    lat: float
    original_x: float
    original_y: float
    datum: str
    """``WGS-84``, ``CGCS2000``, ``GCJ-02``, ``BD-09`` or ``EPSG:4548``, ``EPSG:4527`` and their like."""
    is_swapped: bool = False
    """Latitude or northing stood first."""

    @property
    def within_m(self) -> float:
        """How far the point may lie off by the conversion alone."""
        return GCJ_METRES if self.datum in {"GCJ-02", "BD-09"} else 0.0


@dataclass(frozen=True)
class _Part:
    value: float
    axis: str
    """x, y, or "" when nothing says which."""


def looks_like_coordinates(text: str) -> bool:
    """Whether somebody seems to be writing a pair of coordinates and not an address."""
    return _parts(text) is not None


def read_coordinates(text: str, datum: str = "WGS-84", bounds: Box | None = None) -> Coordinates:
    """The place that a pair of coordinates names.

    ``datum`` is the frame of degrees; metres tell their own. ``bounds`` is the city: when both orders make
    sense, the one that lies in it, or nearer to it, is meant. Raises ``Refused``.
    """
    parts = _parts(text)
    if parts is None:
        raise Refused("no_coordinates", N_("Write two numbers, for example 117.16, 35.08."))
    if datum not in TO_WGS84:
        raise Refused("unknown_datum", N_("There is no coordinate frame “{datum}”."), datum=datum)
    first, second = parts
    if max(abs(first.value), abs(second.value)) > 360.0:
        return _from_metres(first.value, second.value)
    return _from_degrees(first, second, datum, bounds)


def _parts(text: str) -> tuple[_Part, _Part] | None:
    """The two numbers of a text that holds nothing else."""
    plain = unicodedata.normalize("NFKC", text).strip()
    plain = plain.replace("’", "'").replace("′", "'").replace("”", '"').replace("''", '"').replace("º", "°")
    plain = _MARK.sub(lambda match: _SIGN[match[0].lower()], plain)
    plain = plain.lstrip("([")
    found: list[_Part] = []
    at = 0
    while at < len(plain):
        match = _PART.match(plain, at)
        if match is None or len(found) == 2:
            return None
        found.append(_part(match))
        between = _BETWEEN.match(plain, match.end())
        at = between.end() if between else match.end()
    return (found[0], found[1]) if len(found) == 2 else None


def _part(match: re.Match[str]) -> _Part:
    value = float(match["degrees"]) + float(match["minutes"] or 0) / 60 + float(match["seconds"] or 0) / 3600
    letter = (match["before"] or match["after"] or "").upper()
    if match["sign"] == "-" or letter in {"W", "S"}:
        value = -value
    axis = "x" if letter in {"E", "W"} else "y" if letter else ""
    return _Part(value, axis)


def _from_degrees(first: _Part, second: _Part, datum: str, bounds: Box | None) -> Coordinates:
    swapped = _is_swapped(first, second, bounds)
    x, y = (second.value, first.value) if swapped else (first.value, second.value)
    if not on_earth(x, y):
        raise Refused("not_on_earth", N_("{lon}, {lat} is not a place on earth."), lon=x, lat=y)
    lon, lat = TO_WGS84[datum](x, y)
    return Coordinates(lon, lat, x, y, datum, swapped)


def _is_swapped(first: _Part, second: _Part, bounds: Box | None) -> bool:
    if first.axis or second.axis:
        return first.axis == "y" or second.axis == "x"
    if abs(first.value) > 90.0:
        return False
    if abs(second.value) > 90.0:
        return True
    if bounds is not None:
        middle = ((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
        as_it_stands = metres_between(middle, (first.value, second.value))
        return metres_between(middle, (second.value, first.value)) < as_it_stands
    return False


def _from_metres(first: float, second: float) -> Coordinates:
    """Gauss-Krüger: surveyors write the northing first and call it X, programs the easting."""
    for x, y, swapped in ((first, second, False), (second, first, True)):
        if not _NORTHINGS[0] <= y <= _NORTHINGS[1]:
            continue
        zone = int(x // 1_000_000)
        easting = x - zone * 1_000_000 if zone else x
        if not _EASTINGS[0] <= easting <= _EASTINGS[1]:
            continue
        if zone == 0:
            code = 4534 + (_OWN_MERIDIAN - 75) // 3
        elif zone in _ZONES:
            code = 4513 + zone - _ZONES.start
        else:
            continue
        lon, lat = _degrees_of(code)(x, y)
        if math.isfinite(lon) and _CHINA[0] <= lon <= _CHINA[2] and _CHINA[1] <= lat <= _CHINA[3]:
            return Coordinates(lon, lat, x, y, f"EPSG:{code}", swapped)
    raise Refused("not_in_china", N_("These metres lie nowhere in China."))


FRAMES = ("WGS-84", "GCJ-02", "BD-09", "CGCS2000")
"""The frames in which a place can be written; CGCS2000 in metres, as the survey office does."""


def written(lon: float, lat: float, frame: str) -> str:
    """A WGS-84 point in a frame of ``FRAMES``: degrees, or easting and northing with the meridian.

    Easting without a zone number, around the nearest central meridian of the 3° zones; KeyError if unknown.
    """
    if frame == "CGCS2000":
        meridian = round(lon / 3.0) * 3
        east, north = _metres_of(4534 + (meridian - 75) // 3)(lon, lat)
        return f"{east:,.1f} E  {north:,.1f} N  ({meridian}°)" if math.isfinite(east) else ""
    x, y = _FROM_WGS84[frame](lon, lat)
    return f"{x:.6f}, {y:.6f}"


_FROM_WGS84 = {"WGS-84": as_it_is, "GCJ-02": gcj02_from_wgs84, "BD-09": bd09_from_wgs84}


@lru_cache
def _metres_of(code: int) -> Callable[[float, float], Point]:
    if not 4534 <= code <= 4554:  # beyond 75° and 135° E there is no zone of China's
        return lambda _lon, _lat: (math.nan, math.nan)
    from pyproj import Transformer

    transformer = Transformer.from_crs("EPSG:4490", f"EPSG:{code}", always_xy=True)

    def to_metres(lon: float, lat: float) -> Point:
        east, north = transformer.transform(lon, lat)
        return float(east), float(north)

    return to_metres


@lru_cache
def _degrees_of(code: int) -> Callable[[float, float], Point]:
    # Imported here because most days nobody types metres, and PROJ takes a tenth of a second.
    from pyproj import Transformer

    transformer = Transformer.from_crs(f"EPSG:{code}", "EPSG:4490", always_xy=True)

    def to_degrees(x: float, y: float) -> Point:
        lon, lat = transformer.transform(x, y)
        return float(lon), float(lat)

    return to_degrees
