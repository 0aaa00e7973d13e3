"""An account in words: its roles, where it may act, whether it is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from db.kernel.command import command_label, command_permissions
from db.kernel.language import N_, _, language
from db.live.directory import Directory
from db.people.queries import AccountLine, RoleLine

KINDS = {
    "component": N_("Components"),  # zh: 部件
    "matter": N_("Matters"),  # zh: 事项
}
AREA_KINDS = ("city", "district", "community", "patrol", "cell")
MOST_NAMES = 3


def role_names(line: AccountLine, roles: Mapping[str, RoleLine]) -> str:
    """What the account is, in one line."""
    names = [roles[code].label(language()) if code in roles else code for code in line.roles]
    # zh: 、
    return _(", ").join(names)


def area_name(directory: Directory, area_id: int) -> str:
    """What an area of any kind is called."""
    entry = directory.areas.get(area_id)
    return entry.label(language()) if entry is not None else str(area_id)


def class_name(directory: Directory, prefix: str) -> str:
    """The beginning of a class in words: "Matters", "Street order", or as it was written."""
    kind, _space, code = prefix.partition(" ")
    if not code:
        return _(KINDS.get(kind, kind))
    for entry in directory.majors.values():
        if entry.kind in ("", kind) and entry.code == code:
            return entry.label(language())
    return f"{_(KINDS.get(kind, kind))} {code}"


def scope_words(line: AccountLine, directory: Directory, most: int = MOST_NAMES) -> str:
    """Where it may act, in one line; ``most`` names of a part, of the others how many there are."""
    parts = [
        _few([area_name(directory, each) for each in line.areas], most),
        _few([directory.label("unit", each, language()) for each in line.units], most),
        _few([class_name(directory, each) for each in line.prefixes], most),
    ]
    if not line.units and line.keeps_to_own_unit:
        # zh: 本部门（{unit}）
        own = _("own unit: {unit}").format(unit=directory.label("unit", line.unit_id, language()))
        parts[1] = own
    # zh: 全市
    return _(" · ").join(part for part in parts if part) or _("everywhere")


def _few(names: Iterable[str], most: int) -> str:
    named = list(names)
    shown = _(", ").join(named[:most])
    if len(named) <= most:
        return shown
    # zh: {names}等 {count} 个
    return _("{names} and {count} more").format(names=shown, count=len(named) - most)


def permitted(permissions: Iterable[str]) -> str:
    """What permissions let one do: the commands by their names, sorted."""
    # What everybody in the room may do tells nothing of a role.
    wanted = set(permissions) - {"room.view"}
    labels = {
        _(command_label(name))
        for name, needed in command_permissions().items()
        if needed in wanted or "*" in wanted
    }
    return _(", ").join(sorted(labels))
