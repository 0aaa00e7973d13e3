"""``jingwei verify``: is the journal's chain whole, do the counters equal a recount, has every open case a
holder, are the photos there?"""

from __future__ import annotations

import argparse
import json
from typing import Any

from db.bootstrap import Core, open_core
from db.cases.holding import Unheld, unheld
from db.cases.photos import PhotoCheck, check_files
from db.engine import journal
from db.kernel.clock import to_ms
from db.kernel.language import N_, _
from db.kernel.refusal import Unavailable
from db.live.recount import differences

REASONS = {
    "missing": N_("the entry is missing"),
    "unchained": N_("it is not chained to the entry before it"),
    "altered": N_("its content was changed after it was sealed"),
    "cut": N_("entries at the end were cut off"),
}


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "verify",
        help=_("check the journal's chain, recount the live figures, look for open cases without a holder"),
    )
    parser.add_argument("--db", metavar="URL", default=None)
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Walk the chain, recount, print; exit code 1 when either does not hold."""
    core = open_core(arguments.db)
    try:
        with core.database.read() as connection:
            proof = journal.verify(connection)
        with core.database.read() as connection:
            differing = differences(connection, to_ms(core.clock.now()))
        with core.database.read() as connection:
            lost = unheld(connection)
        photos = _photos(core)
    finally:
        core.close()
    whole = proof.whole and not differing and not lost and not photos.missing
    if arguments.json:
        print(
            json.dumps(
                {
                    "entries": proof.entries,
                    "whole": proof.whole,
                    "broken_at": proof.broken_at,
                    "reason": proof.reason,
                    "seal": proof.seal.hex(),
                    "counters_equal": not differing,
                    "differences": differing,
                    "without_holder": [each.number for each in lost],
                    "photos": photos.files,
                    "photos_missing": photos.missing,
                },
                ensure_ascii=False,
            )
        )
        return 0 if whole else 1
    if proof.whole:
        print(_("The journal chain is whole: {count} entries.").format(count=f"{proof.entries:,}"))
        print(_("Seal of the last entry: {seal}").format(seal=proof.seal.hex()))
    else:
        print(
            _("The journal chain breaks at entry {entry}: {reason}.").format(
                entry=proof.broken_at, reason=_(REASONS[proof.reason])
            )
        )
    if differing:
        print(_("The live counters differ from a recount:"))
        for name, (live, counted) in differing.items():
            print(f"  {name}: {live} ≠ {counted}")
    else:
        print(_("The live counters equal a recount."))
    _tell_holders(lost)
    _tell_photos(photos)
    return 0 if whole else 1


def _tell_holders(lost: list[Unheld]) -> None:
    if not lost:
        print(_("Every open case has a holder."))  # zh: 件件有着落：在办案件均有承办方。
        return
    print(_("Open cases without a holder: {count}.").format(count=len(lost)))
    for each in lost:
        print(f"  {each.number}: {_(each.why)}")


def _photos(core: Core) -> PhotoCheck:
    """A server's folder may not be reachable from here: then its photos are not looked for."""
    try:
        return check_files(core.database)
    except Unavailable:
        return PhotoCheck(0, ())


def _tell_photos(photos: PhotoCheck) -> None:
    if photos.missing:
        print(
            _("Photos missing: {missing} of {count}.").format(missing=len(photos.missing), count=photos.files)
        )
        for sha256 in photos.missing:
            print(f"  {sha256}")
    elif photos.files:
        print(_("All photos are there: {count}.").format(count=photos.files))
