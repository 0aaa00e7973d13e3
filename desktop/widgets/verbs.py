"""The verbs that a person can ask for: what each needs to be told, and the command that it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from db.cases import claims
from db.cases.commands import closing, dispatch, handling, intake, marking, merging, orders, requests
from db.cases.leases import TAKES_OVER
from db.cases.workflow import VERB_LABELS
from db.kernel.language import N_, _

Ids = tuple[int, ...]
CLAIMED = "claimed"
"""In place of a kind of request: somebody else has claimed the case."""


@dataclass(frozen=True)
class Verb:
    """How a verb of the workflow is asked for and which command it makes."""

    key: str
    make: Callable[[Ids, Mapping[str, Any]], Any]
    asks: tuple[str, ...] = ()
    """Of "leader" (a case), "class", "unit", "perhaps" (a unit that may be left out), "level", "priority",
    "word" (a tag), "until" (a day), "text", "maybe" (a text that may be left empty), "evidence" (a document),
    "proof" (one that may be left empty).
    """
    words: str = ""
    """The question for the text that it asks for (reason or note)."""
    keys: str = ""
    danger: bool = False
    until: str = ""
    """The question for the day that it asks for."""
    rare: bool = False
    """Stands in the menu, not in the bar of the queue."""
    alone: bool = False
    """Decided on one case at a time, with the case before one's eyes."""
    title: str = ""
    """What stands on its button, where that is not the word for what happened."""
    permission: str = ""
    """Of a verb that stands beside the table of moves: it fits every open case."""
    request: str = ""
    """It answers a request of this kind, or a claim (``CLAIMED``), so it is offered where there is one."""
    holder: bool = False
    """It may name a person of the unit."""
    all_or_none: bool = False
    """Cases that cannot follow are not left out: then none of them goes."""

    def shown(self) -> str:
        """The word on its button, in the reader's language."""
        return _(self.title or VERB_LABELS[self.key])

    def named(self) -> str:
        """The word for what will have happened, in the reader's language."""
        return _(VERB_LABELS.get(self.key) or self.title)


_LETTERS = {"postpone": "K", "return": "Q", "suspend": "W", "appeal": "Z"}
"""The key of each request: alone it asks, with Shift it grants, with Alt it refuses."""


def _asking(kind: str, words: str, *asks: str) -> Verb:
    """A unit asks for something."""
    makes: dict[str, Callable[[Ids, Mapping[str, Any]], Any]] = {
        "postpone": lambda ids, a: requests.AskPostpone(ids, a["text"], a["evidence"]),
        "return": lambda ids, a: requests.AskReturn(ids, a["text"], a["evidence"]),
        "suspend": lambda ids, a: requests.AskSuspend(ids, a["text"], a["until"], a["evidence"]),
        "appeal": lambda ids, a: requests.AskAppeal(ids, a["text"], a["evidence"]),
    }
    # zh: 挂账至
    until = N_("Suspended until") if "until" in asks else ""
    return Verb(
        f"ask_{kind}",
        makes[kind],
        ("text", *asks),
        words,
        keys=_LETTERS[kind],
        until=until,
        rare=True,
        alone=True,
    )


def _granting(kind: str) -> Verb:
    return Verb(
        f"grant_{kind}",
        lambda ids, a: requests.Grant(ids, kind, a["text"]),
        ("maybe",),
        N_("Remark (may be empty)"),
        keys=f"Shift+{_LETTERS[kind]}",
        rare=True,
        alone=kind not in _MANY,
        request=kind,
    )


def _refusing(kind: str) -> Verb:
    return Verb(
        f"refuse_{kind}",
        lambda ids, a: requests.Refuse(ids, kind, a["text"]),
        ("text",),
        N_("Why is it not granted?"),
        keys=f"Alt+{_LETTERS[kind]}",
        rare=True,
        alone=kind not in _MANY,
        request=kind,
    )


_MANY = frozenset({"postpone", "return"})
"""Requests that are decided for many cases at once; each of the others needs its own look."""

VERBS = {
    verb.key: verb
    for verb in (
        Verb("accept", lambda ids, _a: intake.Accept(ids), keys="A"),
        Verb(
            "send_verify",
            lambda ids, a: intake.SendVerify(ids, None, a["text"]),
            ("maybe",),
            N_("What is to be looked at? (may be empty)"),
            rare=True,
            keys="V",
        ),
        Verb(
            "verify_true",
            lambda ids, a: intake.VerifyTrue(ids, a["text"]),
            ("maybe",),
            N_("Remark (may be empty)"),
            keys="Y",
        ),
        Verb(
            "verify_false",
            lambda ids, a: intake.VerifyFalse(ids, a["text"]),
            ("text",),
            N_("What was found instead?"),
            keys="Shift+Y",
        ),
        Verb("register", lambda ids, _a: intake.Register(ids), keys="G"),
        Verb(
            "dispatch",
            lambda ids, a: dispatch.Dispatch(ids, a["unit"], holder_id=a.get("holder")),
            ("unit",),
            keys="P",
            holder=True,
        ),
        Verb(
            "send_back",
            lambda ids, a: dispatch.SendBack(ids, a["text"]),
            ("text",),
            N_("Why is it sent back?"),
            rare=True,
            keys="B",
        ),
        Verb(
            "add_helper",
            lambda ids, a: dispatch.AddHelper(ids, a["unit"]),
            ("unit",),
            keys="Shift+H",
            rare=True,
        ),
        Verb("receive", lambda ids, _a: handling.Receive(ids), keys="J"),
        Verb(
            "reassign",
            lambda ids, a: dispatch.Reassign(ids, a["unit"], a["text"], holder_id=a.get("holder")),
            ("unit", "text"),
            N_("Why is it reassigned?"),
            keys="R",
            holder=True,
        ),
        Verb(
            "handle",
            lambda ids, a: handling.Handle(ids, a["text"]),
            ("text",),
            N_("What was done?"),
            keys="H",
        ),
        _asking("postpone", N_("Why is more time needed?"), "proof"),
        _granting("postpone"),
        _refusing("postpone"),
        _asking("return", N_("Why is it not yours?"), "evidence"),
        _granting("return"),
        _refusing("return"),
        _asking("suspend", N_("Why can it not be done now?"), "until", "evidence"),
        _granting("suspend"),
        _refusing("suspend"),
        Verb(
            "resume",
            lambda ids, a: requests.Resume(ids, a["text"]),
            ("maybe",),
            N_("Remark (may be empty)"),
            rare=True,
            keys="O",
        ),
        Verb(
            "send_check",
            lambda ids, a: closing.SendCheck(ids, None, a["text"]),
            ("maybe",),
            N_("What is to be looked at? (may be empty)"),
            rare=True,
            keys="C",
        ),
        Verb("pass_check", lambda ids, _a: closing.PassCheck(ids), keys="T"),
        Verb(
            "fail_check",
            lambda ids, a: closing.FailCheck(ids, a["text"]),
            ("text",),
            N_("What is not right yet?"),
            keys="N",
        ),
        Verb("close", lambda ids, _a: closing.Close(ids), keys="E"),
        _asking("appeal", N_("Why should the overdue not count?"), "proof"),
        _granting("appeal"),
        _refusing("appeal"),
        Verb(
            "confirm_appeal",
            lambda ids, a: requests.DecideAppeal(ids, True, a["text"]),
            ("maybe",),
            N_("Remark (may be empty)"),
            rare=True,
            alone=True,
            keys="Shift+C",
        ),
        Verb(
            "overrule_appeal",
            lambda ids, a: requests.DecideAppeal(ids, False, a["text"]),
            ("text",),
            N_("Why is it not granted?"),
            rare=True,
            alone=True,
            keys="Shift+O",
        ),
        Verb(
            "supervise",
            lambda ids, a: orders.Supervise(ids, a["text"], a["until"], a["level"]),
            ("level", "text", "until"),
            N_("What is demanded?"),
            until=N_("Answer by"),
            keys="D",
            rare=True,
        ),
        Verb(
            "answer_order",
            lambda ids, a: orders.AnswerOrder(ids, a["text"]),
            ("text",),
            N_("What is the answer?"),
            rare=True,
            alone=True,
            keys="Shift+D",
        ),
        Verb(
            "take_over",
            lambda ids, a: claims.TakeOver(ids, a["text"]),
            ("text",),
            N_("Why is it taken over?"),
            keys="F",
            rare=True,
            permission=TAKES_OVER,
            request=CLAIMED,
        ),
        Verb(
            "urge",
            lambda ids, a: orders.Urge(ids, a["text"]),
            ("maybe",),
            N_("Remark (may be empty)"),
            keys="U",
            rare=True,
        ),
        Verb(
            "set_priority",
            lambda ids, a: marking.SetPriority(ids, a["priority"], a["text"]),
            ("priority", "text"),
            N_("Why?"),
            keys="I",
            rare=True,
            permission="case.dispatch",
        ),
        Verb(
            "tag",
            lambda ids, a: marking.TagCases(ids, a["word"]),
            ("word",),
            keys="L",
            rare=True,
            permission="case.dispatch",
        ),
        Verb(
            "untag",
            lambda ids, a: marking.UntagCases(ids, a["word"]),
            ("word",),
            keys="Shift+L",
            rare=True,
            permission="case.dispatch",
        ),
        Verb(
            "merge",
            lambda ids, a: merging.Merge(
                tuple(case_id for case_id in ids if case_id != a["leader"]), a["leader"], a["text"]
            ),
            ("leader", "maybe"),
            N_("Remark (may be empty)"),
            # zh: 并入…
            title=N_("Merge into…"),
            keys="M",
            all_or_none=True,
        ),
        Verb(
            "unmerge",
            lambda ids, a: merging.Unmerge(ids, a["text"]),
            ("text",),
            N_("Why is it no duplicate?"),
            alone=True,
            keys="Shift+M",
        ),
        Verb(
            "split",
            lambda ids, a: merging.Split(ids[0], (a["text"],), a["category"], a["unit"] or None),
            ("class", "perhaps", "text"),
            N_("What is to be done in this part?"),
            rare=True,
            alone=True,
            # zh: 拆分子案件…
            title=N_("Split off a part…"),
            keys="Shift+S",
        ),
        Verb(
            "reject",
            lambda ids, a: intake.Reject(ids, a["text"]),
            ("text",),
            N_("Why is it not accepted?"),
            danger=True,
            keys="X",
        ),
        Verb(
            "void",
            lambda ids, a: intake.Void(ids, a["text"]),
            ("text",),
            N_("Why is it void?"),
            danger=True,
            keys="Shift+X",
        ),
        Verb(
            "force_close",
            lambda ids, a: closing.ForceClose(ids, a["text"]),
            ("text",),
            N_("Why is it closed without a passed check?"),
            danger=True,
            keys="Shift+E",
        ),
    )
}
"""In the order in which a case meets them."""


@dataclass(frozen=True)
class _Answer:
    """Stands for what would be answered."""

    key: str


class _Answers(dict[str, Any]):
    """Answers every question with its own name."""

    def __missing__(self, key: str) -> _Answer:
        return _Answer(key)

    def get(self, key: str, default: Any = None) -> Any:
        return _Answer(key)


def asked_for(command: Any) -> tuple[Verb, Ids, dict[str, Any]] | None:
    """The verb that makes such a command, the cases, and what was answered, by the names of the answers.

    ``None`` for a command that no verb makes.
    """
    for verb in VERBS.values():
        pattern = verb.make((0,), _Answers())
        if type(pattern) is not type(command):
            continue
        given: dict[str, Any] = {}
        for field in fields(command):
            wanted, value = getattr(pattern, field.name), getattr(command, field.name)
            if isinstance(wanted, _Answer):
                given[wanted.key] = value
            elif isinstance(wanted, tuple) and wanted and isinstance(wanted[0], _Answer):
                given[wanted[0].key] = value[0] if value else ""
            elif field.name not in _GIVEN_BY_ITSELF and wanted != value:
                break
        else:
            ids = getattr(command, "case_ids", None) or (command.case_id,)
            return verb, ids, given
    return None


_GIVEN_BY_ITSELF = frozenset({"case_ids", "case_id", "versions", "leave_out"})
"""Fields of commands that nobody is asked for."""
