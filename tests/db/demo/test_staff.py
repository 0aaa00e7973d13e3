"""Units, people and competence in the demo city."""

from __future__ import annotations

from collections import Counter

from db.demo.city import City
from db.demo.staff import ACCOUNTS, PASSWORD, Competence, read_units, recruit
from db.people.rules import password_faults
from db.registers.reference import read_categories, read_roles


def test_every_class_has_a_unit_in_every_district(city: City) -> None:
    units = read_units()
    competence, codes = Competence(units), {unit.code for unit in units}
    for row in read_categories():
        if len(row.code) == 5:
            assert {competence.unit_of(row.code, town.code) for town in city.towns} <= codes


def test_street_order_belongs_to_the_districts_own_squad() -> None:
    competence = Competence(read_units())
    assert competence.unit_of("09010", "370481004") == "104"
    assert competence.unit_of("01037", "370481004") == "204"
    assert competence.unit_of("06036", "370481002") == "402"


def test_each_post_of_a_demo_account_is_filled_and_its_role_exists(city: City) -> None:
    posts = Counter((person.post, person.unit) for person in recruit(city, read_units(), 12))
    roles = {role.code for role in read_roles()}
    assert Counter((each.post, each.unit) for each in ACCOUNTS) <= posts
    assert {role for each in ACCOUNTS for role in each.roles} <= roles
    assert {each.district for each in ACCOUNTS} - {""} <= {town.code for town in city.towns}
    assert password_faults(PASSWORD) == []


def test_people_have_codes_of_their_own(city: City) -> None:
    codes = [person.code for person in recruit(city, read_units(), 200)]
    assert len(set(codes)) == len(codes)
