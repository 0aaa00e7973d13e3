"""The roles that something can be shared with are read with their names."""

from __future__ import annotations

from db.desk.queries import roles
from tests.db.desk.conftest import Desk


def test_roles_have_names_in_both_languages(desk: Desk) -> None:
    with desk.core.database.read() as connection:
        named = {one.code: (one.label("zh_CN"), one.label("en")) for one in roles(connection)}
    assert named["dispatcher"] == ("派遣员", "Dispatcher")
