"""What a statement is, told without parsing it."""

from __future__ import annotations

import pytest

from mattermost_plugin.errors import ProgrammingError
from mattermost_plugin.sql._describing import plan_of
from mattermost_plugin.sql._lexer import parse


@pytest.mark.parametrize(
    ("sql", "verb", "rows", "changes"),
    [
        ("select 1", "SELECT", True, False),
        ("/* a /* b */ c */ -- x\n select ';' ; ", "SELECT", True, False),
        ("(select 1) union select 2", "(", True, False),
        ("values (1)", "VALUES", True, False),
        ("insert into t values ('returning')", "INSERT", False, True),
        ("insert into t values ($a$;$a$) returning id", "INSERT", True, True),
        ("with x as (select 1) select * from x", "SELECT", True, False),
        ("with x as (delete from t returning a) select * from x", "SELECT", True, True),
        ("with recursive x(n) as (select 1) update t set a = n from x", "UPDATE", False, True),
        ("select 1 into t2", "SELECT", False, False),
        ("create table t (a int)", "CREATE", False, False),
        ("show timezone", "SHOW", True, False),
    ],
)
def test_a_statement_is_told_by_its_words(sql: str, verb: str, rows: bool, changes: bool) -> None:
    found = parse(sql)
    assert (found.count, found.verb, found.rows, found.changes) == (1, verb, rows, changes)


def test_statements_are_counted_where_a_semicolon_stands_alone() -> None:
    assert parse("select ';'; select $$;$$; select \";\" from t -- ;\n;").count == 3
    assert parse(" ; ; ").count == 0


@pytest.mark.parametrize(
    "sql", ["commit", "BEGIN", "rollback work", "select 1; end", "prepare transaction 'x'"]
)
def test_transactions_are_left_to_the_connection(sql: str) -> None:
    with pytest.raises(ProgrammingError, match=r"commit\(\)"):
        parse(sql)


@pytest.mark.parametrize("sql", ["rollback to savepoint a", "savepoint a", "release a"])
def test_savepoints_are_statements(sql: str) -> None:
    assert parse(sql).count == 1


@pytest.mark.parametrize("sql", ["select 'x", 'select "x', "select $a$ x", "/* x"])
def test_what_has_no_end_is_an_error(sql: str) -> None:
    with pytest.raises(ProgrammingError):
        parse(sql)


def test_a_statement_is_wrapped_only_for_dates_and_times() -> None:
    statement = parse("select 1, now()")
    assert plan_of(statement, ["INT4", "TEXT"]).sql == statement.text
    assert "to_json(_v.c1)" in plan_of(statement, ["INT4", "TIMESTAMPTZ"]).sql
