"""Classes by code, name, pinyin, first letters and English."""

from __future__ import annotations

import pytest

from db.registers.finding import Finder, spells, syllables
from db.registers.queries import CategoryValue
from db.registers.reference import read_categories, stable_id


def shipped() -> list[CategoryValue]:
    return [
        CategoryValue(
            stable_id("category", row.key),
            row.standard,
            row.kind,
            row.code,
            row.major,
            row.major_name,
            row.major_name_en,
            row.name,
            row.name_en,
            1 if row.successor_code else None,
        )
        for row in read_categories()
    ]


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder(shipped())


@pytest.mark.parametrize(
    "words, name",
    [
        ("01001", "供水井盖"),
        ("供水井盖", "供水井盖"),
        ("gsjg", "供水井盖"),
        ("gongshuijinggai", "供水井盖"),
        ("gongsjg", "供水井盖"),
        ("GSJG", "供水井盖"),
        ("water cover", "供水井盖"),
        ("zdjy", "占道经营"),
        ("zhandao jing", "占道经营"),
        ("井盖 污", "污水井盖"),
        ("ｇｓｊｇ", "供水井盖"),
    ],
)
def test_a_class_is_found_by_whatever_one_knows_of_it(finder: Finder, words: str, name: str) -> None:
    assert finder.find(words)[0].name == name


def test_every_class_is_found_by_its_code_its_name_and_its_letters(finder: Finder) -> None:
    for each in shipped():
        letters = "".join(syllable[0] for syllable in syllables(each.name))
        for words in (each.code, each.name, letters):
            assert each in finder.find(words, limit=600), (words, each.name)


def test_a_major_names_all_its_classes(finder: Finder) -> None:
    found = finder.find("市政公用", limit=600)
    assert found
    assert {each.major_name for each in found} == {
        "市政公用设施",
        "市政公用设施类",
    }


def test_the_class_in_force_stands_before_the_one_it_succeeded(finder: Finder) -> None:
    names = [(each.name, each.successor_id) for each in finder.find("污水井盖")]
    assert names.index(("污水井盖", None)) < names.index(("污水井盖", 1))


def test_what_is_reported_often_stands_first() -> None:
    classes = shipped()
    rare = [each for each in Finder(classes).find("lj", limit=600) if each.successor_id is None][-1]
    found = Finder(classes, {rare.id: 1000}).find("lj", limit=600)
    same = spells("lj", syllables(rare.name))
    assert found.index(rare) <= len([each for each in found if spells("lj", syllables(each.name)) <= same])
    assert Finder(classes, {rare.id: 1000}).find("")[0] == rare


def test_what_nothing_fits_finds_nothing(finder: Finder) -> None:
    assert finder.find("qqqq") == []
    assert finder.find("井盖 qqqq") == []


def test_a_word_spells_syllables_that_are_whole_or_cut_short() -> None:
    spoken = ("gong", "shui", "jing", "gai")
    assert [spells(word, spoken) for word in ("gsjg", "gongsh", "jgai", "jing", "gg", "gongi")] == [
        0, 0, 2, 2, -1, -1,
    ]  # fmt: skip
