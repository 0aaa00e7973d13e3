"""A person may do what the permissions name, and a star names all."""

from __future__ import annotations

from db.kernel.actor import SYSTEM, Actor


def test_only_named_verbs_are_permitted() -> None:
    actor = Actor(1, "王敏", frozenset({"case.report"}))
    assert actor.may("case.report")
    assert not actor.may("case")
    assert not actor.may("*")
    assert not Actor(2, "nobody").may("case.report")


def test_the_program_itself_may_do_everything() -> None:
    assert SYSTEM.may("whatever")
