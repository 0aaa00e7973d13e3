"""Text is found while it is typed, whatever was written over it since."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from db.live.search import TextIndex

writings = st.lists(
    st.tuples(st.integers(0, 40), st.one_of(st.none(), st.text(alphabet="abA 井盖路1\n𠮷", max_size=5))),
    max_size=60,
)


@given(writings, st.text(alphabet="ab井盖𠮷", min_size=1, max_size=3))
def test_a_search_finds_what_the_newest_texts_hold(written: list[tuple[int, str | None]], word: str) -> None:
    index, texts = TextIndex(), dict[int, str]()
    for slot, value in written:
        if value is None:
            index.drop(np.array([slot], dtype=np.int32))
            texts.pop(slot, None)
        else:
            index.put([slot], [value])
            texts[slot] = value
    found = set(np.flatnonzero(index.find(word, 41)).tolist())
    assert found == {slot for slot, value in texts.items() if word in value.lower()}


def test_texts_written_over_and_over_are_swept_out() -> None:
    index = TextIndex()
    for turn in range(50):
        index.put(range(100), [f"荆河路 {turn} {slot}" for slot in range(100)])
        index.drop(np.array([turn], dtype=np.int32))
    assert index._texts < 500
    assert np.flatnonzero(index.find("49 7", 100)).tolist() == [7, *range(70, 80)]
    assert not index.find("48 99", 100).any()


def test_two_texts_do_not_make_a_word_together() -> None:
    index = TextIndex()
    index.put([0, 1], ["荆", "河"])
    assert not index.find("荆河", 2).any()


def test_a_word_of_signs_that_stand_everywhere_is_found_where_it_stands_as_a_whole() -> None:
    index = TextIndex()
    index.put(range(2_000), [f"A-{slot:06d}" for slot in range(2_000)])
    assert np.flatnonzero(index.find("a-001234", 2_000)).tolist() == [1_234]
    assert np.flatnonzero(index.find("0199", 2_000)).tolist() == [199, *range(1_990, 2_000)]
    assert index.find("a-00", 2_000).all()
    assert not index.find("a-002", 2_000).any()


def test_among_few_and_among_many_the_same_is_found() -> None:
    index = TextIndex()
    index.put(range(2_000), [f"荆河路{slot}号" for slot in range(2_000)])
    everywhere = index.find("99", 2_000)
    for step in (1, 3, 500):
        asked = np.zeros(2_500, dtype=bool)
        asked[99::step] = True
        found = index.find("99", 2_000, asked[:2_000])
        assert found[99]
        assert (found & asked[:2_000]).tolist() == (everywhere & asked[:2_000]).tolist()
