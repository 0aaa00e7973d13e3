"""Whether a person may act on a case, and to whom he or she may give it, asked below the screens for every
command: area, unit and class.

Moves and remarks ask in ``db.cases.commands.moving``; what else writes about a case calls ``demand_reach``;
what gives cases to a unit calls ``demand_target``.
A test walks all registered commands. New reports are taken from anywhere: who hears of something writes it
down, what is done with it then is bound. Reading is not bound.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, Table, select

from db.cases.tables import case, involved
from db.engine.among import among
from db.kernel.actor import Actor
from db.kernel.language import N_, language
from db.kernel.refusal import Refused, refuse_all
from db.people.tables import unit as unit_table
from db.registers.tables import category

CaseRow = Mapping[str, Any]
OUT_OF_SCOPE = "out_of_scope"
_AREAS = ("district_id", "community_id", "patrol_id", "cell_id")
_WHY = {
    # zh: {who} 无权处理这一区域的案件。
    "area": N_("{who} may not act on cases in this area."),
    # zh: {who} 无权处理这个部门的案件。
    "unit": N_("{who} may not act on the cases of this unit."),
    # zh: {who} 无权处理这一类别的案件。
    "category": N_("{who} may not act on cases of this class."),
}
# zh: {who} 不能派给{unit}：不在其管辖的部门之内，也不是其上级。
_NOT_OWN = N_("{who} may not give cases to {unit}: it is neither within the own units nor above them.")
# zh: {who} 不能派给{unit}：按责任清单，它在其管辖区域内没有职责。
_NOT_HERE = N_("{who} may not give cases to {unit}: by the list of duties it answers for nothing there.")
# zh: 尚无部门承办，{who} 只能处理本部门的案件。
_NO_UNIT = N_("No unit has it, and {who} may act only on the cases of certain units.")


def out_of_scope(
    actor: Actor, row: CaseRow, class_code: str, helpers: Collection[int] = ()
) -> Refused | None:
    """Why a person may not act on a case; ``None`` when he or she may. Pure.

    ``row`` needs ``unit_id`` and the ids of the areas, none as ``None`` or 0; ``class_code`` is the kind of
    its class, a space and the code; ``helpers`` are the units that help with it.
    """
    units = {*helpers, row["unit_id"]} - {None, 0}
    missing = actor.scope.lacks({row[name] for name in _AREAS} - {None, 0}, units, class_code)
    if not missing:
        return None
    why = _NO_UNIT if missing == "unit" and not units else _WHY[missing]
    return Refused(OUT_OF_SCOPE, why, who=actor.name)


def beyond(connection: Connection, actor: Actor, rows: Iterable[CaseRow]) -> dict[int, Refused]:
    """Of rows of cases, those that a person may not act on, by id. Costs nothing where nothing is bound."""
    scope = actor.scope
    if scope.is_everywhere:
        return {}
    asked = list(rows)
    codes = class_codes(connection) if scope.prefixes else {}
    foreign = [row["id"] for row in asked if row["unit_id"] not in scope.units] if scope.units else []
    helpers = _helpers(connection, foreign)
    found: dict[int, Refused] = {}
    for row in asked:
        code = codes.get(row["category_id"], "")
        why = out_of_scope(actor, row, code, helpers.get(row["id"], ()))
        if why is not None:
            found[row["id"]] = why
    return found


def beyond_target(actor: Actor, unit_id: int, name: str) -> Refused | None:
    """Why a person may not give cases to a unit (called ``name``); ``None`` when he or she may. Pure."""
    if actor.may_give_to(unit_id):
        return None
    units = actor.scope.units
    why = _NOT_OWN if units and unit_id not in units else _NOT_HERE
    return Refused(OUT_OF_SCOPE, why, who=actor.name, unit=name)


class Looking(Protocol):
    """A unit of work, or whatever else reads rows for somebody."""

    @property
    def connection(self) -> Connection: ...
    @property
    def actor(self) -> Actor: ...
    def rows(self, table: Table, ids: Sequence[int]) -> dict[int, dict[str, Any]]: ...


def demand_reach(view: Looking, case_ids: Iterable[int]) -> None:
    """Refuse what is asked about cases that lie beyond the scope of who asks; tells each of them."""
    if view.actor.scope.is_everywhere:
        return
    rows = view.rows(case, list(case_ids))
    refuse_all(
        [
            Refused(why.code, N_("{number}: {why}"), number=rows[case_id]["number"], why=why)
            for case_id, why in beyond(view.connection, view.actor, rows.values()).items()
        ]
    )


def demand_target(view: Looking, unit_id: int) -> None:
    """Refuse a unit that is not there or no longer active, or that lies beyond the scope of who gives."""
    columns = (unit_table.c.name, unit_table.c.name_en)
    found = select(*columns).where(unit_table.c.id == unit_id, unit_table.c.active)
    row = view.connection.execute(found).first()
    if row is None:
        raise Refused("no_such_unit", N_("There is no such unit, or it is no longer active."))
    name = row.name_en if language() == "en" and row.name_en else row.name
    if (why := beyond_target(view.actor, unit_id, name)) is not None:
        raise why


def class_codes(connection: Connection, ids: Collection[int] | None = None) -> dict[int, str]:
    """Kind and code of classes, all or some, as scopes and duties name them: "matter 09006"."""
    query = select(category.c.id, category.c.kind, category.c.code)
    rows = connection.execute(query if ids is None else query.where(category.c.id.in_(list(ids))))
    return {row.id: f"{row.kind} {row.code}" for row in rows}


def _helpers(connection: Connection, case_ids: Collection[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    if case_ids:
        query = select(involved.c.case_id, involved.c.unit_id).where(
            among(involved.c.case_id, case_ids), involved.c.role == "helper", involved.c.until.is_(None)
        )
        for row in connection.execute(query):
            found[row.case_id].add(row.unit_id)
    return found
