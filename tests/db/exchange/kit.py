"""Small source files and mappings for the tests of the import."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.kit.source import ROOT

MAPPING = """
[source]
name = "Town"
number_prefix = "T-"
time_zone = "Asia/Shanghai"
date_formats = ["iso", "year-first", "chinese"]

[city]
name = "滕州"
name_en = "Tengzhou"
bounds = [116.8, 34.8, 117.5, 35.3]

[columns]
number = "No"
state = "State"
description = "What"
address = "Where"
unit = "Unit"
district = "District"
lon = "Lon"
lat = "Lat"
reported_at = "At"
closed_at = "Closed"
reporter_name = "Name"
reporter_phone = "Phone"

[states]
"New" = "reported"
"In hand" = "handling"
"Done" = "closed"

[units]
create = true

[districts]
create = true

[categories]
columns = ["Kind"]
default = "T9"

[categories.words]
"Noise*" = "matter/06028"
"Litter" = "matter/06010"

[[extension]]
code = "T9"
major = "T"
major_name = "Other"
name = "Other"
"""

HEADINGS = (
    "No",
    "State",
    "What",
    "Where",
    "Unit",
    "District",
    "Lon",
    "Lat",
    "At",
    "Closed",
    "Name",
    "Phone",
    "Kind",
)
ROW = {
    "No": "1",
    "State": "In hand",
    "What": "Loud",
    "Where": "1 High Street",
    "Unit": "Roads",
    "District": "Longquan",
    "Lon": "117.15",
    "Lat": "35.08",
    "At": "2024-04-16 03:03:15",
    "Closed": "",
    "Name": "",
    "Phone": "",
    "Kind": "Noise - Street",
}


def write_mapping(folder: Path, text: str = MAPPING) -> Path:
    """A mapping file in ``folder``."""
    path = folder / "town.toml"
    path.write_text(text, encoding="utf-8")
    return path


def row(**cells: str) -> dict[str, str]:
    """A row that is taken without a remark, but for the cells given."""
    return {**ROW, **cells}


def quoted(cells: Iterable[str]) -> str:
    """A line of a CSV file with every cell in quotation marks."""
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


def write_rows(folder: Path, *rows: dict[str, str], encoding: str = "utf-8", name: str = "town.csv") -> Path:
    """A source file with these rows below the headings."""
    lines = [quoted(HEADINGS), *(quoted(cells[heading] for heading in HEADINGS) for cells in rows)]
    path = folder / name
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return path


def real_file() -> Path:
    """The thousand real service requests; the test is passed over where that folder is not at hand."""
    folder = Path(os.environ.get("JINGWEI_SHARED_DATA") or ROOT.parent / "shared" / "data")
    path = folder / "nyc311_2024-04.csv"
    if not path.exists():
        pytest.skip(f"no real data: {path} is not there; set JINGWEI_SHARED_DATA to its folder")
    return path
