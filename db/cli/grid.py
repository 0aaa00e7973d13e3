"""``jingwei grid check``: whether the areas of each kind tile the ground, and lie in what they belong to."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from db.bootstrap import open_core
from db.kernel.language import _
from db.registers.codes import AREAS_WITHOUT_CITY, KIND_LABELS
from db.registers.grid import GridReport, check_grid

EXIT_FAULTS = 1
SHOWN = 20


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser("grid", help=_("check the grid of areas"))
    parts = parser.add_subparsers(dest="part", required=True)
    check = parts.add_parser("check", help=_("find gaps, overlaps and cells that cross a border"))
    check.add_argument("--kind", choices=AREAS_WITHOUT_CITY, default=None, help=_("only areas of this kind"))
    check.add_argument("--db", metavar="URL", default=None)
    check.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """0 when everything tiles (slivers aside), 1 when there are gaps, overlaps or crossings."""
    core = open_core(arguments.db)
    try:
        with core.database.read() as connection:
            kinds = (arguments.kind,) if arguments.kind else AREAS_WITHOUT_CITY
            reports = [check_grid(connection, kind) for kind in kinds]
    finally:
        core.close()
    if arguments.json:
        print(json.dumps([_plain(report) for report in reports], ensure_ascii=False))
    else:
        for report in reports:
            _tell(report)
    return 0 if all(report.is_sound for report in reports) else EXIT_FAULTS


def _tell(report: GridReport) -> None:
    found = report.findings
    print(
        _(
            "{kind}: {count} areas, {gaps} gaps, {overlaps} overlaps ({slivers} slivers), {crossing} crossing"
        ).format(
            kind=_(KIND_LABELS[report.kind]),
            count=f"{report.count:,}",
            gaps=len(found.gaps),
            overlaps=len(found.overlaps),
            slivers=len(found.slivers),
            crossing=len(report.crossings),
        )
    )
    lines = [
        *(
            _("  gap of {size} m² beside {names}").format(
                size=f"{gap.square_metres:,.1f}", names=_names(report, gap.beside)
            )
            for gap in found.gaps
        ),
        *(
            _("  overlap of {size} m²: {names}").format(
                size=f"{overlap.square_metres:,.1f}", names=_names(report, (overlap.first, overlap.second))
            )
            for overlap in found.overlaps
        ),
        *(
            _("  {name} lies with {size} m² outside of {parent}").format(
                name=report.names[each.area_id],
                size=f"{each.square_metres:,.1f}",
                parent=report.names[each.parent_id],
            )
            for each in report.crossings
        ),
    ]
    for line in lines[:SHOWN]:
        print(line)
    if len(lines) > SHOWN:
        print("  …")


def _names(report: GridReport, ids: Sequence[int]) -> str:
    return ", ".join(report.names[i] for i in ids[:4])


def _plain(report: GridReport) -> dict[str, Any]:
    found = report.findings
    return {
        "kind": report.kind,
        "areas": report.count,
        "gaps": [
            {
                "square_metres": round(gap.square_metres, 3),
                "beside": list(gap.beside),
                "sliver": gap.is_sliver,
            }
            for gap in found.gaps
        ],
        "overlaps": [
            {
                "square_metres": round(overlap.square_metres, 3),
                "areas": [overlap.first, overlap.second],
                "sliver": overlap.is_sliver,
            }
            for overlap in found.overlaps
        ],
        "crossings": [
            {
                "square_metres": round(each.square_metres, 3),
                "area": each.area_id,
                "outside_of": each.parent_id,
            }
            for each in report.crossings
        ],
    }
