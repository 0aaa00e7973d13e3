"""Sentences: what was typed is understood word by word, or said not to be, and nothing is ever done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.kernel.language import set_language
from db.live.board import Board
from db.live.directory import Directory, Entry
from db.live.filters import Filter
from db.live.sentences import CHOICES, Grammar, Kind, Reading, span_ms, verb_words
from tests.db.live.rows import HOUR, NOON, ZONE, case_row, delta_of

ASKS = {
    "accept": (),
    "dispatch": ("unit",),
    "reassign": ("unit", "text"),
    "urge": ("maybe",),
    "close": (),
    "split": ("class", "perhaps", "text"),
}
DIRECTORY = Directory(
    units={
        1: Entry(1, "101", "城关中队", "Chengguan Squad"),
        2: Entry(2, "102", "龙泉中队", "Longquan Squad"),
        3: Entry(3, "106", "机动中队", "Mobile Squad"),
        4: Entry(4, "402", "龙泉街道办", "Longquan Office"),
        5: Entry(5, "900", "旧中队", "Old Squad", active=False),
    },
    categories={7: Entry(7, "0110", "暴露垃圾", "Exposed refuse", major="s/01")},
    areas={
        20: Entry(20, "A", "荆河街道", "Jinghe Sub-district", "district"),
        21: Entry(21, "B", "龙泉街道", "Longquan Sub-district", "district"),
    },
    majors={"s/01": Entry(0, "01", "市容环境", "Looks", major="s/01")},
)
TODAY, BEFORE = "20260314", "20260313"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")


@pytest.fixture
def board() -> Board:
    board = Board(ZONE, NOON)
    numbers = {
        1: f"{TODAY}000000037",
        2: f"{TODAY}000000137",
        3: f"{BEFORE}000000037",
        4: f"{TODAY}000000052",
    }
    rows = [
        case_row(
            case_id,
            number=number,
            state="pending_dispatch",
            address="学府路与平行路口" if case_id == 1 else "西环路12号",
            reported_at=NOON - (HOUR if number.startswith(TODAY) else 30 * HOUR),
        )
        for case_id, number in numbers.items()
    ]
    rows.append(case_row(9, number=f"{TODAY}000000937", state="closed", closed_at=NOON - HOUR))
    board.apply(delta_of(rows, directory=DIRECTORY))
    return board


@pytest.fixture
def grammar(board: Board) -> Grammar:
    return Grammar(board, ASKS)


def drawn(reading: Reading) -> str:
    """The words as they were understood, on one line."""
    return " | ".join(f"{word.typed}={word.part}:{word.meaning}" for word in reading.words)


@pytest.mark.parametrize(
    "typed",
    [
        "派 37 城关中队",
        "派37城关中队",
        "派遣 37 cgzd",
        "pq 37 chengguan",
        "dispatch 37 Chengguan Squad",
        "DISP 037 chengguan squad",
    ],
)
def test_an_order_is_understood_in_either_language_and_by_letters(grammar: Grammar, typed: str) -> None:
    first = grammar.read(typed)[0]
    assert (first.kind, first.verb, first.case_ids, first.unit_id) == (Kind.ORDER, "dispatch", (1,), 1)
    assert first.lacking == ""
    assert [word.part for word in first.words] == ["verb", "case", "unit"]


def test_each_word_says_what_it_was_taken_for(grammar: Grammar) -> None:
    (reading,) = grammar.read("改派城关中队 不是本辖区", selected=(4,))
    assert drawn(reading) == "改派=verb:Reassign | 城关中队=unit:Chengguan Squad | 不是本辖区=reason:reason"
    assert (reading.case_ids, reading.text) == ((4,), "不是本辖区")


def test_a_reason_may_follow_the_unit_without_a_space(grammar: Grammar) -> None:
    (reading,) = grammar.read("改派 城关中队理由不是本辖区", selected=(4,))
    assert (reading.unit_id, reading.text) == (1, "理由不是本辖区")


def test_a_reason_may_have_figures_in_it(grammar: Grammar) -> None:
    (reading,) = grammar.read("reassign mobile squad, not ours since 3 May", selected=(4, 2))
    assert (reading.unit_id, reading.text, reading.case_ids) == (3, "not ours since 3 May", (4, 2))


def test_several_cases_are_choices_todays_serial_first_then_the_newest(grammar: Grammar) -> None:
    assert [reading.case_ids for reading in grammar.read("催办 37")] == [(1,), (2,), (3,)]
    assert [reading.case_ids for reading in grammar.read("催办 137")] == [(2,)]


def test_several_units_are_choices_too(grammar: Grammar) -> None:
    assert [reading.unit_id for reading in grammar.read("派 52 龙泉")] == [2, 4]


def test_several_numbers_are_one_order_when_each_is_clear(grammar: Grammar) -> None:
    (clear,) = grammar.read("派 137 52 城关")
    assert (clear.case_ids, clear.lacking) == ((2, 4), "")
    (unclear,) = grammar.read("派 37 52 城关")
    assert unclear.case_ids == ()
    assert unclear.lacking == "Several numbers end in 37: type more digits."


def test_what_is_lacking_is_said(grammar: Grammar) -> None:
    assert grammar.read("派 城关")[0].lacking == "Select cases, or type the end of a number."
    assert grammar.read("派 99 城关")[0].lacking == "No open case has a number ending in 99."
    assert grammar.read("派 52 消防队")[0].lacking == "No unit is called “消防队”."
    assert grammar.read("派 52 旧中队")[0].lacking == "No unit is called “旧中队”."
    assert grammar.read("close 52 城关")[0].lacking == "“城关” is more than this act asks for."


def test_closed_cases_are_not_meant(grammar: Grammar) -> None:
    assert grammar.read("催办 937")[0].case_ids == ()


@pytest.mark.parametrize(
    "typed, chosen",
    [
        ("超期 2小时 学府路", Filter(slack=(None, -2 * HOUR), text="学府路")),
        ("超期2小时学府路", Filter(slack=(None, -2 * HOUR), text="学府路")),
        ("overdue 2h Xuefu Rd", Filter(slack=(None, -2 * HOUR), text="学府路")),
        ("2h overdue", Filter(slack=(None, -2 * HOUR))),
        ("临期 90分钟", Filter(slack=(0, 3 * HOUR // 2))),
        ("1.5h", Filter(slack=(None, 3 * HOUR // 2))),
        ("超期", Filter(lights=frozenset({2}))),
        ("荆河街道 暴露垃圾", Filter(districts=frozenset({20}), categories=frozenset({7}))),
        ("jinghe exposed refuse", Filter(districts=frozenset({20}), categories=frozenset({7}))),
        ("overdue 善国路12号", Filter(lights=frozenset({2}), text="善国路12号")),
    ],
)
def test_a_filter_is_what_the_words_narrow_by(grammar: Grammar, typed: str, chosen: Filter) -> None:
    (reading,) = grammar.read(typed)
    assert (reading.kind, reading.filter) == (Kind.FILTER, chosen)


@pytest.mark.parametrize("typed", ["", "   ", "!?", "hello world", "派", "zzz"])
def test_what_is_no_sentence_gives_nothing(grammar: Grammar, typed: str) -> None:
    assert grammar.read(typed) == ()


def test_a_verb_alone_is_no_sentence_and_no_filter(grammar: Grammar) -> None:
    assert grammar.read("gp", selected=(1,)) == ()


def test_going_somewhere_offers_all_places_of_the_name(grammar: Grammar) -> None:
    found = [reading.filter for reading in grammar.read("去 龙泉")]
    assert found == [
        Filter(districts=frozenset({21})),
        Filter(units=frozenset({2})),
        Filter(units=frozenset({4})),
    ]
    assert [reading.filter for reading in grammar.read("go Xuefu Rd")] == [Filter(text="学府路")]
    assert [reading.case_ids for reading in grammar.read("go 52")] == [(4,)]
    assert [reading.case_ids for reading in grammar.read("52")] == [(4,)]
    assert grammar.read("go") == ()


def test_finding_takes_all_that_follows(grammar: Grammar) -> None:
    (reading,) = grammar.read("找井盖 学府路")
    assert (reading.kind, reading.text) == (Kind.FIND, "井盖 学府路")
    assert grammar.read("find") == ()


def test_meanings_are_told_in_the_readers_language(grammar: Grammar) -> None:
    set_language("zh_CN")
    assert drawn(grammar.read("dispatch 52 mobile")[0]) == (
        f"dispatch=verb:派遣 | 52=case:{TODAY}000000052 | mobile=unit:机动中队"
    )


def test_names_follow_the_directory(board: Board, grammar: Grammar) -> None:
    assert grammar.read("派 52 消防")[0].lacking
    renamed = Directory(units={8: Entry(8, "8", "消防队", "Fire Brigade")})
    board.apply(delta_of((), directory=renamed, full=False))
    assert grammar.read("派 52 消防")[0].unit_id == 8


def test_no_more_choices_than_can_be_looked_through() -> None:
    board = Board(ZONE, NOON)
    board.apply(
        delta_of(
            [case_row(i, number=f"{i:06d}37", state="reported") for i in range(1, 40)], directory=DIRECTORY
        )
    )
    assert len(Grammar(board, ASKS).read("催办 37")) == CHOICES


def test_lengths_of_time() -> None:
    assert span_ms("2小时") == span_ms("2 h") == span_ms("120min") == 2 * HOUR
    assert span_ms("1天") == 24 * HOUR
    assert span_ms("2") is None
    assert span_ms("小时") is None


def test_a_verb_is_called_by_its_labels_and_by_what_people_say() -> None:
    assert {"改派", "reassign", "转派"} <= set(verb_words("reassign"))
