"""The frames in which coordinates come and go: degrees of four kinds, and the metres of any zone on CGCS2000.

What a ``.prj`` says is believed for metres; degrees may be GCJ-02 or BD-09 whatever it says, because no such
file can name those, so a person's word counts more (DOMAIN 6.3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from db.kernel.geo import TO_WGS84, bd09_from_wgs84, gcj02_from_wgs84
from db.kernel.language import N_
from db.kernel.refusal import Refused

Floats = npt.NDArray[np.float64]

DEGREES = tuple(TO_WGS84)
ZONE_39, MERIDIAN_117 = "EPSG:4527", "EPSG:4548"
"""The two ways in which the survey office of the county writes metres: with the zone before the easting, and
without.
"""
COMMON = (*DEGREES, MERIDIAN_117, ZONE_39)
"""What to offer; any other code of a projection on CGCS2000 or WGS-84 is understood as well."""
SHIFTED = frozenset({"GCJ-02", "BD-09"})
"""Frames that no ``.prj`` can name."""

_FROM_WGS84 = {"GCJ-02": gcj02_from_wgs84, "BD-09": bd09_from_wgs84}
_GOOD_DATUMS = ("WGS", "World Geodetic", "China_2000", "China 2000", "CGCS2000", "CGCS_2000")
_EPSG = re.compile(r"(?:urn:ogc:def:crs:)?EPSG:{1,2}(\d{4,6})", re.IGNORECASE)
_CRS84 = re.compile(r"urn:ogc:def:crs:OGC:[\d.]*:CRS84", re.IGNORECASE)


@dataclass(frozen=True)
class Frame:
    """A frame by its name: one of ``DEGREES``, ``EPSG:…``, or what a ``.prj`` calls it, with its text."""

    name: str
    wkt: str = ""

    @property
    def is_metres(self) -> bool:
        return self.name not in DEGREES

    def to_wgs84(self, shapes: Any) -> Any:
        """Shapes (one or an array) in WGS-84 degrees."""
        if self.is_metres:
            return shapely.transform(
                shapes, lambda at: np.column_stack(_to_degrees(self)(at[:, 0], at[:, 1]))
            )
        if self.name not in SHIFTED:
            return shapes
        return shapely.transform(shapes, lambda at: _one_by_one(TO_WGS84[self.name], at))

    def from_wgs84(self, shapes: Any) -> Any:
        """Shapes (one or an array) of WGS-84 degrees in this frame."""
        if self.is_metres:
            return shapely.transform(shapes, lambda at: np.column_stack(_to_metres(self)(at[:, 0], at[:, 1])))
        if self.name not in SHIFTED:
            return shapes
        return shapely.transform(shapes, lambda at: _one_by_one(_FROM_WGS84[self.name], at))

    def esri_text(self) -> str:
        """What belongs into a ``.prj``; "" for frames that none can name."""
        if self.name in SHIFTED:
            return ""
        return str(_crs(self).to_wkt("WKT1_ESRI"))


def frame_named(name: str) -> Frame:
    """The frame that a person names: ``CGCS2000``, ``gcj02``, ``EPSG:4548``.

    Raises ``Refused``: ``unknown_datum``, ``old_datum``.
    """
    folded = name.replace("-", "").replace("_", "").replace(" ", "").casefold()
    for known in DEGREES:
        if folded == known.replace("-", "").casefold():
            return Frame(known)
    match = _EPSG.fullmatch(name.strip())
    if match is None:
        if _CRS84.fullmatch(name.strip()):
            return Frame("WGS-84")
        raise Refused("unknown_datum", N_("There is no coordinate frame “{datum}”."), datum=name)
    return _named_by(Frame(f"EPSG:{match[1]}"))


def frame_of_prj(text: str) -> Frame:
    """The frame of which a ``.prj`` speaks. Raises ``Refused``: ``unknown_datum``, ``old_datum``."""
    return _named_by(Frame("prj", text))


def frame_by_size(x: float) -> Frame | None:
    """The zone that metres tell by their size (a zone number before the easting); ``None`` for degrees.

    Eastings without a zone number are taken for those of the county's own meridian.
    """
    if abs(x) <= 360.0:
        return None
    zone = int(x // 1_000_000)
    return Frame(f"EPSG:{4513 + zone - 25}") if 25 <= zone <= 45 else Frame(MERIDIAN_117)


def _named_by(frame: Frame) -> Frame:
    crs = _crs(frame)
    datum = str(crs.geodetic_crs.datum.name) if crs.geodetic_crs is not None else ""
    if not datum.removeprefix("D_").startswith(_GOOD_DATUMS):
        raise Refused(
            "old_datum",
            N_(
                "“{name}” stands on the datum {datum}. There are no public parameters for it: the offset "
                "can be hundreds of metres. Have the survey office convert the file to CGCS2000."
            ),
            name=crs.name,
            datum=datum or "?",
        )
    if crs.is_geographic:
        return Frame("CGCS2000" if "2000" in datum else "WGS-84")
    code = crs.to_epsg(min_confidence=70)
    return Frame(f"EPSG:{code}") if code else Frame(str(crs.name), frame.wkt)


@lru_cache
def _crs(frame: Frame) -> Any:
    # Imported here because PROJ takes a tenth of a second and most starts of the program need none of it.
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        if frame.wkt:
            return CRS.from_wkt(frame.wkt)
        codes = {"WGS-84": "EPSG:4326", "CGCS2000": "EPSG:4490"}
        return CRS.from_user_input(codes.get(frame.name, frame.name))
    except CRSError as error:
        raise Refused(
            "unknown_datum", N_("There is no coordinate frame “{datum}”."), datum=frame.wkt[:60] or frame.name
        ) from error


@lru_cache
def _to_degrees(frame: Frame) -> Any:
    from pyproj import Transformer

    crs = _crs(frame)
    # To the degrees of the same datum, which are WGS-84 to a few centimetres.
    return Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform


@lru_cache
def _to_metres(frame: Frame) -> Any:
    from pyproj import Transformer

    crs = _crs(frame)
    return Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform


def _one_by_one(way: Any, points: Floats) -> Floats:
    return np.array([way(x, y) for x, y in points.tolist()], dtype=np.float64).reshape(-1, 2)
