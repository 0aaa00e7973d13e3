"""How sure a piece of advice may be: counts, their bounds, and the reasons for saying nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from db.duties.book import Named
from db.kernel.language import N_, _, language

Floats = npt.NDArray[np.float64]

FLOOR = 0.8
"""Below this precision nothing is advised."""
FEWEST = 5
"""Seen less often than this, of the class and in the district, history is silent."""
BORDER_METRES = 25.0
"""As near as this to a place where another unit answers, two units share the border."""
_SURE = 0.84
"""One-sided 80 %: how far a share that was seen may lie above the true one. The bound is careful on purpose:
of what is said with 0.85, more than that comes true (``jingwei advice evaluate`` prints both)."""


def lower(hits: Floats, seen: Floats) -> Floats:
    """Wilson's lower bound of a share; 0 where nothing was seen."""
    return _wilson(hits, seen, -_SURE)


def upper(hits: Floats, seen: Floats) -> Floats:
    """Wilson's upper bound of a share; 1 where nothing was seen."""
    return _wilson(hits, seen, _SURE)


def _wilson(hits: Floats, seen: Floats, z: float) -> Floats:
    some = np.maximum(seen, 1e-9)
    share = hits / some
    middle = share + z * z / (2 * some)
    spread = z * np.sqrt(share * (1 - share) / some + z * z / (4 * some * some))
    bound = (middle + spread) / (1 + z * z / some)
    result: Floats = np.where(seen > 0, bound, float(z > 0)).clip(0.0, 1.0)
    return result


def precision(hits: Floats, seen: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """How sure a unit is, from (levels, cases) counts, the largest area first; and the level that says so.

    Begins with the smallest area. A larger one is heard as well as long as what was seen in the smaller does
    not speak against it: then its greater number makes the bound tighter. A corner with its own custom is
    judged by itself alone.
    """
    levels = len(hits)
    bounds, tops = lower(hits, seen), upper(hits, seen)
    share = hits / np.maximum(seen, 1)
    best, level = bounds[-1].copy(), np.full(hits.shape[1], levels - 1)
    heard = np.ones(hits.shape[1], dtype=bool)
    for n in range(levels - 2, -1, -1):
        heard &= tops[n + 1] >= share[n]
        better = heard & (bounds[n] > best)
        best[better], level[better] = bounds[n][better], n
    return best, level


@dataclass(frozen=True)
class Reason:
    """Why a unit is advised, or why none is: a key and facts; the words come when it is shown."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def abstains(self) -> bool:
        return self.code not in _SAID

    def text(self) -> str:
        """The sentence in the reader's language."""
        code = language()
        facts = {k: v.label(code) if isinstance(v, Named) else v for k, v in self.facts.items()}
        words = _(_SENTENCES[self.code]).format(**facts)
        if self.code not in _SAID:
            return words
        # zh: 在班 / 无人在班；在办 {count} 件
        shift = _("on shift") if facts["on_shift"] else _("nobody on shift")
        return _(", ").join((words, shift, _("{count} open").format(count=facts["open"])))


_SENTENCES = {
    # zh: 本网格同类 {total} 件中 {hits} 件由其办结（社区、街道、全市同）
    "cell": N_("same cell and kind {hits} of {total}"),
    "patrol": N_("same patrol area and kind {hits} of {total}"),
    "community": N_("same community and kind {hits} of {total}"),
    "district": N_("same district and kind {hits} of {total}"),
    "city": N_("same kind in the city {hits} of {total}"),
    # zh: 与{other}交界，两家都可能负责
    "border": N_("two units share this border: {unit} and {other}"),
    # zh: 历史上由{unit}办理，该单位已停用
    "gone": N_("history says {unit}, which is no longer active"),
    # zh: 同类案件仅见 {total} 件
    "rare": N_("seen only {total} times"),
    # zh: 历史与责任清单不一致：历史为{unit}，清单为{other}
    "disagree": N_("history says {unit}, the duty matrix {other}"),
    # zh: 历史不一致：{unit} {hits}/{total}
    "divided": N_("history is divided: {unit} {hits} of {total}"),
    # zh: 无历史可循，责任清单也无人
    "unknown": N_("never seen here, and nobody is named in the duty matrix"),
}
_SAID = frozenset(("cell", "patrol", "community", "district", "city"))


@dataclass(frozen=True)
class Advice:
    """What is advised for one case. ``unit_id`` is ``None`` when it abstains; ``leaning`` is whom it would
    have named then.
    """

    unit_id: int | None
    person_id: int | None
    precision: float
    """Estimated share of right ones among advice like this: a lower bound, 0 to 1."""
    reason: Reason
    leaning: int | None = None
