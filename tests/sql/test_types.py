"""Values of PostgreSQL's types: what Python has for them, and what it cannot have."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import Range

from mattermost_plugin import sql

UTC = timezone.utc


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'{1,NULL,-32768}'::int2[]", [1, None, -32768]),
        ("'{2147483647}'::int4[]", [2147483647]),
        ("'{9223372036854775807}'::int8[]", [2**63 - 1]),
        ("'{1.5,Infinity,-Infinity}'::float4[]", [1.5, math.inf, -math.inf]),
        ("'{0.1,1e300}'::float8[]", [0.1, 1e300]),
        ("'{1.50,12345678901234567890.1}'::numeric[]", [Decimal("1.50"), Decimal("12345678901234567890.1")]),
        ("'{t,f,NULL}'::bool[]", [True, False, None]),
        (
            r"""ARRAY['', 'a"b', 'a\b', '{}', ',', 'NULL', NULL, ' x ', E'\n', 'a;b', 'ü']""",
            ["", 'a"b', "a\\b", "{}", ",", "NULL", None, " x ", "\n", "a;b", "ü"],
        ),
        ("'{ab}'::varchar[]", ["ab"]),
        ("'{ab}'::char(3)[]", ["ab "]),
        ("'{a,b}'::name[]", ["a", "b"]),
        (r"ARRAY['\x00ff','\x']::bytea[]", [b"\x00\xff", b""]),
        ("'{2024-02-29,0001-01-01}'::date[]", [date(2024, 2, 29), date(1, 1, 1)]),
        ("'{10:00:00.5}'::time[]", [time(10, 0, 0, 500000)]),
        ("'{10:00+05:30}'::timetz[]", [time(10, tzinfo=timezone(timedelta(hours=5, minutes=30)))]),
        ("ARRAY['2024-01-01 10:00']::timestamp[]", [datetime(2024, 1, 1, 10)]),  # noqa: DTZ001
        ("ARRAY['2024-01-01 10:00+02', NULL]::timestamptz[]", [datetime(2024, 1, 1, 8, tzinfo=UTC), None]),
        ("ARRAY['-1 day 02:00']::interval[]", [timedelta(days=-1, hours=2)]),
        ("ARRAY['00000000-0000-0000-0000-000000000005']::uuid[]", [UUID(int=5)]),
        ("""ARRAY['{"a": [1, null]}', 'null']::jsonb[]""", [{"a": [1, None]}, None]),
        ("ARRAY['10.0.0.1']::inet[]", ["10.0.0.1"]),
        ("ARRAY['(3,4),(1,2)', '(7,8),(5,6)']::box[]", ["(3,4),(1,2)", "(7,8),(5,6)"]),
        ("'{{1,2},{3,NULL}}'::int[]", [[1, 2], [3, None]]),
        ("'[0:1]={5,6}'::int[]", [5, 6]),
        ("'{}'::int[]", []),
        ("NULL::int[]", None),
        ("array_fill('x'::text, ARRAY[2, 2, 2])", [[["x", "x"], ["x", "x"]], [["x", "x"], ["x", "x"]]]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_arrays_are_lists(connection: sql.Connection, expression: str, value: Any) -> None:
    [(found,)] = connection.execute(f"SELECT {expression}").fetchall()
    assert found == value
    # And back again.
    kind = connection.execute(f"SELECT pg_typeof({expression})::text").fetchall()[0][0]
    # But for what lists do not say: where an array begins, how long texts are, that boxes have semicolons.
    if value is not None and kind not in ("box[]", "character[]") and "[0:1]" not in expression:
        sent = [json.dumps(item) for item in value] if kind == "jsonb[]" else value
        assert connection.execute(f"SELECT %s::{kind} = {expression}", (sent,)).fetchall() == [(True,)]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("int4range(1, 5)", "[1,5)"),
        ("int8range(NULL, 5, '[]')", "(,6)"),
        ("numrange(1.5, 2.5, '(]')", "(1.5,2.5]"),
        ("daterange('2024-01-01', 'infinity')", "[2024-01-01,infinity)"),
        ("tsrange('2024-01-01', NULL)", '["2024-01-01 00:00:00",)'),
        ("tstzrange('2024-01-01Z', '2024-01-02Z')", '["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00")'),
        ("'empty'::int4range", "empty"),
        ("'{[1,2),[5,6)}'::int4multirange", "{[1,2),[5,6)}"),
        ("ARRAY[int4range(1, 2), NULL]", ["[1,2)", None]),
    ],
)
def test_ranges_are_texts(connection: sql.Connection, expression: str, text: Any) -> None:
    """SQLAlchemy makes objects of them."""
    assert connection.execute(f"SELECT {expression}").fetchall() == [(text,)]


RANGES = [
    (pg.INT4RANGE, Range(1, 5)),
    (pg.INT4RANGE, Range(empty=True)),
    (pg.INT8RANGE, Range(None, 2**40)),
    (pg.NUMRANGE, Range(Decimal("1.5"), Decimal("2.5"), bounds="(]")),
    (pg.DATERANGE, Range(date(2024, 1, 1), None)),
    (pg.TSRANGE, Range(datetime(2024, 1, 1, 10, 0, 0, 5), datetime(2024, 1, 2))),  # noqa: DTZ001
    (pg.TSTZRANGE, Range(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC), bounds="[]")),
    (pg.INT4MULTIRANGE, [Range(1, 2), Range(5, 6)]),
    (pg.DATEMULTIRANGE, [Range(date(2024, 1, 1), date(2024, 2, 1))]),
    (pg.ARRAY(pg.INT4RANGE), [Range(1, 2), None, Range(empty=True)]),
    (pg.ARRAY(pg.TSTZRANGE), [Range(datetime(2024, 1, 1, tzinfo=UTC), None)]),
]


@pytest.mark.parametrize(("kind", "value"), RANGES, ids=lambda value: repr(value)[:40])
def test_ranges_of_sqlalchemy_come_back_as_they_went(engine: sa.Engine, kind: Any, value: Any) -> None:
    table = sa.Table("ranges", sa.MetaData(), sa.Column("r", kind), prefixes=["TEMPORARY"])
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{"r": value}, {"r": None}])
        found = [row[0] for row in connection.execute(sa.select(table.c.r))]
        assert found == [value, None]
        if isinstance(value, Range) and not value.empty:
            assert connection.scalar(sa.select(sa.func.count()).where(table.c.r.contains(value))) == 1
        table.drop(connection)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'0001-01-01 00:00Z'::timestamptz", datetime(1, 1, 1, tzinfo=UTC)),
        (
            "'9999-12-31 23:59:59.999999Z'::timestamptz",
            datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        ),
        ("'2024-03-10 02:30:00.000001'::timestamp", datetime(2024, 3, 10, 2, 30, 0, 1)),  # noqa: DTZ001
        ("'1969-12-31 23:59:59.5Z'::timestamptz", datetime(1969, 12, 31, 23, 59, 59, 500000, tzinfo=UTC)),
        ("'2024-02-29'::date", date(2024, 2, 29)),
        ("'9999-12-31'::date", date(9999, 12, 31)),
        ("'23:59:59.999999'::time", time(23, 59, 59, 999999)),
        ("'00:00:00-15:59:59'::timetz", time(tzinfo=timezone(-timedelta(hours=15, minutes=59, seconds=59)))),
        ("'178956970 days'::interval", timedelta(days=178956970)),
        ("'-0.000001 s'::interval", timedelta(microseconds=-1)),
        ("NULL::timestamptz", None),
    ],
)
def test_times_at_the_edges(connection: sql.Connection, expression: str, value: Any) -> None:
    [(found,)] = connection.execute(f"SELECT {expression}").fetchall()
    assert (found, type(found)) == (value, type(value))
    assert getattr(found, "tzinfo", None) == getattr(value, "tzinfo", None)
    if value is not None:
        assert connection.execute(f"SELECT %s = {expression}", (value,)).fetchall() == [(True,)]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Africa/Monrovia"])
def test_moments_are_the_same_whatever_the_sessions_time_zone(connection: sql.Connection, zone: str) -> None:
    connection.execute(f"SET TIME ZONE '{zone}'")
    for moment in (datetime(2024, 7, 1, 12, tzinfo=UTC), datetime(1920, 1, 1, 12, tzinfo=UTC)):
        [(found,)] = connection.execute("SELECT %s", (moment,)).fetchall()
        assert found == moment
        assert found.tzinfo is not None


@pytest.mark.parametrize(
    "expression",
    [
        "'infinity'::timestamptz",
        "'-infinity'::timestamp",
        "'infinity'::date",
        "'0044-03-15 BC'::date",
        "'0001-12-31 23:00Z BC'::timestamptz",
        "'10000-01-01Z'::timestamptz",
        "'24:00'::time",
        "'infinity'::interval",
        "'178000000 years'::interval",
        "ARRAY['infinity']::timestamptz[]",
    ],
)
def test_times_that_python_does_not_have_are_an_error_that_says_what_to_do(
    connection: sql.Connection, expression: str
) -> None:
    with pytest.raises(sql.DataError, match="cast the column to text") as caught:
        connection.execute(f"SELECT {expression}")
    assert caught.value.sqlstate == "22008"
    text = "text[]" if expression.startswith("ARRAY") else "text"
    assert connection.execute(f"SELECT ({expression})::{text}").fetchall()  # the transaction goes on


def test_numbers_are_exact(connection: sql.Connection) -> None:
    digits = "1" * 200 + "." + "3" * 200
    row = connection.execute(
        f"SELECT {digits}::numeric, 1e400::numeric, 0.10::numeric, %s::numeric, 9007199254740993::int8",
        (Decimal(digits),),
    ).fetchone()
    assert row == (Decimal(digits), Decimal("1e400"), Decimal("0.10"), Decimal(digits), 9007199254740993)
    assert row is not None
    assert str(row[2]) == "0.10"
    special = connection.execute("SELECT 'NaN'::numeric, '-Infinity'::numeric, 'NaN'::float8").fetchone()
    assert special is not None
    assert (special[0].is_nan(), special[1], math.isnan(special[2])) == (True, Decimal("-Infinity"), True)


def test_what_has_no_type_of_its_own_in_python_is_a_text(connection: sql.Connection) -> None:
    row = connection.execute(
        "SELECT '10.0.0.0/8'::cidr, B'101', 'a b'::tsvector, ROW(1, 'a', NULL), point(1, 2), 1::money"
    ).fetchone()
    assert row == ("10.0.0.0/8", "101", "'a' 'b'", "(1,a,)", "(1,2)", "$1.00")


def test_types_of_the_databases_own_are_texts_and_their_domains_what_they_are_made_of(
    connection: sql.Connection,
) -> None:
    connection.execute("CREATE TYPE pg_temp.mood AS ENUM ('sad', 'happy'); CREATE DOMAIN pg_temp.day AS date")
    row = connection.execute("SELECT 'sad'::pg_temp.mood, '2024-01-01'::pg_temp.day").fetchone()
    assert row == ("sad", date(2024, 1, 1))
