"""Statements as people write them: bodies of functions, and parameters wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from mattermost_plugin import sql
from mattermost_plugin.sql._lexer import parse
from mattermost_plugin.sql._parameters import numbered


@pytest.fixture
def people(connection: sql.Connection) -> Iterator[sql.Connection]:
    connection.execute(
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TEMP TABLE people "
        "(id int, name varchar(40), note text, mood mood, data jsonb, big bigint)"
    )
    yield connection
    connection.rollback()


BODIES = [
    "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a + 1; END",
    "CREATE OR REPLACE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT 1; "  # noqa: ISC004
    "SELECT CASE a WHEN 1 THEN 2 ELSE CASE WHEN a > 1 THEN 3 END END; END",
    'CREATE FUNCTION f(a int) RETURNS TABLE ("end" int) BEGIN ATOMIC SELECT a AS end; END',
    "create function f(a int) returns int begin atomic select s.case from (select a as case) s; end",
    "CREATE FUNCTION f(a int) RETURNS int BEGIN /* END; */ ATOMIC SELECT ';END' -- END;\n; SELECT a; END",
]


@pytest.mark.parametrize("body", BODIES)
def test_the_body_of_a_function_is_part_of_its_statement(connection: sql.Connection, body: str) -> None:
    assert parse(body).count == 1
    assert parse(f"{body}; SELECT 1; SELECT 2").count == 3
    connection.execute(f"{body}; SELECT 5")
    assert connection.execute("SELECT f(1) IS NOT NULL").fetchone() == (True,)
    connection.rollback()


def test_procedures_have_bodies_too(connection: sql.Connection, engine: sa.Engine) -> None:
    text = (
        "CREATE PROCEDURE p_make() LANGUAGE sql BEGIN ATOMIC INSERT INTO made VALUES (1); DELETE FROM made; "
        "INSERT INTO made VALUES (2); END"
    )
    connection.execute("CREATE TABLE made (id int)")
    connection.execute(text)
    connection.execute("CALL p_make()")
    assert connection.execute("SELECT id FROM made").fetchall() == [(2,)]
    connection.rollback()
    with engine.connect() as opened:
        opened.execute(sa.text("CREATE TABLE made (id int)"))
        opened.execute(sa.text(text))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT $$a;b$$, $x$ $$;$$ $x$",
        "SELECT E'a\\';b', 'c'';d'",
        "SELECT /* a /* ; */ ; */ 1 -- ;",
        'SELECT U&\'d\\0061t;a\', ";" FROM (SELECT 1 AS ";") s',
    ],
)
def test_semicolons_in_strings_and_comments_end_nothing(connection: sql.Connection, text: str) -> None:
    assert parse(text).count == 1
    connection.execute(text).fetchall()


def test_operators_keep_their_signs(connection: sql.Connection) -> None:
    text = "SELECT '{\"a\": 1}'::jsonb ? %s, 7 %% %s, '[1]'::jsonb @> %s"
    assert connection.execute(text, ("a", 4, [1] and "[1]")).fetchone() == (True, 3, True)


def test_a_name_may_stand_at_places_of_several_types(people: sql.Connection) -> None:
    people.execute(
        "INSERT INTO people (id, name, note, mood) VALUES (%(id)s, %(x)s, %(x)s, %(x)s)", {"id": 1, "x": "ok"}
    )
    people.cursor().executemany(
        "INSERT INTO people (id, name, note, big) VALUES (%(id)s, %(x)s, %(x)s, %(id)s)",
        [{"id": 2, "x": "b"}, {"id": 3, "x": None}],
    )
    with people.prepare("INSERT INTO people (id, name, note) VALUES (%(id)s, %(x)s, %(x)s)") as prepared:
        prepared.execute({"id": 4, "x": "p"})
    rows = people.execute("SELECT id, name, note, mood, big FROM people ORDER BY id").fetchall()
    assert rows == [
        (1, "ok", "ok", "ok", None),
        (2, "b", "b", None, 2),
        (3, None, None, None, 3),
        (4, "p", "p", None, None),
    ]


FILTERS = [
    "SELECT id FROM people WHERE (%(x)s IS NULL OR name = %(x)s)",
    "SELECT id FROM people WHERE (%(x)s IS NULL OR mood = %(x)s)",
    "SELECT id FROM people WHERE ((%(x)s)) IS NOT NULL AND note = %(x)s OR %(x)s ISNULL",
    "SELECT id FROM people WHERE name = coalesce(%(x)s, name)",
    "SELECT count(*) FROM people WHERE %(x)s IS NULL OR name = %(x)s GROUP BY name",
    "SELECT name || %(x)s, count(*) FROM people GROUP BY name || %(x)s",
    "SELECT jsonb_build_object('a', %(x)s), concat(%(x)s, name), format('%%s', %(x)s) FROM people",
    "SELECT %(x)s",
]


@pytest.mark.parametrize("value", [None, "ok"])
@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_may_be_absent(people: sql.Connection, text: str, value: str | None) -> None:
    people.execute("INSERT INTO people (id, name, note, mood) VALUES (1, 'ok', 'ok', 'ok')")
    people.execute(text, {"x": value}).fetchall()
    positional = text.replace("%(x)s", "%s")
    if "GROUP BY name ||" not in text:
        people.execute(positional, [value] * positional.replace("%%", "").count("%s")).fetchall()
    with people.prepare(text) as prepared:
        prepared.execute({"x": value}).fetchall()


@pytest.mark.parametrize("value", [None, "ok"])
def test_a_filter_of_sqlalchemy_may_be_absent(engine: sa.Engine, value: str | None) -> None:
    with engine.connect() as opened:
        text = sa.text("SELECT 1 WHERE (:x IS NULL OR 'ok' = :x)")
        assert opened.execute(text, {"x": value}).fetchall() == [(1,)]
        opened.execute(sa.text("CREATE TEMP TABLE pairs (a varchar(9), b text, c int)"))
        text = sa.text("INSERT INTO pairs VALUES (:x, :x, :n)")
        opened.execute(text, {"x": value, "n": 1})
        opened.execute(text, [{"x": value, "n": 2}, {"x": "more", "n": 3}])
        rows = opened.execute(sa.text("SELECT a, b FROM pairs ORDER BY c")).fetchall()
        assert rows == [(value, value), (value, value), ("more", "more")]


def test_a_value_whose_type_is_known_is_one_parameter() -> None:
    text, values = numbered("SELECT %(n)s + %(n)s, %(s)s, %(s)s", {"n": 1, "s": "a"})
    assert (text, values) == ("SELECT $1::int4 + $1::int4, $2, $3", [1, "a", "a"])


@pytest.mark.parametrize("text", ["SELECT 'x' %s", "SELECT 1 %d"])
def test_places_that_do_not_match_are_refused(connection: sql.Connection, text: str) -> None:
    with pytest.raises(sql.ProgrammingError):
        connection.execute(text, ())


def test_nothing_needs_nothing(connection: sql.Connection) -> None:
    values: dict[str, Any] = {}
    assert connection.execute("SELECT 1", values).fetchone() == (1,)
