"""The registers that can be exchanged, their fields, and by which headings these are known.

Recognised are our own names, those of both editions of the attribute tables (DOMAIN 1.4: GLBJBSM … and ObjID
…), and what survey offices commonly write. Whatever else a file calls them, a small mapping file says.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from db.kernel.language import N_
from db.kernel.refusal import Refused, refuse_all
from db.registers.codes import KINDS as AREA_KINDS
from db.registers.tables import area, component, place, road, sensitive, time_rule, water

MAX_FILE = 100_000


@dataclass(frozen=True)
class Field:
    """A value of a feature: our name, what it is called on the screen, and other headings that mean it."""

    name: str
    label: str
    others: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True)
class Register:
    """Something that can be exchanged: its table, the shape of its features, and their fields."""

    kind: str
    label: str
    table: Table
    shape: str
    """point, line or area."""
    fields: tuple[Field, ...]
    standard: tuple[str, ...] = ()
    """The headings with which it is written, when they are not our own names."""

    @property
    def is_area(self) -> bool:
        return self.kind in AREA_KINDS

    def headings(self) -> tuple[str, ...]:
        """The headings with which it is written."""
        return self.standard or tuple(each.name for each in self.fields)


@dataclass(frozen=True)
class GeographyMapping:
    """What a person says about a file: headings for our fields, words for ours, and what holds where nothing
    is.
    """

    file: str = ""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


_NAME = Field("name", N_("Name"), ("mc", "名称", "GLBJMC", "ObjName"), needed=True)
_NAME_IF_ANY = Field("name", N_("Name"), ("mc", "名称"))
_NAME_EN = Field("name_en", N_("English name"), ("ename", "英文名"))
_KIND = Field("kind", N_("Kind"), ("type", "lx", "类型"))
_OUR_CODE = Field("code", N_("Code"), ("id", "bsm", "编码"))


def _area(kind: str, label: str, *headings: str, more: tuple[Field, ...] = ()) -> Register:
    names = {"district": ("SZJDMC", "JDMC"), "community": ("SZSQMC", "SQMC")}.get(kind, ())
    return Register(
        kind,
        label,
        area,
        "area",
        (
            Field("code", N_("Code"), ("dm", "bsm", "编码", "代码", *headings), needed=True),
            Field("name", N_("Name"), ("mc", "名称", *names), needed=kind != "cell"),
            _NAME_EN,
            Field("parent", N_("Belongs to"), ("parentcode", "上级编码")),
            *more,
            Field("unit", N_("Unit in charge"), ("ZGBMDM", "ZGBMMC", "DeptCode1", "DeptName1", "主管部门")),
            Field("visits", N_("Visits a day"), ("visits_day", "xcpc", "巡查频次")),
        ),
    )


REGISTERS: Mapping[str, Register] = {
    each.kind: each
    for each in (
        _area("city", N_("City"), "XZQDM", "行政区代码"),
        _area("district", N_("Districts"), "SZJDDM", "JDDM", "街道代码"),
        _area("community", N_("Communities"), "SZSQDM", "SQDM", "社区代码"),
        _area("patrol", N_("Patrol areas"), "ZRWGBSM", "ZRWGDM", "责任网格编码"),
        _area(
            "cell",
            N_("Cells"),
            "DYWGBSM", "SZDYWGBSM", "BGID", "WGBSM", "单元网格编码",
            more=(Field("patrol", N_("Patrol area"), ("ZRWGBSM", "ZRWGDM", "责任网格编码")),),
        ),
        Register(
            "component",
            N_("Components"),
            component,
            "point",
            (
                Field("code", N_("Code"), ("GLBJBSM", "ObjID", "BJBSM", "部件标识码", "标识码"), needed=True),
                Field("class", N_("Class"), ("BJDM", "ObjCode", "fldm", "部件代码", "分类代码")),
                Field("state", N_("State"), ("GLBJZT", "ObjState", "状态")),
                Field(
                    "unit", N_("Unit in charge"), ("ZGBMDM", "DeptCode1", "ZGBMMC", "DeptName1", "主管部门")
                ),
                Field("cell", N_("Cell"), ("SZDYWGBSM", "BGID", "单元网格编码")),
                Field("placed_on", N_("Placed on"), ("CSRQ", "ORDate", "初始日期")),
            ),
            ("GLBJBSM", "BJDM", "GLBJZT", "ZGBMDM", "SZDYWGBSM", "CSRQ"),
        ),
        Register(
            "road",
            N_("Roads"),
            road,
            "line",
            (
                _OUR_CODE,
                _NAME_IF_ANY,
                _NAME_EN,
                Field("grade", N_("Grade"), ("class", "dj", "等级", "fclass")),
            ),
        ),
        Register("water", N_("Waters and parks"), water, "area", (_OUR_CODE, _NAME_IF_ANY, _NAME_EN, _KIND)),
        Register(
            "place",
            N_("Places"),
            place,
            "point",
            (_OUR_CODE, _NAME, _NAME_EN, _KIND, Field("note", N_("Note"), ("bz", "备注", "note"))),
        ),
        Register(
            "sensitive",
            N_("Sensitive places"),
            sensitive,
            "point",
            (
                _OUR_CODE,
                _NAME,
                _NAME_EN,
                _KIND,
                Field("radius", N_("Radius in metres"), ("bj", "半径")),
                Field("visits", N_("Visits a day"), ("visits_day", "xcpc", "巡查频次")),
            ),
        ),
        Register(
            "rule",
            N_("Time rules"),
            time_rule,
            "area",
            (
                _OUR_CODE,
                _NAME,
                _NAME_EN,
                Field("prefix", N_("Class begins with"), ("sxdm", "SXDM", "fldm"), needed=True),
                Field("from", N_("From"), ("begins", "kssj", "开始时间"), needed=True),
                Field("to", N_("To"), ("ends", "jssj", "结束时间"), needed=True),
                Field("weekdays", N_("Days of the week"), ("xq", "星期")),
                Field("allowed", N_("Allowed"), ("sfyx", "是否允许")),
                Field("valid_from", N_("In force from"), ("ksrq", "开始日期")),
                Field("valid_to", N_("In force to"), ("jsrq", "结束日期")),
            ),
        ),
    )
}  # fmt: skip
"""By kind, in the order in which a new city is built: each rests on those before it."""


def register_of(kind: str) -> Register:
    """The register of a kind. Raises ``Refused("unknown_kind")``."""
    found = REGISTERS.get(kind)
    if found is None:
        raise Refused(
            "unknown_kind",
            N_("There is no kind of map data “{kind}”; known are {known}."),
            kind=kind,
            known=", ".join(REGISTERS),
        )
    return found


def recognised(
    register: Register, headings: Iterable[str], mapping: GeographyMapping
) -> dict[str, tuple[str, ...]]:
    """For each of our fields the headings of a file that fill it, the first that is not empty counting.

    Raises ``Refused`` with everything that is wrong: a heading of the mapping that is not there, a needed
    field that nothing fills.
    """
    there: dict[str, str] = {}
    for heading in headings:
        there.setdefault(_folded(heading), heading)
    found: dict[str, tuple[str, ...]] = {}
    faults: list[Refused] = []
    for each in register.fields:
        asked = mapping.fields.get(each.name, ())
        missing = [heading for heading in asked if _folded(heading) not in there]
        faults += [
            Refused(
                "missing_column",
                N_("The file has no field “{heading}”. Its fields are: {known}."),
                heading=heading,
                known=", ".join(there.values()),
            )
            for heading in missing
        ]
        known = asked or (each.name, *each.others)
        picked = tuple(there[_folded(heading)] for heading in known if _folded(heading) in there)
        if picked:
            found[each.name] = picked
        elif each.needed and each.name not in mapping.defaults and not missing:
            faults.append(
                Refused(
                    "missing_field",
                    N_(
                        "Nothing in the file is known as “{field}”. Its fields are: {known}. Write a mapping."
                    ),
                    field=each.name,
                    known=", ".join(there.values()) or "–",
                )
            )
    refuse_all(faults)
    return found


def read_geography_mapping(path: Path, register: Register) -> GeographyMapping:
    """Read and check a mapping file: tables ``fields``, ``words`` (by field) and ``defaults``.

    Raises ``Refused`` with every fault at once.
    """
    tables = _tables(path)
    known = {each.name for each in register.fields}
    faults: list[Refused] = []

    def fault(message: str, key: str) -> None:
        faults.append(
            Refused("bad_mapping", message, file=path.name, key=key, known=", ".join(sorted(known)))
        )

    for name in tables:
        if name not in {"fields", "words", "defaults"}:
            fault(N_("{file}: {key} is not known; known are fields, words, defaults."), name)
    parts: dict[str, dict[str, Any]] = {}
    for name in ("fields", "words", "defaults"):
        part = tables.get(name, {})
        if not isinstance(part, dict):
            fault(N_("{file}: {key} must be a table."), name)
            part = {}
        for key in part:
            if key not in known:
                fault(N_("{file}: {key} is no field of this kind; they are {known}."), f"{name}.{key}")
        parts[name] = part
    fields: dict[str, tuple[str, ...]] = {}
    for key, value in parts["fields"].items():
        listed = [value] if isinstance(value, str) else value
        if (
            isinstance(listed, list)
            and listed
            and all(isinstance(one, str) and one.strip() for one in listed)
        ):
            fields[key] = tuple(listed)
        else:
            fault(N_("{file}: {key} must be a heading or a list of headings."), f"fields.{key}")
    for key, value in parts["words"].items():
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            fault(N_("{file}: {key} must be a table of words."), f"words.{key}")
    for key, value in parts["defaults"].items():
        if not isinstance(value, str):
            fault(N_("{file}: {key} must be a text in quotes."), f"defaults.{key}")
    refuse_all(faults)
    words = {
        key: {_folded(one): ours for one, ours in value.items()} for key, value in parts["words"].items()
    }
    return GeographyMapping(path.name, fields, words, dict(parts["defaults"]))


def _tables(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_FILE:
            raise Refused("bad_mapping", N_("{file} is too large for a mapping file."), file=str(path))
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise Refused(
            "no_mapping",
            N_("The mapping file {file} cannot be read: {reason}"),
            file=str(path),
            reason=error.strerror or str(error),
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refused(
            "bad_mapping", N_("{file} is not a TOML file: {reason}"), file=str(path), reason=str(error)
        ) from error


def _folded(heading: str) -> str:
    return " ".join(heading.split()).casefold()
