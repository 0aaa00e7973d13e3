"""``jingwei tracks clean``: erase the tracks that are older than they may be kept."""

from __future__ import annotations

import argparse
import json
from typing import Any

from db.bootstrap import open_core
from db.kernel.actor import SYSTEM
from db.kernel.language import _, ngettext_
from db.people.tracking import CleanTracks, kept_days


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser("tracks", help=_("erase old tracks of collectors"))
    parts = parser.add_subparsers(dest="part", required=True)
    clean = parts.add_parser("clean", help=_("erase what is older than the setting track.days says"))
    clean.add_argument("--db", metavar="URL", default=None)
    clean.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Erase and say how much it was."""
    core = open_core(arguments.db)
    try:
        gone = int(core.bus.run(CleanTracks(), SYSTEM).result)
        with core.database.read() as connection:
            days = kept_days(connection)
    finally:
        core.close()
    if arguments.json:
        print(json.dumps({"erased": gone, "kept_days": days}))
    else:
        print(
            ngettext_(
                "{count} point erased; tracks are kept for {days} days.",
                "{count} points erased; tracks are kept for {days} days.",
                gone,
            ).format(count=f"{gone:,}", days=days)
        )
    return 0
