"""Checks every feature of a file against the register: what is new, changed, the same, or bad, and why.

Nothing is written here. A feature meets its row by its code; roads, waters, places and rules, which have
none, by the number that an export gave them, else by a name that only one bears, else by name and shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from sqlalchemy import Connection, func, select

from db.engine.connections import Database
from db.exchange.geography.fields import GeographyMapping, Register, recognised
from db.exchange.geography.files import UNREADABLE, Features, GeographyFile, read
from db.exchange.problems import Problem, ProblemList, Reason
from db.exchange.reading import Progress
from db.kernel.refusal import Refused
from db.kernel.text import one_line
from db.people.tables import unit as unit_table
from db.registers import topology
from db.registers.codes import (
    AREAS_WITHOUT_CITY,
    area_code_fault,
    component_class,
    component_code_fault,
    parent_of,
)
from db.registers.commands import county_code, facts_of
from db.registers.hours import DAY, EVERY_DAY, LAST_MINUTE
from db.registers.locating import city_ground, locator_of
from db.registers.sensitive import sensitive_faults
from db.registers.tables import area, category

PREVIEWED = 200
SAME_DEGREES = 1e-9
"""Shapes that differ by less are the same: a tenth of a millimetre."""
_NEAR_CITY = 0.0005
"""Degrees, about 50 m: borders of maps do not agree to the metre."""
_MOST_OF_IT = 0.95
"""A repaired outline must keep nearly all of its ground in one piece; a bow tie has two halves."""
_TYPES = {
    "point": ("Point", "MultiPoint"),
    "line": ("LineString", "MultiLineString"),
    "area": ("Polygon", "MultiPolygon"),
}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "component.state": {
        "完好": "intact", "破损": "damaged", "丢失": "lost", "废弃": "derelict", "移除": "removed",
    },
    "road.grade": {"主干道": "main", "快速路": "main", "次干道": "side", "支路": "side", "背街小巷": "lane",
                   "motorway": "main", "trunk": "main", "primary": "main", "secondary": "side",
                   "tertiary": "side", "residential": "lane", "service": "lane", "unclassified": "lane"},
    "water.kind": {"河流": "river", "湖泊": "lake", "水库": "lake", "公园": "park", "绿地": "park"},
    "place.kind": {"路口": "crossing", "地标": "landmark", "门牌": "door", "市场": "market", "学校": "school",
                   "公交站": "stop"},
    "sensitive.kind": {"学校": "school", "医院": "hospital", "市场": "market", "车站": "station",
                       "机关": "government", "景区": "scenic"},
}  # fmt: skip
_FIRST = {"component.state": "intact", "road.grade": "side", "water.kind": "river", "place.kind": "landmark",
          "sensitive.kind": "market"}  # fmt: skip
"""What a new row gets where a file says nothing."""
_YES = {"1": True, "true": True, "y": True, "yes": True, "是": True, "允许": True,
        "0": False, "false": False, "n": False, "no": False, "否": False, "禁止": False}  # fmt: skip
_DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[T ].*)?")
_CLOCK = re.compile(r"(\d{1,2})[:：](\d{2})(?::\d{2})?")


class Draft(NamedTuple):
    """A row to write: ``id`` and ``version`` of the one that is there (0 = none) and the columns to set."""

    row: int
    id: int
    version: int
    values: dict[str, Any]


@dataclass(frozen=True)
class PreviewRow:
    """A feature of the file with what becomes of it: new, changed, same or skipped."""

    row: int
    outcome: str
    values: Mapping[str, str]
    """Our fields as the file has them."""
    changes: tuple[str, ...]
    """The columns that change."""
    problems: tuple[Problem, ...]


@dataclass
class Report:
    """The counts of a check, and after the import those of what was done."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    skipped: int = 0
    ended: int = 0
    gaps: int = 0
    """Of the whole register as it would be: ground without and with two owners. Areas only."""
    overlaps: int = 0

    @property
    def taken(self) -> int:
        """How many rows would be written."""
        return self.new + self.changed + self.ended


@dataclass
class Checked:
    """A checked file; close it, for its list of problems may lie in a temporary file."""

    file: GeographyFile
    register: Register
    mapping: GeographyMapping
    fields: Mapping[str, tuple[str, ...]]
    """Our field → the headings that fill it."""
    mark: tuple[int, int, int]
    """The state of the register for which this holds."""
    report: Report = field(default_factory=Report)
    drafts: list[Draft] = field(default_factory=list)
    ended: list[tuple[int, int]] = field(default_factory=list)
    """Id and version of the rows that the file no longer has."""
    preview: list[PreviewRow] = field(default_factory=list)
    problems: ProblemList = field(default_factory=ProblemList)

    @property
    def path(self) -> Path:
        return self.file.path

    def __enter__(self) -> Checked:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        self.problems.close()


def check(
    file: GeographyFile,
    register: Register,
    database: Database,
    mapping: GeographyMapping | None = None,
    *,
    complete: bool = False,
    progress: Progress | None = None,
) -> Checked:
    """Check a file; the caller closes the answer.

    With ``complete`` the file is the whole register: what it no longer has is marked as ended, or removed.
    Raises ``Refused`` when a needed field is not there, when the file changed, or ``progress`` said stop.
    """
    mapping = mapping or GeographyMapping()
    fields = recognised(register, file.headings, mapping)
    with database.read() as connection:
        checked = Checked(file, register, mapping, fields, mark_of(connection, register))
        try:
            checker = _Checker(connection, checked)
            for features in read(file, progress):
                checker.take(features)
            checker.finish(complete)
        except BaseException:
            checked.close()
            raise
    return checked


def mark_of(connection: Connection, register: Register) -> tuple[int, int, int]:
    """What tells one state of a register from another."""
    t = register.table
    row = connection.execute(
        select(func.count(), func.coalesce(func.max(t.c.id), 0), func.coalesce(func.sum(t.c.version), 0))
    ).one()
    return int(row[0]), int(row[1]), int(row[2])


class _Bad(Exception):
    """A feature that cannot be taken."""

    def __init__(self, reason: Reason, field_name: str = "", value: str = "") -> None:
        super().__init__(reason.name)
        self.reason, self.field_name, self.value = reason, field_name, value


@dataclass
class _Row:
    """One feature on its way through the check."""

    number: int
    shape: Any
    texts: dict[str, str]
    problems: list[tuple[Reason, str, str]] = field(default_factory=list)
    cell_id: int = 0

    def say(self, reason: Reason, name: str, value: str = "") -> None:
        """Something to know about a feature that is taken all the same."""
        self.problems.append((reason, name, value or self.texts.get(name, "")))

    def bad(self, reason: Reason, name: str) -> _Bad:
        return _Bad(reason, name, self.texts.get(name, ""))


class _Checker:
    """One check under way."""

    def __init__(self, connection: Connection, checked: Checked) -> None:
        self._checked = checked
        self._register = checked.register
        self._kind = checked.register.kind
        self._connection = connection
        self._county = "" if self._kind == "city" else county_code(connection)
        ground = None if self._kind == "city" else city_ground(connection)
        self._ground = None if ground is None else shapely.buffer(ground, _NEAR_CITY)
        if self._ground is not None:
            shapely.prepare(self._ground)
        self._units: dict[str, int] = {}
        for row in connection.execute(
            select(unit_table.c.id, unit_table.c.code, unit_table.c.name, unit_table.c.name_en)
        ):
            for name in (row.name_en, row.name, row.code):
                if name:
                    self._units[name.casefold()] = row.id
        self._areas = {
            (row.kind, row.code): row.id
            for row in connection.execute(
                select(area.c.id, area.c.kind, area.c.code).where(area.c.ended_on.is_(None))
            )
        }
        self._classes = {
            (row.standard, row.code): row.id
            for row in connection.execute(
                select(category.c.id, category.c.standard, category.c.code).where(
                    category.c.kind == "component"
                )
            )
        }
        self._standing = _Standing(connection, self._register)
        self._locator = locator_of(connection) if self._kind == "component" else None
        self._seen_codes: set[str] = set()
        self._values: Callable[[_Row], dict[str, Any]] = {
            "component": self._component,
            "road": self._road,
            "water": self._water,
            "place": self._place,
            "sensitive": self._sensitive,
            "rule": self._rule,
        }.get(self._kind, self._area)

    def take(self, features: Features) -> None:
        shapes = features.shapes
        inside = self._inside(shapes)
        cells = self._cells(shapes)
        for place, number in enumerate(features.rows):
            row = _Row(number, shapes[place], self._texts(features.values[place]), cell_id=cells[place])
            self._checked.report.rows += 1
            try:
                self._demand_readable(row)
                self._demand_shape(row)
                if not inside[place]:
                    raise _Bad(Reason.OUTSIDE)
                values = self._values(row)
                standing = self._meet(row, values)
            except _Bad as bad:
                self._skip(row, bad)
                continue
            self._keep(row, values, standing)

    def finish(self, complete: bool) -> None:
        """What the file no longer has, and whether the areas would tile the ground."""
        checked, report = self._checked, self._checked.report
        if complete:
            checked.ended = self._standing.left()
            report.ended = len(checked.ended)
        if self._register.is_area and self._kind in AREAS_WITHOUT_CITY and report.taken:
            gone = {row_id for row_id, _version in checked.ended}
            outlines = {i: shape for i, shape in self._standing.shapes.items() if i not in gone}
            for place, draft in enumerate(checked.drafts):
                if "outline" in draft.values:
                    outlines[draft.id or -1 - place] = shapely.from_wkb(draft.values["outline"])
            found = topology.check(outlines)
            report.gaps, report.overlaps = len(found.gaps), len(found.overlaps)

    # One feature.

    def _texts(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Our fields as texts: the first filled heading in the words of the mapping, or else its default."""
        mapping = self._checked.mapping
        texts: dict[str, str] = {}
        for each in self._register.fields:
            name = each.name
            text = ""
            for heading in self._checked.fields.get(name, ()):
                text = _text(values.get(heading))
                if text:
                    break
            words = mapping.words.get(name)
            if words:
                text = words.get(text.casefold(), text)
            texts[name] = text or mapping.defaults.get(name, "")
        return texts

    def _demand_readable(self, row: _Row) -> None:
        for name, text in row.texts.items():
            if UNREADABLE in text:
                raise _Bad(Reason.UNREADABLE_TEXT, name, text)

    def _demand_shape(self, row: _Row) -> None:
        shape = row.shape
        if shape is None or shape.is_empty or not np.isfinite(shapely.get_coordinates(shape)).all():
            raise _Bad(Reason.NO_SHAPE)
        if shape.geom_type not in _TYPES[self._register.shape]:
            raise _Bad(Reason.WRONG_SHAPE, "", shape.geom_type)
        west, south, east, north = shape.bounds
        if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
            raise _Bad(Reason.NOT_ON_EARTH, "", f"{west:.6g}, {south:.6g}")
        if self._register.shape == "point":
            points = shapely.get_parts(shape)
            if len(points) != 1:
                raise _Bad(Reason.WRONG_SHAPE, "", shape.geom_type)
            row.shape = points[0]
        elif self._register.shape == "line":
            if shape.length * 111_000 < 1.0:
                raise _Bad(Reason.TOO_SMALL)
        else:
            row.shape = self._repaired(row)

    def _repaired(self, row: _Row) -> shapely.Geometry:
        shape = row.shape
        if not shapely.is_valid(shape):
            parts = topology.polygons_of(shapely.make_valid(shape))
            sizes = [part.area for part in parts]
            if not parts or max(sizes) < _MOST_OF_IT * sum(sizes):
                raise _Bad(Reason.CROSSES_ITSELF)
            shape = topology.without_rounding(shapely.union_all(parts))
            row.say(Reason.REPAIRED, "")
        if topology.square_metres(shape) < 1.0:
            raise _Bad(Reason.TOO_SMALL)
        return shape

    def _inside(self, shapes: Any) -> Any:
        """Whether each shape touches the ground of the city; true while that is not known."""
        if self._ground is None:
            return np.ones(len(shapes), dtype=bool)
        # What has no shape is told so, and not that it lies outside.
        return shapely.is_missing(shapes) | shapely.intersects(self._ground, shapes)

    def _cells(self, shapes: Any) -> list[int]:
        """The cell in which each component lies, 0 = none."""
        if self._locator is None:
            return [0] * len(shapes)
        centres = shapely.centroid(shapes)
        cells: list[int] = self._locator.locate_many(
            shapely.get_x(centres), shapely.get_y(centres)
        ).cell_id.tolist()
        return cells

    def _meet(self, row: _Row, values: dict[str, Any]) -> _Known | None:
        """The row of the register that a feature means. Raises ``_Bad`` when another feature had its code."""
        code = values.get("code", row.texts.get("code", ""))
        if code:
            if code in self._seen_codes:
                raise _Bad(Reason.CODE_TWICE, "code", code)
            self._seen_codes.add(code)
        return self._standing.meet(code, values, row.shape)

    def _keep(self, row: _Row, values: dict[str, Any], standing: _Known | None) -> None:
        report = self._checked.report
        if standing is None:
            outcome, changes = "new", dict[str, Any]()
            report.new += 1
            self._checked.drafts.append(Draft(row.number, 0, 0, self._whole(row, values)))
        else:
            changes = self._changes(row, values, standing)
            outcome = "changed" if changes else "same"
            if changes:
                report.changed += 1
                self._checked.drafts.append(Draft(row.number, standing.id, standing.version, changes))
            else:
                report.same += 1
        problems = [self._problem(row, *each, skipped=False) for each in row.problems]
        for problem in problems:
            self._checked.problems.add(problem)
        self._show(PreviewRow(row.number, outcome, row.texts, tuple(changes), tuple(problems)))

    def _skip(self, row: _Row, bad: _Bad) -> None:
        self._checked.report.skipped += 1
        problem = self._problem(row, bad.reason, bad.field_name, bad.value, skipped=True)
        self._checked.problems.add(problem)
        self._show(PreviewRow(row.number, "skipped", row.texts, (), (problem,)))

    def _show(self, row: PreviewRow) -> None:
        # What changes or is bad is what a person wants to see; of the others a few are enough.
        room = PREVIEWED if row.outcome != "same" or row.problems else PREVIEWED // 10
        if len(self._checked.preview) < room:
            self._checked.preview.append(row)

    def _problem(self, row: _Row, reason: Reason, name: str, value: str, *, skipped: bool) -> Problem:
        headings = self._checked.fields.get(name, ())
        return Problem(row.number, headings[0] if headings else "", value, reason, skipped)

    def _whole(self, row: _Row, values: dict[str, Any]) -> dict[str, Any]:
        """A new row: what the file leaves open gets its first value."""
        first = {name: value for key, value in _FIRST.items() if key.startswith(f"{self._kind}.")
                 for name in [key.partition(".")[2]]}  # fmt: skip
        return {**_EMPTY.get(self._kind, {}), **first, **values, **self._shape_columns(row.shape)}

    def _shape_columns(self, shape: shapely.Geometry) -> dict[str, Any]:
        if self._register.is_area:
            return facts_of(shape)
        if self._register.shape == "point":
            return {"lon": float(shape.x), "lat": float(shape.y)}
        return {"line" if self._register.shape == "line" else "outline": shapely.to_wkb(shape)}

    def _changes(self, row: _Row, values: dict[str, Any], standing: _Known) -> dict[str, Any]:
        changed = {name: value for name, value in values.items() if standing.values[name] != value}
        if self._register.shape == "point":
            if abs(row.shape.x - standing.values["lon"]) > SAME_DEGREES or (
                abs(row.shape.y - standing.values["lat"]) > SAME_DEGREES
            ):
                changed |= self._shape_columns(row.shape)
        elif not same_shape(row.shape, standing.shape):
            changed |= self._shape_columns(row.shape)
        if standing.values.get("ended_on") is not None:
            changed["ended_on"] = None
        return changed

    # Kinds.

    def _area(self, row: _Row) -> dict[str, Any]:
        code = row.texts["code"]
        if not code:
            raise _Bad(Reason.NO_CODE, "code")
        self._demand_code(row, area_code_fault(self._kind, code, self._county))
        values: dict[str, Any] = {"code": code, "name": one_line(row.texts["name"], 100) or code}
        if not row.texts["name"] and self._kind != "cell":
            raise row.bad(Reason.MISSING, "name")
        self._optional(row, values, "name_en", lambda text: one_line(text, 100))
        above = parent_of(self._kind, code)
        if above is not None:
            if row.texts["parent"]:
                above = (above[0], row.texts["parent"])
            parent = self._areas.get(above)
            if parent is None and self._kind != "patrol":
                raise _Bad(Reason.UNKNOWN_PARENT, "parent" if row.texts["parent"] else "code", above[1])
            if parent is None:
                row.say(Reason.UNKNOWN_PARENT, "code", above[1])
            values["parent_id"] = parent
        if row.texts.get("patrol"):
            values["patrol_id"] = self._areas.get(("patrol", row.texts["patrol"]))
            if values["patrol_id"] is None:
                row.say(Reason.UNKNOWN_PATROL, "patrol")
        self._unit(row, values)
        if row.texts["visits"]:
            values["visits_per_day"] = _number(row, "visits", 0, 100)
        return values

    def _component(self, row: _Row) -> dict[str, Any]:
        code = row.texts["code"]
        if not code:
            raise _Bad(Reason.NO_CODE, "code")
        self._demand_code(row, component_code_fault(code, self._county))
        standard, named = component_class(code)
        if row.texts["class"]:
            named = row.texts["class"]
            standard = "GB/T 47678.5-2026" if len(named) == 5 else "GB/T 30428.2-2013"
        category_id = self._classes.get((standard, named))
        if category_id is None:
            raise _Bad(Reason.UNKNOWN_CLASS, "class" if row.texts["class"] else "code", named)
        values: dict[str, Any] = {"code": code, "category_id": category_id}
        self._word(row, values, "state", "state")
        self._unit(row, values)
        values["cell_id"] = row.cell_id or None
        if row.texts["cell"]:
            asked = self._areas.get(("cell", row.texts["cell"]))
            if asked is None:
                row.say(Reason.UNKNOWN_CELL, "cell")
            else:
                values["cell_id"] = asked
                if row.cell_id and asked != row.cell_id:
                    row.say(Reason.OTHER_CELL, "cell")
        if row.texts["placed_on"]:
            values["placed_on"] = _day(row, "placed_on")
        return values

    def _road(self, row: _Row) -> dict[str, Any]:
        values: dict[str, Any] = {"name": one_line(row.texts["name"], 60)}
        self._optional(row, values, "name_en", lambda text: one_line(text, 80))
        self._word(row, values, "grade", "grade")
        return values

    def _water(self, row: _Row) -> dict[str, Any]:
        values: dict[str, Any] = {"name": one_line(row.texts["name"], 60)}
        self._optional(row, values, "name_en", lambda text: one_line(text, 80))
        self._word(row, values, "kind", "kind")
        return values

    def _place(self, row: _Row) -> dict[str, Any]:
        values = self._named(row)
        self._word(row, values, "kind", "kind")
        if "note" in self._checked.fields:
            values["note"] = row.texts["note"] or None
        return values

    def _sensitive(self, row: _Row) -> dict[str, Any]:
        values = self._named(row)
        self._word(row, values, "kind", "kind")
        if row.texts["radius"]:
            values["radius"] = _number(row, "radius", 10, 2000)
        if row.texts["visits"]:
            values["visits_per_day"] = int(_number(row, "visits", 0, 48))
        return values

    def _rule(self, row: _Row) -> dict[str, Any]:
        values = self._named(row)
        prefix, weekdays = row.texts["prefix"], row.texts["weekdays"] or EVERY_DAY
        begins, ends = _minute(row, "from"), _minute(row, "to")
        if ends <= begins:
            # 18:00 to 02:00 ends on the next day.
            ends += DAY
        good_days = len(weekdays) == 7 and not set(weekdays) - {"0", "1"}
        if not prefix.isdigit() or len(prefix) > 12 or not good_days or begins >= DAY or ends > LAST_MINUTE:
            raise row.bad(Reason.BAD_RULE, "prefix" if not prefix.isdigit() else "weekdays")
        values |= {"prefix": prefix, "weekdays": weekdays, "from_minute": begins, "to_minute": ends}
        if row.texts["allowed"]:
            allowed = _YES.get(row.texts["allowed"].casefold())
            if allowed is None:
                raise row.bad(Reason.UNKNOWN_WORD, "allowed")
            values["allowed"] = allowed
        for name in ("valid_from", "valid_to"):
            if row.texts[name]:
                values[name] = _day(row, name)
        if "valid_to" in values and "valid_from" in values and values["valid_to"] < values["valid_from"]:
            raise row.bad(Reason.BAD_RULE, "valid_to")
        return values

    def _named(self, row: _Row) -> dict[str, Any]:
        if not row.texts["name"]:
            raise row.bad(Reason.MISSING, "name")
        values: dict[str, Any] = {"name": one_line(row.texts["name"], 120)}
        self._optional(row, values, "name_en", lambda text: one_line(text, 120))
        return values

    def _optional(self, row: _Row, values: dict[str, Any], name: str, clean: Callable[[str], str]) -> None:
        """Set a column that the file has; what it leaves out stays as it is."""
        if name in self._checked.fields:
            values[name] = clean(row.texts[name])

    def _word(self, row: _Row, values: dict[str, Any], name: str, column: str) -> None:
        text = row.texts[name]
        if not text:
            return
        known = _WORDS[f"{self._kind}.{name}"]
        found = known.get(text) or known.get(text.casefold())
        if found is None and text in known.values():
            found = text
        if found is None and self._kind == "sensitive":
            found = None if sensitive_faults(text, "x", 0.0, 0.0, 100.0, 1) else text
        if found is None:
            raise row.bad(Reason.UNKNOWN_WORD, name)
        values[column] = found

    def _unit(self, row: _Row, values: dict[str, Any]) -> None:
        text = row.texts["unit"]
        if not text:
            return
        found = self._units.get(text.casefold())
        if found is None:
            row.say(Reason.UNKNOWN_KEEPER, "unit")
        else:
            values["unit_id"] = found

    def _demand_code(self, row: _Row, fault: Refused | None) -> None:
        if fault is not None:
            reason = Reason.CODE_FOREIGN if fault.code == "foreign_code" else Reason.CODE_LENGTH
            raise row.bad(reason, "code")


_EMPTY: Mapping[str, Mapping[str, Any]] = {
    "sensitive": {"radius": 150.0, "visits_per_day": 2},
    "rule": {"allowed": True, "valid_from": date(2000, 1, 1)},
}


@dataclass(frozen=True)
class _Known:
    """A row that stands in the register."""

    id: int
    version: int
    values: Mapping[str, Any]
    shape: Any


class _Standing:
    """What the register holds before the import, and which of it the file has met."""

    def __init__(self, connection: Connection, register: Register) -> None:
        table = register.table
        query = select(table)
        if register.is_area:
            query = query.where(table.c.kind == register.kind)
        rows = connection.execute(query.order_by(table.c.id)).mappings().all()
        self._is_component = register.kind == "component"
        self._by_id = {row["id"]: row for row in rows}
        self._met: set[int] = set()
        shape_column = {"line": "line", "area": "outline"}.get(register.shape)
        self._shape_of: dict[int, Any] = {}
        if shape_column is not None and rows:
            shapes = shapely.from_wkb([row[shape_column] for row in rows])
            self._shape_of = {row["id"]: shape for row, shape in zip(rows, shapes, strict=True)}
        self.shapes = {
            row_id: shape
            for row_id, shape in self._shape_of.items()
            if shape is not None and self._by_id[row_id].get("ended_on") is None
        }
        self._by_code: dict[str, int] = {}
        self._by_name: dict[str, list[int]] = {}
        if "code" in table.c:
            self._by_code = {row["code"]: row["id"] for row in rows}
        else:
            self._by_code = {str(row["id"]): row["id"] for row in rows}
            for row in rows:
                self._by_name.setdefault(row["name"], []).append(row["id"])
        self._has_codes = "code" in table.c

    def meet(self, code: str, values: Mapping[str, Any], shape: Any) -> _Known | None:
        """The row that a feature means; each is met once."""
        row_id = self._by_code.get(code)
        if row_id is None and not self._has_codes:
            free = [i for i in self._by_name.get(values["name"], ()) if i not in self._met]
            row_id = next((i for i in free if self._lies_like(i, shape)), None)
            if row_id is None and len(free) == 1 and values["name"]:
                row_id = free[0]
        if row_id is None:
            return None
        self._met.add(row_id)
        row = self._by_id[row_id]
        return _Known(row_id, row["version"], dict(row), self._shape_of.get(row_id))

    def left(self) -> list[tuple[int, int]]:
        """Id and version of the rows in force that the file did not name."""
        return [
            (row_id, row["version"])
            for row_id, row in self._by_id.items()
            if row_id not in self._met and self._in_force(row)
        ]

    def _in_force(self, row: Any) -> bool:
        if self._is_component:
            return bool(row["state"] != "removed")
        return row.get("ended_on") is None and row.get("valid_to") is None

    def _lies_like(self, row_id: int, shape: Any) -> bool:
        standing = self._shape_of.get(row_id)
        if standing is not None:
            return same_shape(shape, standing)
        row = self._by_id[row_id]
        east, north = abs(shape.x - row["lon"]), abs(shape.y - row["lat"])
        return bool(max(east, north) <= SAME_DEGREES)


def same_shape(one: Any, other: Any) -> bool:
    """Whether two shapes run through the same points, wherever their rings begin and whatever their way."""
    if one is None or other is None:
        return one is other
    if shapely.equals_exact(one, other, SAME_DEGREES, normalize=True):
        return True
    if shapely.get_num_coordinates(one) != shapely.get_num_coordinates(other):
        return False
    off = max(
        shapely.hausdorff_distance(one, other),
        shapely.hausdorff_distance(shapely.boundary(one), shapely.boundary(other)),
    )
    return bool(off <= SAME_DEGREES)


def _text(value: Any) -> str:
    """What a cell holds, as a text: 12.0 from a table of numbers is 12."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(str(value).replace("\0", " ").split())


def _number(row: _Row, name: str, least: float, most: float) -> float:
    try:
        value = float(row.texts[name])
    except ValueError:
        raise row.bad(Reason.NOT_A_NUMBER, name) from None
    if not least <= value <= most:
        raise row.bad(Reason.OUT_OF_RANGE, name)
    return value


def _day(row: _Row, name: str) -> date:
    match = _DAY.fullmatch(row.texts[name])
    if match is None:
        raise row.bad(Reason.NOT_A_DATE, name)
    try:
        day = date(*(int(part) for part in match.groups()))
    except ValueError:
        raise row.bad(Reason.NO_SUCH_DATE, name) from None
    if not 1900 <= day.year <= 2199:
        raise row.bad(Reason.OUT_OF_RANGE, name)
    return day


def _minute(row: _Row, name: str) -> int:
    """Minutes since midnight; 24:00 is the end of the day, later hours belong to the next one."""
    match = _CLOCK.fullmatch(row.texts[name])
    if match is None or int(match[2]) > 59 or int(match[1]) > 48:
        raise row.bad(Reason.NOT_AN_HOUR, name)
    return int(match[1]) * 60 + int(match[2])
