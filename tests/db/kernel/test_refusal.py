"""Trouble is a code with facts; the sentence is made in the language of whoever reads it."""

from __future__ import annotations

import json

import pytest

from db.kernel import refusal
from db.kernel.refusal import Refused, RefusedAll, Unavailable, as_plain, from_plain, refuse_all


def test_the_sentence_is_filled_with_the_facts() -> None:
    trouble = Unavailable("locked", "{where} is locked.", where="city.db")
    assert (trouble.code, trouble.text(), str(trouble)) == ("locked",) + ("city.db is locked.",) * 2


def test_a_refusal_inside_another_is_told_in_the_same_language(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = Refused("needed", "A reason is required.")
    outer = Refused("needed", "{number}: {why}", number="N1", why=inner)
    assert outer.text() == "N1: A reason is required."
    monkeypatch.setattr(refusal, "_", lambda text: {inner.message: "请填写理由。"}.get(text, text))
    assert outer.text() == "N1: 请填写理由。"


def test_nothing_to_refuse_raises_nothing() -> None:
    refuse_all([])


def test_one_refusal_is_raised_as_it_is() -> None:
    one = Refused("a", "A.")
    with pytest.raises(Refused) as caught:
        refuse_all([one])
    assert caught.value is one


def test_several_refusals_come_as_one_with_all_sentences() -> None:
    with pytest.raises(RefusedAll) as caught:
        refuse_all([Refused("a", "A."), Refused("b", "{x}.", x="B")])
    assert caught.value.code == "a"
    assert caught.value.text() == "A.\nB."
    assert [one.code for one in caught.value.refusals] == ["a", "b"]


def test_a_refusal_is_read_again_later_in_whatever_language(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = Refused("needed", "A reason is required.")
    outer = Refused("needed", "{number}, {count} cases: {why}", number="N1", count=2, why=inner)
    again = from_plain(json.loads(json.dumps(as_plain(RefusedAll([outer, inner])))))
    assert again.text() == "N1, 2 cases: A reason is required.\nA reason is required."
    assert isinstance(again, RefusedAll)
    assert again.refusals[0].facts["count"] == 2
    monkeypatch.setattr(refusal, "_", lambda text: {inner.message: "请填写理由。"}.get(text, text))
    assert again.text() == "N1, 2 cases: 请填写理由。\n请填写理由。"
