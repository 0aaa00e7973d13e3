"""Reads the files of ``resources/reference`` and loads the code lists and filing conditions from them.

A row of reference data has the same id in every database: a digest of its table and key, below 2**40, which
no id
made from a clock can reach. So two stations that load the same file speak of the same class by the same
number.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path

from db.engine.unit_of_work import UnitOfWork
from db.kernel.resources import resource
from db.registers.tables import category, condition

ID_BITS = 40
CONDITIONS_FROM = date(2023, 1, 1)
"""From when the shipped filing conditions hold; a bureau's own rows bear their own date."""


@dataclass(frozen=True)
class CategoryRow:
    """A class of components or matters in one of the code lists."""

    standard: str
    kind: str
    code: str
    major: str
    major_name: str
    major_name_en: str
    name: str
    name_en: str
    successor_code: str

    @property
    def key(self) -> str:
        """Unique across lists: the same digits mean different things (DOMAIN 0.2)."""
        return f"{self.standard}|{self.kind}|{self.code}"


@dataclass(frozen=True)
class ConditionRow:
    """A filing condition of a class: what must be seen, by when it must be gone, what counts as gone."""

    standard: str
    kind: str
    code: str
    ordinal: int
    text: str
    text_en: str
    closing: str
    limit_amount: int
    limit_unit: str
    source: str

    @property
    def category_key(self) -> str:
        return f"{self.standard}|{self.kind}|{self.code}"


@dataclass(frozen=True)
class TransitionRow:
    """An allowed move of a case."""

    edition: int
    from_state: str
    verb: str
    to_state: str
    permission: str
    needs: tuple[str, ...]
    clock: str


@dataclass(frozen=True)
class StageLimitRow:
    """How long a stage of a case may take: minutes, 0 = no limit; of working time only, or always."""

    stage: str
    minutes: int
    at_work: bool


@dataclass(frozen=True)
class RoleRow:
    """A role with what it may do."""

    code: str
    name: str
    name_en: str
    permissions: tuple[str, ...]


@dataclass(frozen=True)
class DayRow:
    """A weekday off (holiday) or a weekend day worked (workday)."""

    day: date
    kind: str
    name: str


@dataclass(frozen=True)
class YearRow:
    """A year whose holiday schedule is known, and from where."""

    year: int
    source: str


@dataclass(frozen=True)
class WindowRow:
    """A stretch of the day in which the office works; a season ("MM-DD" to "MM-DD") comes back every year."""

    valid_from: date
    valid_to: date | None
    begins: time
    ends: time
    season_from: str | None
    season_to: str | None


def stable_id(table: str, key: str) -> int:
    """The id of a reference row: the same in every database, never 0, below 2**40."""
    digest = hashlib.sha256(f"{table}|{key}".encode()).digest()
    return int.from_bytes(digest[: ID_BITS // 8]) or 1


def read_categories(folder: Path | None = None) -> list[CategoryRow]:
    """The classes of both code lists, in the order of the file."""
    return [CategoryRow(**row) for row in _rows(folder, "categories.csv")]


def read_conditions(folder: Path | None = None) -> list[ConditionRow]:
    """The filing conditions, in the order of the file."""
    return [
        ConditionRow(
            **{k: v for k, v in row.items() if k not in {"ordinal", "limit_amount"}},
            ordinal=int(row["ordinal"]),
            limit_amount=int(row["limit_amount"]),
        )
        for row in _rows(folder, "conditions.csv")
    ]


def read_transitions(folder: Path | None = None) -> list[TransitionRow]:
    """The table of allowed moves."""
    return [
        TransitionRow(
            int(row["edition"]),
            row["from_state"],
            row["verb"],
            row["to_state"],
            row["permission"],
            tuple(row["needs"].split()),
            row["clock"],
        )
        for row in _rows(folder, "transitions.csv")
    ]


def read_stage_limits(folder: Path | None = None) -> list[StageLimitRow]:
    """The limit of each stage."""
    return [
        StageLimitRow(row["stage"], int(row["minutes"]), row["at_work"] == "1")
        for row in _rows(folder, "stage_limits.csv")
    ]


def read_roles(folder: Path | None = None) -> list[RoleRow]:
    """The roles with their permissions."""
    return [
        RoleRow(row["code"], row["name"], row["name_en"], tuple(row["permissions"].split()))
        for row in _rows(folder, "roles.csv")
    ]


def read_days(folder: Path | None = None) -> list[DayRow]:
    """Days off and days worked that differ from Monday to Friday."""
    return [
        DayRow(date.fromisoformat(row["day"]), row["kind"], row["name"])
        for row in _rows(folder, "holidays.csv")
    ]


def read_years(folder: Path | None = None) -> list[YearRow]:
    """The years that the file of days covers."""
    years = sorted({row.day.year for row in read_days(folder)})
    return [YearRow(year, "resources/reference/holidays.csv") for year in years]


def read_windows(folder: Path | None = None) -> list[WindowRow]:
    """The office's working windows."""
    return [
        WindowRow(
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            time.fromisoformat(row["begins"]),
            time.fromisoformat(row["ends"]),
            row["season_from"] or None,
            row["season_to"] or None,
        )
        for row in _rows(folder, "working_windows.csv")
    ]


def load(unit: UnitOfWork, folder: Path | None = None) -> int:
    """Load code lists and filing conditions into an empty database; returns the number of rows.

    Successors point from the older list into the newer one, so the newer rows are written first.
    """
    classes = read_categories(folder)
    newest = {(row.kind, row.code): row for row in classes if not row.successor_code}

    def successor(row: CategoryRow) -> int | None:
        if not row.successor_code:
            return None
        return stable_id("category", newest[row.kind, row.successor_code].key)

    rows = unit.load(
        category,
        (
            "id",
            "standard",
            "kind",
            "code",
            "major",
            "major_name",
            "major_name_en",
            "name",
            "name_en",
            "successor_id",
        ),
        [
            (
                stable_id("category", row.key),
                row.standard,
                row.kind,
                row.code,
                row.major,
                row.major_name,
                row.major_name_en,
                row.name,
                row.name_en,
                successor(row),
            )
            for row in sorted(classes, key=lambda row: bool(row.successor_code))
        ],
    )
    return rows + unit.load(
        condition,
        (
            "id",
            "category_id",
            "ordinal",
            "text",
            "text_en",
            "closing",
            "limit_amount",
            "limit_unit",
            "valid_from",
        ),
        [
            (
                stable_id("filing_condition", f"{row.category_key}|{row.ordinal}"),
                stable_id("category", row.category_key),
                row.ordinal,
                row.text,
                row.text_en,
                row.closing,
                row.limit_amount,
                row.limit_unit,
                CONDITIONS_FROM.isoformat(),
            )
            for row in read_conditions(folder)
        ],
    )


def _rows(folder: Path | None, name: str) -> Iterator[dict[str, str]]:
    with ((folder or resource("reference")) / name).open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)
