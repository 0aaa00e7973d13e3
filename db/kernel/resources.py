"""Finds the data files that ship with the program, in a checkout and in an installed package alike."""

from __future__ import annotations

import csv
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def resource(*parts: str) -> Path:
    """The path of a data file below ``resources``."""
    packed = _PACKAGE / "resources"
    return (packed if packed.is_dir() else _PACKAGE.parent / "resources").joinpath(*parts)


def read_table(*parts: str) -> list[dict[str, str]]:
    """The rows of a CSV file below ``resources``, as texts by column; lines that begin with ``#`` are remarks."""
    with resource(*parts).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(line for line in stream if not line.startswith("#")))
