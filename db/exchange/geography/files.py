"""Reads and writes features of GeoJSON files and Shapefiles: shapes in WGS-84 degrees, attributes as they
are.

Shapefiles go through pyshp: plain Python, one small wheel for every system, alive since 2013; pyogrio would
bring the whole of GDAL (25 MB) for two formats.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import shapefile
import shapely
from shapely.errors import ShapelyError

from db.exchange.geography.frames import Frame, frame_by_size, frame_named, frame_of_prj
from db.exchange.reading import Progress, Trial, find_encoding, keep_on
from db.kernel.language import N_, _
from db.kernel.refusal import Refused, Unavailable

SUFFIXES = (".geojson", ".json", ".shp")
ENCODINGS = ("auto", "utf-8", "gbk", "gb18030")
CHUNK = 10_000
UNREADABLE = "\ufffd"
"""Stands in a text where its bytes mean nothing in the encoding."""

_MAX_TEXT = 254
"""Bytes that a text column of a DBF holds."""
_NAME = 10
_CPG = {"utf-8": "UTF-8", "gbk": "GBK", "gb18030": "GB18030"}
_CODE_PAGES = {"utf8": "utf-8", "65001": "utf-8", "936": "gbk", "cp936": "gbk", "gb2312": "gbk", "gbk": "gbk",
               "54936": "gb18030", "gb18030": "gb18030"}  # fmt: skip
_LDID_GBK = 0x4D
_DAMAGE = (shapefile.ShapefileException, struct.error, ValueError, IndexError)
"""What pyshp raises on a file that is not what it says."""
_DIGITS = {True: 6, False: 10}
"""Decimal places written: micrometres of metres, and hundredths of a millimetre of degrees."""


@dataclass(frozen=True)
class GeographyFile:
    """A file that can be read: its kind, encoding and frame are known."""

    path: Path
    size: int
    changed_ns: int
    sha256: str
    is_shapefile: bool
    encoding: str
    frame: Frame
    headings: tuple[str, ...]
    count: int
    """Features, as far as the file says."""


@dataclass(frozen=True)
class Features:
    """Some features in their order: row numbers, shapes in WGS-84 degrees (``None`` = none), attributes."""

    rows: Sequence[int]
    shapes: Any
    values: Sequence[Mapping[str, Any]]


def examine(
    path: Path, datum: str = "auto", encoding: str = "auto", progress: Progress | None = None
) -> GeographyFile:
    """Find out how a file is to be read.

    ``datum`` is a frame by name, or ``auto``: the ``.prj`` or ``crs`` of the file, then the size of its
    numbers. Raises ``Refused`` (unknown format, encoding, datum; the datum is needed) or ``Unavailable``.
    """
    try:
        status = path.stat()
        if path.suffix.lower() == ".shp":
            return _examine_shapefile(path, datum, encoding)
        with path.open("rb") as stream:
            if status.st_size == 0:
                raise Refused("empty_file", N_("{path} is empty."), path=str(path))
            found, digest = find_encoding(stream, path, encoding, status.st_size, progress)
        document = _load(path, found)
        features = _features_of(path, document)
        frame = _frame_of_document(document, datum)
    except OSError as error:
        raise _cannot_read(path, error) from error
    headings = dict.fromkeys(
        name for feature in features[:1000] for name in (feature.get("properties") or {})
    )
    return GeographyFile(
        path, status.st_size, status.st_mtime_ns, digest, False, found, frame, tuple(headings), len(features)
    )


def read(file: GeographyFile, progress: Progress | None = None) -> Iterator[Features]:
    """All features in chunks. Raises ``Refused`` when the file changed since, or ``progress`` says stop."""
    done = 0
    try:
        status = file.path.stat()
        if (status.st_size, status.st_mtime_ns) != (file.size, file.changed_ns):
            raise Refused(
                "file_changed",
                N_("{path} was changed while it was being read; nothing was imported."),
                path=str(file.path),
            )
        pairs = _shapefile_pairs(file) if file.is_shapefile else _geojson_pairs(file)
        while chunk := list(islice(pairs, CHUNK)):
            keep_on(progress, done, file.count, _("Reading"))
            shapes = np.array([shape for shape, _values in chunk], dtype=object)
            there = np.flatnonzero(shapes != None)  # noqa: E711  elementwise
            shapes[there] = file.frame.to_wgs84(shapely.force_2d(shapes[there]))
            yield Features(
                range(done + 1, done + len(chunk) + 1), shapes, [values for _shape, values in chunk]
            )
            done += len(chunk)
    except OSError as error:
        raise _cannot_read(file.path, error) from error


# GeoJSON.


def _load(path: Path, encoding: str) -> Any:
    try:
        with path.open(encoding=encoding) as stream:
            return json.load(stream)
    except ValueError as error:
        raise Refused(
            "not_geojson", N_("{path} is not a GeoJSON file: {reason}"), path=str(path), reason=str(error)
        ) from error


def _features_of(path: Path, document: Any) -> list[dict[str, Any]]:
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not all(isinstance(each, dict) for each in features):
        raise Refused("not_geojson", N_("{path} holds no collection of features."), path=str(path))
    if not features:
        raise Refused("no_rows", N_("{path} holds no features."), path=str(path))
    return features


def _frame_of_document(document: Any, datum: str) -> Frame:
    """A person's word, else what the file says, else WGS-84 as the format demands (RFC 7946)."""
    own = document.get("datum")
    crs = document.get("crs")
    name = crs.get("properties", {}).get("name") if isinstance(crs, dict) else None
    said = frame_named(own) if isinstance(own, str) else frame_named(name) if isinstance(name, str) else None
    if datum != "auto":
        return _chosen(frame_named(datum), said)
    if said is not None:
        return said
    for feature in document["features"][:100]:
        shape = _shape_of(feature.get("geometry"))
        if shape is not None and not shape.is_empty:
            return frame_by_size(float(shape.bounds[0])) or Frame("WGS-84")
    return Frame("WGS-84")


def _geojson_pairs(file: GeographyFile) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    for feature in _features_of(file.path, _load(file.path, file.encoding)):
        values = feature.get("properties")
        yield _shape_of(feature.get("geometry")), values if isinstance(values, dict) else {}


def _shape_of(geometry: Any) -> Any:
    """The shape of a geometry; ``None`` when there is none or it cannot be one."""
    if not isinstance(geometry, dict):
        return None
    try:
        if geometry.get("type") == "Point":
            x, y = geometry["coordinates"][:2]
            return shapely.Point(float(x), float(y))
        return shapely.geometry.shape(geometry)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, ShapelyError):
        return None


# Shapefiles.


def _examine_shapefile(path: Path, datum: str, wanted: str) -> GeographyFile:
    parts = {suffix: _beside(path, suffix) for suffix in (".dbf", ".prj", ".cpg")}
    if parts[".dbf"] is None:
        raise Refused(
            "no_dbf",
            N_("Beside {path} there is no .dbf with its attributes; copy all files."),
            path=str(path),
        )
    encoding = _dbf_encoding(path, parts[".dbf"], parts[".cpg"], wanted)
    prj = parts[".prj"]
    said = frame_of_prj(prj.read_text("utf-8", "replace")) if prj is not None else None
    digest = hashlib.sha256()
    for part in (path, parts[".dbf"]):
        digest.update(part.read_bytes())
    with _opened(path, encoding) as reader:
        headings = tuple(field.name for field in reader.fields if field.name != "DeletionFlag")
        count = len(reader)
        first = next((shape for shape in _shapes(reader) if shape is not None), None)
    if count == 0:
        raise Refused("no_rows", N_("{path} holds no features."), path=str(path))
    by_size = frame_by_size(float(first.bounds[0])) if first is not None else None
    if datum != "auto":
        frame = _chosen(frame_named(datum), said)
    elif said is not None or by_size is not None:
        frame = said or by_size or Frame("WGS-84")
    else:
        raise Refused(
            "which_datum",
            N_("{path} has no .prj: say in which frame its degrees are (WGS-84, CGCS2000, GCJ-02 or BD-09)."),
            path=str(path),
        )
    status = path.stat()
    return GeographyFile(
        path, status.st_size, status.st_mtime_ns, digest.hexdigest(), True, encoding, frame, headings, count
    )


def _chosen(asked: Frame, said: Frame | None) -> Frame:
    """What a person says goes over what a file says, but metres cannot be taken for degrees."""
    if said is not None and said.is_metres != asked.is_metres:
        raise Refused(
            "other_datum",
            N_("The file says that it is in {said}; it cannot be read as {asked}."),
            said=said.name,
            asked=asked.name,
        )
    return asked


def _beside(path: Path, suffix: str) -> Path | None:
    """A companion of a file, whatever the case of its letters."""
    return next(
        (each for each in (path.with_suffix(suffix), path.with_suffix(suffix.upper())) if each.exists()), None
    )


def _dbf_encoding(path: Path, dbf: Path | None, cpg: Path | None, wanted: str) -> str:
    """What was asked for, else the ``.cpg``, else the mark in the DBF, else what the bytes certainly are."""
    if wanted != "auto":
        return _known_encoding(wanted)
    if cpg is not None:
        word = cpg.read_text("ascii", "replace").strip().replace("-", "").replace(" ", "").casefold()
        if word in _CODE_PAGES:
            return _CODE_PAGES[word]
    assert dbf is not None
    content = dbf.read_bytes()
    if len(content) < 32:
        raise _damaged(path, "dbf")
    if content[29] == _LDID_GBK:
        return "gbk"
    # Names of columns and cells; the numbers between them are no text.
    begins = struct.unpack_from("<H", content, 8)[0]
    text = content[32:begins].replace(b"\0", b" ") + content[begins:]
    for trial in (Trial("utf-8"), Trial("gb18030")):
        trial.feed(text, 0, final=True)
        if trial.fault_at is None and (trial.name == "utf-8" or trial.is_chinese()):
            return trial.name
    raise Refused(
        "unknown_encoding",
        N_("The texts of {path} are neither UTF-8 nor plainly Chinese in GB18030; say the encoding."),
        path=str(path),
    )


def _known_encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise Refused("unknown_encoding", N_("There is no encoding “{name}”."), name=name) from error


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[Any]:
    """A reader over the files themselves: given a name it would read the .cpg as well and argue about it."""
    with ExitStack() as stack:
        streams = {
            suffix[1:]: stack.enter_context(part.open("rb"))
            for suffix in (".shp", ".dbf", ".shx")
            if (part := _beside(path, suffix)) is not None
        }
        head = streams["shp"].read(28)
        streams["shp"].seek(0)
        # The header says its length in words of two bytes.
        if len(head) < 28 or 2 * struct.unpack_from(">i", head, 24)[0] > path.stat().st_size:
            raise _damaged(path, _("it was cut off"))
        try:
            reader = shapefile.Reader(**streams, encoding=encoding, encodingErrors="replace")
        except _DAMAGE as error:
            raise _damaged(path, str(error)) from error
        with reader:
            yield reader


def _shapes(reader: Any) -> Iterator[Any]:
    for each in reader.iterShapes():
        yield _shape_of_record(each)


def _shapefile_pairs(file: GeographyFile) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    with _opened(file.path, file.encoding) as reader:
        try:
            for each in reader.iterShapeRecords():
                yield _shape_of_record(each.shape), each.record.as_dict()
        except _DAMAGE as error:
            raise _damaged(file.path, str(error)) from error


def _shape_of_record(shape: Any) -> Any:
    if shape.shapeType == shapefile.NULL or not shape.points:
        return None
    if len(shape.points) == 1:
        return shapely.Point(shape.points[0][:2])
    try:
        return shapely.geometry.shape(shape.__geo_interface__)
    except (*_DAMAGE, TypeError, ShapelyError):
        return None


def _damaged(path: Path, reason: str) -> Refused:
    return Refused(
        "damaged_shapefile", N_("{path} cannot be read to its end: {reason}."), path=str(path), reason=reason
    )


def _cannot_read(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        "cannot_read",
        N_("{path} cannot be read: {reason}"),
        path=str(path),
        reason=error.strerror or str(error),
    )


# Writing.


def write(
    path: Path,
    fields: Sequence[str],
    features: Iterable[tuple[Any, Sequence[Any]]],
    frame: Frame,
    encoding: str = "utf-8",
) -> int:
    """Write features (shape in WGS-84 degrees, one value for each field); returns how many.

    The suffix says the format. A file of that name is replaced when the new one is whole, and not before.
    A Shapefile cuts texts at 254 bytes. Raises ``Refused("unknown_format")``, ``Unavailable``.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise Refused("unknown_format", N_("{path}: write .geojson or .shp."), path=str(path))
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".jingwei-") as folder:
            draft = Path(folder) / path.name
            if suffix == ".shp":
                count = _write_shapefile(draft, fields, features, frame, encoding)
            else:
                with draft.open("w", encoding="utf-8", newline="\n") as stream:
                    count = _write_geojson(stream, fields, features, frame)
            for part in sorted(Path(folder).iterdir()):
                part.replace(path.with_suffix(part.suffix))
            if suffix == ".shp" and frame.esri_text() == "":
                path.with_suffix(".prj").unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(
            "cannot_write", N_("{path} cannot be written: {reason}"), path=str(path),
            reason=error.strerror or str(error),
        ) from error  # fmt: skip
    return count


def _write_geojson(
    stream: IO[str], fields: Sequence[str], features: Iterable[tuple[Any, Sequence[Any]]], frame: Frame
) -> int:
    stream.write('{"type":"FeatureCollection",')
    if frame.is_metres:
        name = frame.name.replace("EPSG:", "urn:ogc:def:crs:EPSG::")
        stream.write(f'"crs":{{"type":"name","properties":{{"name":"{name}"}}}},')
    elif frame.name != "WGS-84":
        stream.write(f'"datum":"{frame.name}",')
    stream.write('"features":[')
    count = 0
    iterator = iter(features)
    while chunk := list(islice(iterator, CHUNK)):
        shapes = frame.from_wgs84(np.array([shape for shape, _values in chunk], dtype=object))
        for shape, (_shape, values) in zip(shapes, chunk, strict=True):
            properties = {name: _json_value(value) for name, value in zip(fields, values, strict=True)}
            feature = {
                "type": "Feature",
                "properties": properties,
                "geometry": _rounded(shapely.geometry.mapping(shape), _DIGITS[frame.is_metres]),
            }
            stream.write(",\n" if count else "\n")
            stream.write(json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
            count += 1
    stream.write("\n]}\n")
    return count


def _json_value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _rounded(geometry: dict[str, Any], digits: int) -> dict[str, Any]:
    def walk(value: Any) -> Any:
        return round(value, digits) if isinstance(value, float) else [walk(each) for each in value]

    return {"type": geometry["type"], "coordinates": walk(geometry["coordinates"])}


def _write_shapefile(
    path: Path,
    fields: Sequence[str],
    features: Iterable[tuple[Any, Sequence[Any]]],
    frame: Frame,
    encoding: str,
) -> int:
    encoding = _known_encoding(encoding)
    rows = [(shape, tuple(values)) for shape, values in features]
    shapes = frame.from_wgs84(np.array([shape for shape, _values in rows], dtype=object))
    writer = shapefile.Writer(str(path), encoding=encoding, encodingErrors="replace")
    writer.shapeType = _shape_type(shapes)
    try:
        columns = [_column(writer, name, [values[i] for _shape, values in rows], encoding)
                   for i, name in enumerate(fields)]  # fmt: skip
        for shape, (_shape, values) in zip(shapes, rows, strict=True):
            _write_shape(writer, shape)
            writer.record(*(fit(value) for fit, value in zip(columns, values, strict=True)))
    finally:
        writer.close()
    path.with_suffix(".cpg").write_text(_CPG.get(encoding.replace("utf8", "utf-8"), encoding), "ascii")
    text = frame.esri_text()
    if text:
        path.with_suffix(".prj").write_text(text, "ascii")
    return len(rows)


def _shape_type(shapes: Any) -> int:
    dimension = int(shapely.get_dimensions(shapes).max()) if len(shapes) else 0
    return int((shapefile.POINT, shapefile.POLYLINE, shapefile.POLYGON)[dimension])


def _write_shape(writer: Any, shape: Any) -> None:
    if shape.geom_type == "Point":
        writer.point(shape.x, shape.y)
    elif shapely.get_dimensions(shape) == 1:
        writer.line([shapely.get_coordinates(part).tolist() for part in shapely.get_parts(shape)])
    else:
        # Outer rings clockwise, holes the other way: what the format wants is the contrary of GeoJSON.
        parts = shapely.get_parts(shapely.orient_polygons(shape, exterior_cw=True))
        rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
        writer.poly([shapely.get_coordinates(ring).tolist() for ring in rings])


def _column(writer: Any, name: str, values: list[Any], encoding: str) -> Any:
    """Declare a column as wide as its values need; returns what makes a value fit."""
    there = [value for value in values if value is not None]
    if there and all(isinstance(value, date) for value in there):
        writer.field(name[:_NAME], "D")
        return lambda value: value
    if there and all(isinstance(value, bool) for value in there):
        writer.field(name[:_NAME], "L")
        return lambda value: value
    if there and all(isinstance(value, int) for value in there):
        writer.field(name[:_NAME], "N", max(len(str(value)) for value in there), 0)
        return lambda value: value
    if there and all(isinstance(value, int | float) for value in there):
        writer.field(name[:_NAME], "N", 24, 6)
        return lambda value: value
    texts = [str(value).encode(encoding, "replace") for value in there]
    width = min(_MAX_TEXT, max((len(text) for text in texts), default=1) or 1)
    writer.field(name[:_NAME], "C", width)
    return lambda value: "" if value is None else _cut(str(value), width, encoding)


def _cut(text: str, width: int, encoding: str) -> str:
    """As much of a text as fits, never half a character."""
    return text.encode(encoding, "replace")[:width].decode(encoding, "ignore")
