"""``jingwei advice evaluate``: how often advice for dispatch would have been right, on months held out."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from typing import Any

from db.advice.evaluating import Evaluation, evaluate
from db.bootstrap import open_core
from db.kernel.language import N_, _
from db.kernel.refusal import Refused

_ABSTAINED = {
    "border": N_("two units share the border"),  # zh: 两家交界
    "gone": N_("the unit is no longer active"),  # zh: 责任单位已停用
    "rare": N_("seen too seldom"),  # zh: 样本太少
    "disagree": N_("history and duty matrix disagree"),  # zh: 历史与责任清单不一致
    "divided": N_("history is divided"),  # zh: 历史不一致
    "unknown": N_("never seen, nobody named"),  # zh: 无历史、无责任人
}


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "advice", help=_("tell how good the advice for dispatch is")
    )
    deeds = parser.add_subparsers(dest="deed", required=True)
    deed = deeds.add_parser("evaluate", help=_("learn from earlier months, ask about the newest ones"))
    deed.add_argument("--months", type=int, default=3, metavar="N", help=_("how many are held out"))
    deed.add_argument("--db", metavar="URL", default=None)
    deed.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print; raises ``Trouble``."""
    if not 1 <= arguments.months <= 120:
        raise Refused("no_months", N_("Hold out 1 to 120 months."))
    core = open_core(arguments.db)
    try:
        began = time.perf_counter()
        with core.database.read() as connection:
            found = evaluate(connection, arguments.months)
        took = time.perf_counter() - began
    finally:
        core.close()
    if arguments.json:
        plain = asdict(found) | {"cut": found.cut.isoformat(), "seconds": round(took, 2)}
        for row, each in zip(plain["by_threshold"], found.by_threshold, strict=True):
            row |= {"precision": each.precision, "coverage": each.coverage}
        print(json.dumps(plain, ensure_ascii=False))
    else:
        _print(found, took)
    return 0


def _print(found: Evaluation, took: float) -> None:
    print(
        _("Learned from {learned} closed cases before {day}, asked about {asked} after; {took} s.").format(
            learned=f"{found.learned:,}",
            day=f"{found.cut:%Y-%m-%d}",
            asked=f"{found.asked:,}",
            took=f"{took:.1f}",
        )
    )
    print(
        _("Right without advice: first dispatch {first} %, duty matrix alone {duty} %.").format(
            first=f"{100 * found.first / found.asked:.2f}", duty=f"{100 * found.by_duty / found.asked:.2f}"
        )
    )
    print(f"\n{_('threshold'):>12}{_('said'):>12}{_('coverage'):>12}{_('precision'):>12}")
    for each in found.by_threshold:
        print(f"{each.threshold:>12}{each.said:>12,}{each.coverage:>12.2%}{each.precision:>12.3%}")
    print(f"\n{_('estimated'):>14}{_('said'):>10}{_('mean'):>12}{_('came true'):>12}")
    for band in found.bands:
        span = f"{band.begins:g}–{band.ends:g}"
        print(f"{span:>14}{band.said:>10,}{band.estimated:>12.3%}{band.right:>12.3%}")
    print(f"\n{_('Nothing said because')}")
    for code, count in found.abstained.items():
        print(f"{count:>12,}  {_(_ABSTAINED[code])}")
