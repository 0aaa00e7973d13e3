"""Headings that are recognised, and the small file for those that are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.exchange.geography.fields import (
    REGISTERS,
    GeographyMapping,
    read_geography_mapping,
    recognised,
    register_of,
)
from db.kernel.refusal import Refused

COMPONENT = REGISTERS["component"]
NEW = ("GLBJBSM", "GLBJMC", "ZGBMDM", "ZGBMMC", "SZDYWGBSM", "GLBJZT", "CSRQ", "BZ")
OLD = ("ObjID", "ObjName", "DeptCode1", "DeptName1", "BGID", "ObjState", "ORDate", "Note")


@pytest.mark.parametrize("headings", [NEW, OLD])
def test_both_editions_of_the_standard_are_recognised(headings: tuple[str, ...]) -> None:
    found = recognised(COMPONENT, headings, GeographyMapping())
    assert {name: each[0] for name, each in found.items()} == {
        "code": headings[0],
        "unit": headings[2],
        "cell": headings[4],
        "state": headings[5],
        "placed_on": headings[6],
    }
    assert found["unit"] == (headings[2], headings[3])


@pytest.mark.parametrize("kind", REGISTERS)
def test_what_is_written_is_recognised_and_fits_a_shapefile(kind: str) -> None:
    register = REGISTERS[kind]
    headings = register.headings()
    found = recognised(register, headings, GeographyMapping())
    assert [found[field.name][0] for field in register.fields] == list(headings)
    assert all(len(heading) <= 10 and heading.isascii() for heading in headings)
    assert len({heading.casefold() for heading in headings}) == len(headings)


def test_case_and_blanks_of_headings_do_not_matter() -> None:
    assert recognised(REGISTERS["road"], (" name ", "GRADE"), GeographyMapping())["grade"] == ("GRADE",)


def test_a_needed_field_that_nothing_fills_is_told_with_what_is_there() -> None:
    with pytest.raises(Refused, match=r"Nothing in the file is known as “code”\. Its fields are: foo, MC\."):
        recognised(REGISTERS["cell"], ("foo", "MC"), GeographyMapping())


def test_a_mapping_says_headings_words_and_what_holds_else(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(
        '[fields]\ncode = "BH"\nstate = ["ZT", "ZT2"]\n'
        '[words.state]\n"正常" = "intact"\n[defaults]\nunit = "101"\n',
        "utf-8",
    )
    mapping = read_geography_mapping(path, COMPONENT)
    found = recognised(COMPONENT, ("bh", "zt", "ZT2"), mapping)
    assert found == {"code": ("bh",), "state": ("zt", "ZT2")}
    assert mapping.words == {"state": {"正常": "intact"}}
    assert mapping.defaults == {"unit": "101"}
    with pytest.raises(Refused, match="no field “ZT2”"):
        recognised(COMPONENT, ("bh", "zt"), mapping)


@pytest.mark.parametrize(
    "text, words",
    [
        ("[felds]\n", "felds is not known"),
        ("[fields]\ncolour = 'x'\n", "fields.colour is no field"),
        ("[fields]\ncode = 7\n", "fields.code must be a heading"),
        ("[words]\nstate = 7\n", "words.state must be a table"),
        ("[defaults]\nunit = 7\n", "defaults.unit must be a text"),
        ("fields = 7\n", "fields must be a table"),
        ("not toml", "is not a TOML file"),
    ],
)
def test_every_fault_of_a_mapping_is_told_with_its_key(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(Refused) as refusal:
        read_geography_mapping(path, COMPONENT)
    assert words in refusal.value.text()


def test_unknown_kinds_and_missing_mappings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no kind of map data"):
        register_of("moon")
    with pytest.raises(Refused, match="cannot be read"):
        read_geography_mapping(tmp_path / "none.toml", COMPONENT)
