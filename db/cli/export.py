"""``jingwei export geography --kind cell OUT``: write a register as GeoJSON or Shapefile."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from db.bootstrap import open_core
from db.cli.geography import add_choices
from db.exchange.geography.exporting import export_geography
from db.exchange.geography.fields import register_of
from db.exchange.geography.frames import SHIFTED
from db.kernel.language import _, ngettext_


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser("export", help=_("write map data to a file"))
    kinds = parser.add_subparsers(dest="kind", required=True)
    geography = kinds.add_parser("geography", help=_("write a register as GeoJSON or Shapefile"))
    geography.add_argument("file", type=Path, metavar="OUT", help=_("a .geojson or .shp file"))
    add_choices(geography, "WGS-84")
    geography.add_argument("--db", metavar="URL", default=None)
    geography.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Write the file whole or not at all."""
    core = open_core(arguments.db)
    try:
        with core.database.read() as connection:
            count = export_geography(
                connection,
                register_of(arguments.register),
                arguments.file,
                arguments.datum,
                arguments.encoding,
            )
    finally:
        core.close()
    if arguments.json:
        print(json.dumps({"features": count}))
        return 0
    print(
        ngettext_("{count} feature in {file}", "{count} features in {file}", count).format(
            count=f"{count:,}", file=arguments.file
        )
    )
    if arguments.file.suffix.lower() == ".shp" and arguments.datum.upper() in SHIFTED:
        print(
            _("A .prj cannot name {datum}; whoever reads the file must be told.").format(
                datum=arguments.datum
            )
        )
    return 0
