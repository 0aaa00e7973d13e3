"""What a command on many cases did: what moved, and what was left where it is, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from db.kernel.refusal import Refused


@dataclass(frozen=True)
class LeftOut:
    """A case that stays as it is; ``number`` is "" when there is no such case any more."""

    case_id: int
    number: str
    refusal: Refused
    """Why, as a whole sentence: who did what since, what is missing, who may not."""


@dataclass(frozen=True)
class Moved:
    """The result of a command that may leave cases out."""

    case_ids: tuple[int, ...]
    left_out: tuple[LeftOut, ...] = ()
