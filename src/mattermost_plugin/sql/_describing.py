"""Keeps dates and times from travelling as such.

Mattermost's RPC sends the values of a row inside interfaces, and gob refuses a `time.Time` there: such a row
would end the plugin's connection to the server's database for good. So columns of these types are cast to
text in the database, by a statement around the author's, and become `datetime` objects here. What the
columns are is asked before a statement is run for the first time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mattermost_plugin.sql._lexer import Statement

__all__ = [
    "TIME_TYPES",
    "Plan",
    "describe_by_prepare",
    "describe_by_select",
    "describe_unknown",
    "plan_of",
    "read_types",
]

TIME_TYPES = frozenset({"DATE", "TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ"})

# What the driver calls a type, and what its values are: `INT4:INT4`, `_INT4:_INT4`, `:_` for an array of a
# type of the database's own. Domains are followed to what they are made of, also within arrays. Where items
# of an array have something else than a comma between them, that stands for their type.
_TYPES = """
array_to_string(array(
    WITH RECURSIVE types(number, type, named, items) AS (
        SELECT r.number, r.type, true, '' FROM unnest({source}) WITH ORDINALITY AS r(type, number)
        UNION ALL
        SELECT types.number, coalesce(nullif(t.typbasetype, 0), t.typelem),
            types.named AND t.typtype = 'd', types.items || CASE t.typtype WHEN 'd' THEN '' ELSE '_' END
        FROM types JOIN pg_catalog.pg_type t ON t.oid = types.type
        WHERE t.typtype = 'd' OR EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
    )
    SELECT coalesce(max({name}) FILTER (WHERE types.named AND t.typtype <> 'd'), '') || ':'
        || (array_agg(types.items || CASE
                WHEN {name} <> '' THEN {name}
                WHEN types.items <> '' AND t.typdelim <> ',' THEN t.typdelim::text
                ELSE '' END ORDER BY length(types.items) DESC, types.named))[1]
    FROM types JOIN pg_catalog.pg_type t ON t.oid = types.type
    WHERE t.typtype <> 'd' GROUP BY types.number ORDER BY types.number
), ' ')
""".replace(
    "{name}", "CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN upper(t.typname) ELSE '' END"
)


class Plan(NamedTuple):
    """How a statement is run.

    Attributes:
        sql: What is sent.
        types: Types of its columns, if it is wrapped; then there are as many columns behind them, of the
            statement's own names and types, which are not fetched.
        kinds: What the values of its columns are, where the driver does not know all types; else None.
    """

    sql: str
    types: tuple[str, ...] | None
    kinds: tuple[str, ...] | None = None

    @property
    def columns(self) -> int:
        """How many columns are fetched; 0: all."""
        return len(self.types) if self.types is not None else 0

    def fits(self, types: Sequence[str]) -> bool:
        """Whether a result has the columns that were expected, and can be fetched."""
        if self.types is None:
            return TIME_TYPES.isdisjoint(types)
        return tuple(types[len(self.types) :]) == self.types


def describe_by_select(statement: Statement) -> str:
    """Return a query with the columns of a statement that only reads, and no rows."""
    return f"SELECT * FROM (\n{statement.text}\n) AS _s LIMIT 0"


def describe_unknown(statement: Statement, columns: int) -> str:
    """Return a query whose one value is the types of a statement's columns; see `read_types`."""
    names = [f"c{number}" for number in range(columns)]
    source = f"ARRAY[{', '.join(f'pg_typeof(_s.{name})::oid' for name in names)}]"
    return (
        f"SELECT {_TYPES.format(source=source)} FROM (SELECT) AS _o LEFT JOIN (\n{statement.text}\n) "
        f"AS _s({', '.join(names)}) ON false"
    )


def read_types(text: str) -> tuple[list[str], tuple[str, ...]]:
    """Return what the driver calls the types of columns, and what their values are."""
    pairs = [pair.partition(":") for pair in text.split(" ")]
    return [name for name, _, _ in pairs], tuple(kind for _, _, kind in pairs)


def describe_by_prepare(statement: Statement) -> tuple[str, int]:
    """Return a script whose one row is the types of a statement's columns, and where that begins in it."""
    name = "_mattermost_plugin_describe"
    head = f"PREPARE {name} AS "
    types = _TYPES.format(source="p.result_types::oid[]")
    asked = f"SELECT {types} FROM pg_catalog.pg_prepared_statements p WHERE p.name = '{name}'"
    return f"{head}{statement.text}\n;{asked}; DEALLOCATE {name}", len(head)


# Written in ISO format whatever the session's DateStyle is.
_DATED = frozenset({"DATE", "TIMESTAMP", "TIMESTAMPTZ"})


def _fetched(name: str, kind: str) -> str:
    if kind in _DATED:
        return f"to_json({name})#>>'{{}}'"
    return f"{name}::text" if kind in TIME_TYPES else name


def plan_of(statement: Statement, types: Sequence[str], kinds: tuple[str, ...] | None = None) -> Plan:
    """Return how to run a statement whose columns are known."""
    if TIME_TYPES.isdisjoint(types):
        return Plan(statement.text, None, kinds)
    names = [f"c{number}" for number in range(len(types))]
    columns = ", ".join(_fetched(f"_v.{name}", kind) for name, kind in zip(names, types, strict=True))
    # All columns twice: by names of ours, because the author's need not be unique, and as they are, but null,
    # so that their values are neither computed nor sent a second time.
    source = (
        f"_s CROSS JOIN LATERAL (SELECT _s.*) AS _v({', '.join(names)}) "
        "LEFT JOIN LATERAL (SELECT _s.*) AS _n ON false"
    )
    text = statement.text
    if statement.main:
        head, main = text[: statement.main], text[statement.main :]
        return Plan(
            f"{head.rstrip()}, _s AS (\n{main}\n) SELECT {columns}, _n.* FROM {source}", tuple(types), kinds
        )
    if statement.changes:
        return Plan(f"WITH _s AS (\n{text}\n) SELECT {columns}, _n.* FROM {source}", tuple(types), kinds)
    return Plan(f"SELECT {columns}, _n.* FROM (\n{text}\n) AS {source}", tuple(types), kinds)
