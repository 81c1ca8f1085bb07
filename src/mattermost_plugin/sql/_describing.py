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
    "plan_of",
]

TIME_TYPES = frozenset({"DATE", "TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ"})

# Result types of prepared statements are known since PostgreSQL 16; domains are followed to what they are
# made of.
_RESULT_TYPES = """
SELECT array_to_string(array(
    WITH RECURSIVE types(number, type, base) AS (
        SELECT r.number, t.oid, t.typbasetype
        FROM unnest(p.result_types) WITH ORDINALITY AS r(type, number)
        JOIN pg_catalog.pg_type t ON t.oid = r.type
        UNION ALL
        SELECT types.number, t.oid, t.typbasetype FROM types JOIN pg_catalog.pg_type t ON t.oid = types.base
    )
    SELECT CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN upper(t.typname) ELSE '' END
    FROM types JOIN pg_catalog.pg_type t ON t.oid = types.type WHERE types.base = 0 ORDER BY types.number
), ' ') FROM pg_catalog.pg_prepared_statements p WHERE p.name = '{name}'
"""


class Plan(NamedTuple):
    """How a statement is run.

    Attributes:
        sql: What is sent.
        types: Types of its columns, if it is wrapped; then there are as many columns behind them, of the
            statement's own names and types, which are not fetched.
    """

    sql: str
    types: tuple[str, ...] | None

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


def describe_by_prepare(statement: Statement) -> tuple[str, int]:
    """Return a script whose one row is the types of a statement's columns, and where that begins in it."""
    name = "_mattermost_plugin_describe"
    head = f"PREPARE {name} AS "
    return f"{head}{statement.text}\n;{_RESULT_TYPES.format(name=name)}; DEALLOCATE {name}", len(head)


def plan_of(statement: Statement, types: Sequence[str]) -> Plan:
    """Return how to run a statement whose columns are known."""
    if TIME_TYPES.isdisjoint(types):
        return Plan(statement.text, None)
    names = [f"c{number}" for number in range(len(types))]
    columns = ", ".join(
        f"_v.{name}::text" if kind in TIME_TYPES else f"_v.{name}"
        for name, kind in zip(names, types, strict=True)
    )
    # All columns twice: by names of ours, because the author's need not be unique, and as they are, but null,
    # so that their values are neither computed nor sent a second time.
    source = (
        f"_s CROSS JOIN LATERAL (SELECT _s.*) AS _v({', '.join(names)}) "
        "LEFT JOIN LATERAL (SELECT _s.*) AS _n ON false"
    )
    text = statement.text
    if statement.main:
        head, main = text[: statement.main], text[statement.main :]
        return Plan(f"{head.rstrip()}, _s AS (\n{main}\n) SELECT {columns}, _n.* FROM {source}", tuple(types))
    if statement.changes:
        return Plan(f"WITH _s AS (\n{text}\n) SELECT {columns}, _n.* FROM {source}", tuple(types))
    return Plan(f"SELECT {columns}, _n.* FROM (\n{text}\n) AS {source}", tuple(types))
