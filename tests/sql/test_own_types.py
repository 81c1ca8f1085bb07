"""Arrays of types that the database defines, and sessions that write values in other ways."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mattermost_plugin import sql
from mattermost_plugin.sql._intervals import interval_of

TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'a,"b');
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE DOMAIN money_like AS numeric(10, 2);
CREATE DOMAIN words AS text[];
CREATE DOMAIN more_positive AS positive;
CREATE TYPE pair AS (x int, y text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TYPE int4 AS ENUM ('not a number');
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("ARRAY['sad', 'a,\"b', NULL]::mood[]", ["sad", 'a,"b', None]),
        ("ARRAY[['sad'], ['ok']]::mood[]", [["sad"], ["ok"]]),
        ("'{}'::mood[]", []),
        ("NULL::mood[]", None),
        ("ARRAY[1, 2]::positive[]", [1, 2]),
        ("ARRAY[3]::more_positive[]", [3]),
        ("ARRAY[1.5]::money_like[]", [Decimal("1.50")]),
        ("ARRAY['a', 'b c']::words", ["a", "b c"]),
        ("ARRAY[ARRAY['a', 'b c']::words, ARRAY['d']::words]::words[]", [["a", "b c"], ["d"]]),
        ("ARRAY[ROW(1, 'a b')::pair, NULL]", ['(1,"a b")', None]),
        ("ARRAY['[1,2)']::span[]", ["[1,2)"]),
        ("ARRAY['[1,3)', 'empty']::int4range[]", ["[1,3)", "empty"]),
        ("ARRAY['not a number']::public.int4[]", ["not a number"]),
        ("'ok'::mood", "ok"),
        ("ROW(1, 'x')::pair", "(1,x)"),
    ],
)
@pytest.mark.parametrize(
    "form", ["SELECT {}", "WITH a AS (SELECT {} AS v) SELECT v, now() FROM a", "prepared"]
)
def test_arrays_of_own_types_are_lists(
    connection: sql.Connection, form: str, expression: str, value: Any
) -> None:
    connection.execute(TYPES)
    if form == "prepared":
        with connection.prepare(f"SELECT {expression}") as statement:
            found = statement.execute().fetchone()
    else:
        found = connection.execute(form.format(expression)).fetchone()
    assert found is not None
    assert found[0] == value
    connection.rollback()


def test_they_are_so_where_rows_are_changed_and_when_the_type_is_made_anew(
    connection: sql.Connection,
) -> None:
    for item in ("x", "y"):
        connection.execute(f"CREATE TYPE one AS ENUM ('{item}'); CREATE TEMP TABLE t (v one[], d date)")
        inserted = connection.execute("INSERT INTO t VALUES (%s, '2026-01-02') RETURNING v, d", ([item],))
        if connection.server_version >= 160000:
            assert inserted.fetchall() == [([item], date(2026, 1, 2))]
        assert connection.execute("SELECT v FROM t").fetchall() == [([item],)]
        connection.execute("DROP TABLE t; DROP TYPE one")
    connection.rollback()


STYLES = ["postgres", "postgres_verbose", "sql_standard", "iso_8601"]


@pytest.mark.parametrize("style", STYLES)
@given(months=st.integers(-30, 30), days=st.integers(-400, 400), micros=st.integers(-(10**13), 10**13))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_intervals_are_the_same_in_every_style(
    connection: sql.Connection, style: str, months: int, days: int, micros: int
) -> None:
    connection.execute(f"SET IntervalStyle = {style}")
    text = f"'{months:+} months {days:+} days {micros:+} microseconds'::interval"
    [(one, many)] = connection.execute(f"SELECT {text}, ARRAY[{text}]").fetchall()
    years, rest = divmod(abs(months), 12)
    sign = -1 if months < 0 else 1
    expected = timedelta(days=sign * (years * 365 + rest * 30) + days, microseconds=micros)
    assert (one, many) == (expected, [expected])
    connection.rollback()


@pytest.mark.parametrize("text", ["", "infinity", "@ 1 fortnight", "P1X", "1-2-3", "PT1Y"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(sql.DataError, match="cast the column to text"):
        interval_of(text)


@pytest.mark.parametrize("style", ["ISO, DMY", "SQL, DMY", "German", "Postgres, MDY"])
def test_dates_are_the_same_in_every_style(connection: sql.Connection, style: str) -> None:
    connection.execute(f"SET DateStyle = '{style}'; SET TIME ZONE 'UTC'")
    text = "'2026-02-03'::date, '2026-02-03 04:05:06.789'::timestamp, '2026-02-03 04:05:06+02'::timestamptz"
    [(day, at, aware)] = connection.execute(f"SELECT {text}").fetchall()
    assert (day, at) == (date(2026, 2, 3), datetime(2026, 2, 3, 4, 5, 6, 789000))  # noqa: DTZ001
    assert aware.isoformat() == "2026-02-03T02:05:06+00:00"
    connection.rollback()


@pytest.mark.parametrize("output", ["hex", "escape"])
@given(data=st.binary(max_size=40))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_are_the_same_in_every_output(connection: sql.Connection, output: str, data: bytes) -> None:
    connection.execute(f"SET bytea_output = {output}")
    found = connection.execute("SELECT %s::bytea, ARRAY[%s]::bytea[]", (data, data)).fetchone()
    assert found == (data, [data])
    connection.rollback()
