"""Small files of map data as other people write them, and the way of an import in one call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import shapefile
import shapely

from db.bootstrap import Core
from db.exchange.geography.checking import Checked, Report, check
from db.exchange.geography.fields import REGISTERS
from db.exchange.geography.files import examine
from db.exchange.geography.writing import import_checked
from db.kernel.actor import SYSTEM

Feature = tuple[Any, dict[str, Any]]


def geojson(path: Path, *features: Feature, **more: Any) -> Path:
    """A GeoJSON file; a shape may be given as a ready geometry or as ``None``."""
    document = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": values,
                "geometry": shape
                if shape is None or isinstance(shape, dict)
                else json.loads(shapely.to_geojson(shape)),
            }
            for shape, values in features
        ],
        **more,
    }
    path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    return path


def points(path: Path, encoding: str, *rows: tuple[float, float, dict[str, str]]) -> Path:
    """A Shapefile of points with text columns, without .cpg and .prj."""
    writer = shapefile.Writer(str(path), shapeType=shapefile.POINT, encoding=encoding)
    for name in rows[0][2]:
        writer.field(name, "C", 60)
    for x, y, values in rows:
        writer.point(x, y)
        writer.record(**values)
    writer.close()
    return path


def checked(core: Core, path: Path, kind: str, datum: str = "auto", **more: Any) -> Checked:
    """Check a file."""
    encoding = more.pop("encoding", "auto")
    return check(examine(path, datum, encoding), REGISTERS[kind], core.database, **more)


def taken(core: Core, path: Path, kind: str, datum: str = "auto", **more: Any) -> Report:
    """Check and import a file."""
    with checked(core, path, kind, datum, **more) as found:
        report, _listed = import_checked(core.bus, SYSTEM, found, path.with_suffix(".problems.csv"))
    return report


def remarks(core: Core, path: Path, kind: str, **more: Any) -> list[tuple[int, str, bool]]:
    """Row, reason and whether it was skipped."""
    with checked(core, path, kind, **more) as found:
        return [(each.line, each.reason.code, each.skipped) for each in found.problems.first]
