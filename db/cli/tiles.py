"""``jingwei tiles``: look into a tile file, and say which tiles the map draws under everything else."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from db.bootstrap import open_core
from db.kernel.actor import SYSTEM
from db.kernel.language import N_, _
from db.kernel.refusal import Refused
from db.tiles.commands import AddTiles, RaiseTiles, RemoveTiles
from db.tiles.reading import open_tiles
from db.tiles.registered import tile_sets
from db.tiles.rules import DATUMS, TileFacts


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser("tiles", help=_("look into map tiles and choose them"))
    parser.set_defaults(db=None)
    acts = parser.add_subparsers(dest="act", required=True)

    info = acts.add_parser("info", help=_("what a file holds, and what is wrong with it"))
    info.add_argument("file", type=Path, metavar="FILE")

    adding = acts.add_parser("add", help=_("draw a file, or an online source that you name"))
    adding.add_argument("file", type=Path, nargs="?", metavar="FILE")
    adding.add_argument(
        "--url", metavar="TEMPLATE", help=_("online source: an address with {z}, {x} and {y}")
    )
    adding.add_argument("--name", default="")
    adding.add_argument("--datum", choices=tuple(DATUMS), help=_("the frame in which the pictures were made"))
    adding.add_argument("--min-zoom", type=int, default=3)
    adding.add_argument("--max-zoom", type=int, default=18)
    adding.add_argument("--attribution", default="")

    for act, words in (("remove", _("draw it no longer")), ("raise", _("draw it over the others"))):
        acts.add_parser(act, help=words).add_argument("name", metavar="NAME")
    listing = acts.add_parser("list", help=_("what is drawn, lowest first"))
    for each in acts.choices.values():
        each.add_argument("--json", action="store_true")
        if each is not info:
            each.add_argument("--db", metavar="URL", default=None)
    listing.set_defaults(act="list")


def run(arguments: argparse.Namespace) -> int:
    """Do the one act; raises ``Trouble``."""
    if arguments.act == "info":
        return _info(arguments.file, as_json=arguments.json)
    core = open_core(arguments.db)
    try:
        if arguments.act == "add":
            core.bus.run(_adding(arguments), SYSTEM)
        elif arguments.act == "remove":
            core.bus.run(RemoveTiles(arguments.name), SYSTEM)
        elif arguments.act == "raise":
            core.bus.run(RaiseTiles(arguments.name), SYSTEM)
        with core.database.read() as connection:
            sets = tile_sets(connection)
    finally:
        core.close()
    if arguments.json:
        print(json.dumps([asdict(each) for each in sets], ensure_ascii=False, indent=1))
        return 0
    for each in sets:
        print(f"{each.name}  {DATUMS[each.datum]}  {each.min_zoom}–{each.max_zoom}  {each.source}")
    if not sets:
        print(_("No tiles: the map draws roads, water and districts from the database."))
    return 0


def _adding(arguments: argparse.Namespace) -> AddTiles:
    if (arguments.file is None) == (arguments.url is None):
        raise Refused("file_or_url", N_("Name a file, or an online source with --url."))
    if arguments.url is not None:
        if not arguments.datum:
            raise Refused("no_datum", N_("Say with --datum in which frame the pictures were made."))
        return AddTiles(
            arguments.name,
            arguments.url,
            arguments.datum,
            arguments.min_zoom,
            arguments.max_zoom,
            arguments.attribution,
        )
    tiles = open_tiles(arguments.file)
    facts = tiles.facts
    tiles.close()
    if not facts.is_raster:
        raise Refused(
            "no_raster",
            N_("{path} holds {format} tiles; the map draws PNG, JPEG and WebP."),
            path=arguments.file.name,
            format=facts.format or "?",
        )
    datum = arguments.datum or facts.datum
    if not datum:
        raise Refused("no_datum", N_("Say with --datum in which frame the pictures were made."))
    return AddTiles(
        arguments.name or facts.name,
        str(arguments.file.resolve()),
        datum,
        facts.min_zoom,
        facts.max_zoom,
        arguments.attribution or facts.attribution,
        facts.pixels,
        facts.bounds,
    )


def _info(file: Path, *, as_json: bool) -> int:
    tiles = open_tiles(file)
    facts = tiles.facts
    tiles.close()
    if as_json:
        print(json.dumps(asdict(facts), ensure_ascii=False, indent=1))
        return 0
    for words, value in _lines(facts):
        print(f"{words}: {value}")
    for fault in _faults(facts):
        print(fault)
    return 0


def _lines(facts: TileFacts) -> list[tuple[str, str]]:
    west, south, east, north = facts.bounds
    return [
        (_("Format"), f"{facts.kind}, {facts.format or '?'} {facts.pixels} × {facts.pixels}"),
        (_("Name"), facts.name),
        (_("Zooms"), f"{facts.min_zoom}–{facts.max_zoom}"),
        (_("Bounds"), f"{west:.6f}, {south:.6f}, {east:.6f}, {north:.6f}"),
        (_("Tiles"), f"{facts.tiles:,}"),
        (_("Size"), f"{facts.size / 1_048_576:,.1f} MB"),
        (_("Attribution"), facts.attribution or _("none")),
        # zh: 坐标系
        (_("Datum"), DATUMS.get(facts.datum, _("not declared: web tiles made in China are usually GCJ-02"))),
    ]


def _faults(facts: TileFacts) -> list[str]:
    faults = list(facts.faults)
    if not facts.is_raster:
        faults.append(
            _("Its tiles are {format}: the map draws PNG, JPEG and WebP only.").format(
                format=facts.format or "?"
            )
        )
    return faults
