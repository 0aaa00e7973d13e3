"""The two kinds of trouble a person can do something about; everything else is a bug.

An error is a key and facts; the words come when it is shown, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from db.kernel.language import _


class Trouble(Exception):
    """A code for programs, a sentence with placeholders for people, and the facts that fill them."""

    def __init__(self, code: str, message: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.facts = facts

    def text(self) -> str:
        """The sentence in the reader's language; a fact that is trouble itself is told the same way."""
        facts = {key: fact.text() if isinstance(fact, Trouble) else fact for key, fact in self.facts.items()}
        return _(self.message).format(**facts)

    def __str__(self) -> str:
        return self.message.format(**self.facts)


class Refused(Trouble):
    """The rules said no, and the person can act on it."""


class Unavailable(Trouble):
    """Disk, lock, network or file: nobody's fault here; it may work later or elsewhere."""


class RefusedAll(Refused):
    """Several refusals at once: a command checks all its fields and answers once with the whole list."""

    def __init__(self, refusals: Sequence[Refused]) -> None:
        first = refusals[0]
        super().__init__(first.code, first.message, **first.facts)
        self.refusals = tuple(refusals)

    def text(self) -> str:
        return "\n".join(refusal.text() for refusal in self.refusals)


def refuse_all(refusals: Sequence[Refused]) -> None:
    """Raise what there is to raise: nothing, the one refusal, or all of them together."""
    if len(refusals) == 1:
        raise refusals[0]
    if refusals:
        raise RefusedAll(refusals)


def as_plain(refusal: Refused) -> dict[str, Any]:
    """A refusal that is to be read again later: code, sentence and facts, in no language yet."""
    plain: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    plain["facts"] = {
        name: as_plain(fact)
        if isinstance(fact, Refused)
        else fact
        if isinstance(fact, int | float | str)
        else str(fact)
        for name, fact in refusal.facts.items()
    }
    if isinstance(refusal, RefusedAll):
        plain["all"] = [as_plain(each) for each in refusal.refusals]
    return plain


def from_plain(plain: Mapping[str, Any]) -> Refused:
    """The refusal that ``as_plain`` made plain."""
    if "all" in plain:
        return RefusedAll([from_plain(each) for each in plain["all"]])
    facts = {
        name: from_plain(fact) if isinstance(fact, Mapping) else fact for name, fact in plain["facts"].items()
    }
    return Refused(plain["code"], plain["message"], **facts)
