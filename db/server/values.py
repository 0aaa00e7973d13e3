"""What a server notes of every row that a member writes, in the words in which the journal has to tell it.

One trigger function for each journaled table, made from its columns, so that a statement costs one look at
its rows; ``jw_demand_true`` (guard.sql) holds the notes against the entries at the commit.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, Float, LargeBinary, String, Table, Time

from db.engine.columns import Json
from db.engine.tables import metadata
from db.server.rights import JOURNALED

UNTOLD = {"account": ("password_hash",)}
"""Columns whose values nobody compares: the server keeps none (``jw_blank_password``)."""


def note_functions() -> list[str]:
    """The statements that make, for each journaled table, ``jw_plain`` (what a row is) and the trigger."""
    tables = [metadata.tables[name] for name in JOURNALED]
    return [*map(_plain, tables), *map(_note, tables)]


def note_function(table: str) -> str:
    """The name of the trigger function of a table."""
    return f"jw_note_{table}"


def told(table: Table) -> list[Column[object]]:
    """The columns of a table whose values the journal tells, in the order in which it does."""
    untold = UNTOLD.get(table.name, ())
    return sorted((column for column in table.c if column.name not in untold), key=lambda each: each.name)


def _json(column: Column[object], row: str) -> str:
    """SQL of a value as the JSON that an entry has for it (db/engine/columns.py); NULL for none.

    None of it may depend on a setting of the session, or whoever is asked could choose the answer.
    """
    name = f"{row}.{column.name}"
    kind = column.type
    if column.info.get("private"):
        return f"to_json(jw_keyed({name}))::text"
    if isinstance(kind, Json):
        # Read and written anew: broken JSON must not run on into what follows it.
        return f"{name}::jsonb::text"
    if isinstance(kind, LargeBinary):
        return f"to_json(translate(encode({name}, 'base64'), E'\\n', ''))::text"
    if isinstance(kind, Time):
        return f"to_json(replace(to_char({name}, 'HH24:MI:SS.US'), '.000000', ''))::text"
    if isinstance(kind, String | Date | Float):
        return f"to_json({name})::text"
    return f"{name}::text"


def _or_null(column: Column[object], row: str) -> str:
    return f"coalesce({_json(column, row)}, 'null')" if column.nullable else _json(column, row)


def _line(row: str, cells: list[str]) -> str:
    listed = ",\n            ".join(cells)
    return f"'[' || {row}.id || ',{{' || concat_ws(',',\n            {listed}) || '}}]'"


def _plain(table: Table) -> str:
    cells = ", ".join(f"'\"{column.name}\":' || {_json(column, 'r')}" for column in told(table))
    return (
        f"CREATE OR REPLACE FUNCTION jw_plain(r {table.name}) RETURNS jsonb LANGUAGE sql STABLE"
        f" AS $$ SELECT ('{{' || concat_ws(',', {cells}) || '}}')::jsonb $$"
    )


def _whole(columns: list[Column[object]], row: str, cells: list[str]) -> str:
    """The lines with what is null besides; none where nothing can be."""
    if not any(column.nullable for column in columns):
        return "NULL"
    listed = [
        f"coalesce({cell}, '\"{column.name}\":[null,null]')" if column.nullable else cell
        for column, cell in zip(columns, cells, strict=True)
    ]
    return f"array_agg({_line(row, listed)})"


def _note(table: Table) -> str:
    columns = told(table)
    came = [f"'\"{column.name}\":[null,' || {_json(column, 'n')} || ']'" for column in columns]
    went = [f"'\"{column.name}\":[' || {_json(column, 'o')} || ',null]'" for column in columns]
    whole_came, whole_went = (_whole(columns, row, cells) for row, cells in (("n", came), ("o", went)))
    changed = [
        f"CASE WHEN o.{column.name} IS DISTINCT FROM n.{column.name}"
        f" THEN '\"{column.name}\":[' || {_or_null(column, 'o')} || ',' || {_or_null(column, 'n')} || ']' END"
        for column in columns
        if not column.primary_key
    ]
    digits = " SET extra_float_digits = 1" if any(isinstance(c.type, Float) for c in columns) else ""
    # Only names of our own go into it.
    return f"""
CREATE OR REPLACE FUNCTION {note_function(table.name)}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp{digits} AS $note$
DECLARE
    found bigint[];
    told text[];
    whole text[];
BEGIN
    IF jw_is_owner() THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(n.id), array_agg({_line("n", came)}),
            {whole_came}
        INTO found, told, whole FROM changed n;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(o.id), array_agg({_line("o", went)}),
            {whole_went}
        INTO found, told, whole FROM changed o;
    ELSE
        SELECT array_agg(n.id), array_agg({_line("n", changed)})
        INTO found, told FROM was o JOIN changed n ON n.id = o.id;
        IF coalesce(cardinality(found), 0) <> (SELECT count(*) FROM was) THEN
            PERFORM jw_refuse('number_fixed', 'The number of a row never changes.');
        END IF;
    END IF;
    IF found IS NOT NULL THEN
        INSERT INTO jw_written (operation, relation, ids, lines, wholes)
        VALUES (left(TG_OP, 1), '{table.name}', found, told, whole);
    END IF;
    RETURN NULL;
END $note$"""  # noqa: S608
