"""Three kinds of trouble, each said in words; a bug also goes to the log."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from db.kernel.refusal import Refused, Unavailable
from desktop.core.trouble import Kind, Troubles


@pytest.fixture
def hooks() -> Iterator[None]:
    before = sys.excepthook, threading.excepthook
    yield
    sys.excepthook, threading.excepthook = before


def heard(troubles: Troubles) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []
    troubles.told.connect(lambda kind, words: said.append((kind, words)))
    return said


def test_a_refusal_and_what_is_unavailable_are_told_in_their_own_words(application: object) -> None:
    troubles = Troubles()
    said = heard(troubles)
    troubles.report(Refused("changed", "Case {number} was changed.", number="N1"))
    troubles.report(Unavailable("locked", "{path} is locked.", path="a.db"))
    assert said == [(Kind.REFUSED, "Case N1 was changed."), (Kind.UNAVAILABLE, "a.db is locked.")]


@pytest.mark.expects_log("unexpected error")
def test_a_bug_is_told_without_its_traceback_and_logged_with_it(application: object) -> None:
    troubles = Troubles()
    said = heard(troubles)
    troubles.report(ValueError("secret inside"))
    ((kind, words),) = said
    assert kind == Kind.BUG
    assert "ValueError" in words
    assert "secret" not in words


@pytest.mark.expects_log("unexpected error")
def test_what_nobody_caught_is_told_whichever_thread_it_happened_on(application: object, hooks: None) -> None:
    troubles = Troubles()
    said = heard(troubles)
    troubles.install()
    sys.excepthook(ValueError, ValueError("x"), None)
    args = threading.ExceptHookArgs((KeyError, KeyError("y"), None, threading.current_thread()))
    threading.excepthook(args)
    assert [kind for kind, _words in said] == [Kind.BUG, Kind.BUG]


def test_ctrl_c_is_no_trouble(application: object, hooks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "__excepthook__", lambda kind, _error, _trace: passed.append(kind))
    troubles = Troubles()
    said = heard(troubles)
    troubles.install()
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert (said, passed) == ([], [KeyboardInterrupt])
