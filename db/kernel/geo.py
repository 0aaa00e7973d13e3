"""Places on earth: the coordinate frames that Chinese sources use, and distances.

Everything inside the program is WGS-84 degrees, longitude first. CGCS2000 differs from it by centimetres
and is taken as
it is. GCJ-02 and BD-09 are converted by the publicly known formula; it is not the official one, so that a
converted
point is good to about 5 m (DOMAIN 6.3).
"""

from __future__ import annotations

import math

Point = tuple[float, float]
"""Longitude and latitude in degrees."""

EARTH_METRES = 6_371_008.8
"""Mean radius of the earth."""

# The Krasovsky 1940 ellipsoid, on which the GCJ-02 shift is computed.
_AXIS = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_BD_TURN = math.pi * 3000.0 / 180.0
_ROUNDS = 4
"""How often the inverse is refined: one step leaves 1.6 m, two 1.7 mm, three micrometres (DOMAIN 6.3)."""


def gcj02_from_wgs84(lon: float, lat: float) -> Point:
    """GCJ-02 degrees of a WGS-84 point; outside of China both are the same."""
    if not in_china(lon, lat):
        return lon, lat
    x, y = lon - 105.0, lat - 35.0
    wave = (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + wave
    north += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    north += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + wave
    east += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    east += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    phi = math.radians(lat)
    magic = 1.0 - _ECCENTRICITY_SQUARED * math.sin(phi) ** 2
    meridian = _AXIS * (1.0 - _ECCENTRICITY_SQUARED) / (magic * math.sqrt(magic))
    parallel = _AXIS / math.sqrt(magic) * math.cos(phi)
    return lon + math.degrees(east / parallel), lat + math.degrees(north / meridian)


def wgs84_from_gcj02(lon: float, lat: float) -> Point:
    """WGS-84 degrees of a GCJ-02 point, the inverse of ``gcj02_from_wgs84`` to micrometres."""
    if not in_china(lon, lat):
        return lon, lat
    guess_lon, guess_lat = lon, lat
    for _round in range(_ROUNDS):
        shifted_lon, shifted_lat = gcj02_from_wgs84(guess_lon, guess_lat)
        guess_lon += lon - shifted_lon
        guess_lat += lat - shifted_lat
    return guess_lon, guess_lat


def bd09_from_gcj02(lon: float, lat: float) -> Point:
    """BD-09 degrees (Baidu) of a GCJ-02 point."""
    radius = math.hypot(lon, lat) + 0.00002 * math.sin(lat * _BD_TURN)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BD_TURN)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


def gcj02_from_bd09(lon: float, lat: float) -> Point:
    """GCJ-02 degrees of a BD-09 point, the inverse of ``bd09_from_gcj02`` to micrometres."""
    guess_lon, guess_lat = lon - 0.0065, lat - 0.006
    for _round in range(_ROUNDS):
        there_lon, there_lat = bd09_from_gcj02(guess_lon, guess_lat)
        guess_lon += lon - there_lon
        guess_lat += lat - there_lat
    return guess_lon, guess_lat


def wgs84_from_bd09(lon: float, lat: float) -> Point:
    """WGS-84 degrees of a BD-09 point."""
    return wgs84_from_gcj02(*gcj02_from_bd09(lon, lat))


def bd09_from_wgs84(lon: float, lat: float) -> Point:
    """BD-09 degrees of a WGS-84 point."""
    return bd09_from_gcj02(*gcj02_from_wgs84(lon, lat))


def as_it_is(lon: float, lat: float) -> Point:
    """The point itself: for WGS-84, and for CGCS2000, which differs by centimetres."""
    return lon, lat


TO_WGS84 = {
    "WGS-84": as_it_is,
    "CGCS2000": as_it_is,
    "GCJ-02": wgs84_from_gcj02,
    "BD-09": wgs84_from_bd09,
}
"""The way to WGS-84 from each frame that a source may name."""


def in_china(lon: float, lat: float) -> bool:
    """Whether the GCJ-02 shift applies: the box that the formula itself uses."""
    return 72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271


def on_earth(lon: float, lat: float) -> bool:
    """Whether a pair of degrees is a place; NaN is none."""
    return -180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0


def box_around(at: Point, metres: float) -> tuple[float, float, float, float]:
    """West, south, east and north of a box that holds all that is within so many metres of a point."""
    north = math.degrees(metres / EARTH_METRES)
    # A thousandth more, so that rounding leaves nothing out.
    north *= 1.001
    east = north / max(0.01, math.cos(math.radians(at[1])))
    return at[0] - east, at[1] - north, at[0] + east, at[1] + north


def metres_between(a: Point, b: Point) -> float:
    """The great-circle distance of two points in metres (haversine on a sphere, good to 0.5 %)."""
    phi_a, phi_b = math.radians(a[1]), math.radians(b[1])
    half_phi = (phi_b - phi_a) / 2.0
    half_lambda = math.radians(b[0] - a[0]) / 2.0
    square = math.sin(half_phi) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(half_lambda) ** 2
    return 2.0 * EARTH_METRES * math.asin(math.sqrt(min(1.0, square)))
