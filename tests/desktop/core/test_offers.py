"""Offers are found by any of their names, best first, and what is not possible is still found."""

from __future__ import annotations

from desktop.core.offers import Offer, found


def nothing() -> None:
    """Does nothing."""


def offer(key: str, title: str, *names: str, why: str = "") -> Offer:
    return Offer(key, title, nothing, names, why=why)


OFFERS = [
    offer("reassign", "Reassign", "改派"),
    offer("dispatch", "Dispatch", "派遣"),
    offer("theme", "Dark or light", "深浅主题", why="no lamp"),
    offer("grant", "Grant postponement", "准予延期"),
    offer("ask", "Ask for postponement", "申请延期"),
]


def ids(typed: str, *recent: str) -> list[str]:
    return [each.id for each in found(OFFERS, typed, recent)]


def test_an_act_is_found_in_either_language_by_pinyin_and_by_first_letters() -> None:
    for typed in ("改派", "gp", "gaipai", "reass", "REASSIGN", "ｇｐ"):
        assert ids(typed)[0] == "reassign"


def test_a_name_that_begins_so_stands_before_one_that_contains_it() -> None:
    assert ids("派") == ["dispatch", "reassign"]


def test_what_was_used_lately_stands_before_its_equals_only() -> None:
    assert ids("postponement") == ["grant", "ask"]
    assert ids("postponement", "ask") == ["ask", "grant"]
    assert ids("派", "reassign") == ["dispatch", "reassign"]


def test_several_words_may_come_in_any_order() -> None:
    assert ids("postponement grant") == ["grant"]
    assert ids("grant theme") == []


def test_without_words_everything_is_there_the_possible_first_and_the_recent_before_it() -> None:
    assert ids("") == ["reassign", "dispatch", "grant", "ask", "theme"]
    assert ids("  ", "theme", "ask")[:2] == ["theme", "ask"]


def test_what_is_not_possible_now_is_found_too() -> None:
    (hit,) = found(OFFERS, "zhuti")
    assert (hit.id, hit.why) == ("theme", "no lamp")


def test_not_more_than_asked_for() -> None:
    assert len(found(OFFERS, "", limit=2)) == 2
