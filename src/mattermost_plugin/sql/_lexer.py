"""As much of PostgreSQL's syntax as it takes to tell what a statement is, without parsing it."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from mattermost_plugin.errors import ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Statement", "parse", "tokens"]

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*)
    |(?P<comment>/\*)
    |(?P<string>[eE]'(?:[^'\\]|\\.|'')*'|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'|(?:[uU]&)?"(?:[^"]|"")*")
    |(?P<dollar>\$(?:[^\W\d]\w*)?\$)
    |(?P<word>[^\W\d][\w$]*)
    |(?P<other>\d[\w.]*|\$\d+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_MAIN = frozenset({"SELECT", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"})
_CHANGING = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_READING = frozenset({"SELECT", "VALUES", "TABLE", "("})
# Statements with rows of types that are not known before they run.
_OTHER_ROWS = frozenset({"SHOW", "EXPLAIN", "FETCH", "EXECUTE", "CALL"})
_TRANSACTION = frozenset({"BEGIN", "START", "COMMIT", "END", "ABORT", "ROLLBACK"})
_SCHEMA = frozenset({"CREATE", "ALTER", "DROP", "SET", "RESET", "DISCARD", "DO"})


class Statement(NamedTuple):
    """What a text in SQL is.

    Attributes:
        text: The statement without a semicolon at its end.
        count: How many statements it is.
        verb: Its first keyword, after `WITH` the main one; `(` for a select in parentheses.
        main: With `WITH`: where the main statement begins; else 0.
        changes: It is, or its `WITH` may have, an INSERT, UPDATE, DELETE or MERGE.
        rows: It returns rows.
        schema: It may change what other statements return.
    """

    text: str
    count: int  # type: ignore[assignment] # hides tuple.count, which nobody needs here
    verb: str
    main: int
    changes: bool
    rows: bool
    schema: bool

    @property
    def wrappable(self) -> bool:
        """Whether it can stand inside another statement."""
        return self.count == 1 and self.rows and (self.verb in _READING or self.verb in _CHANGING)


class _Word(NamedTuple):
    text: str
    start: int
    depth: int


@lru_cache(maxsize=1000)
def parse(sql: str) -> Statement:
    """Return what a text in SQL is.

    Raises:
        ProgrammingError: A string, identifier or comment has no end; or it ends or begins a transaction, or
            moves data by COPY, which has to be done in another way.
    """
    found: list[Statement] = []
    words: list[_Word] = []
    start = depth = 0
    body = _Body()
    for token in (*tokens(sql), _Word(";", len(sql), -1)):
        body.follow(words, token.text)
        if token.text == "(":
            words.append(_Word("(", token.start, depth))
            depth += 1
        elif token.text == ")":
            depth -= 1
        elif token.text == ";" and ((depth <= 0 and not body.open) or token.depth < 0):
            if words:
                found.append(_statement(sql[start : token.start], start, words))
            words, start, depth, body = [], token.start + 1, 0, _Body()
        else:
            words.append(_Word(token.text, token.start, depth))
    if len(found) == 1:
        return found[0]
    return Statement(
        text=sql,
        count=len(found),
        verb=found[0].verb if found else "",
        main=0,
        changes=any(one.changes for one in found),
        rows=any(one.rows for one in found),
        schema=any(one.schema for one in found),
    )


class _Body:
    """Tells whether a `CREATE FUNCTION` or `CREATE PROCEDURE` is within its `BEGIN ATOMIC ... END`.

    There, semicolons are between the statements of the body.
    """

    def __init__(self) -> None:
        self._ends = 0  # how many END are to come: that of the body, and those of CASE

    @property
    def open(self) -> bool:
        return self._ends > 0

    def follow(self, before: list[_Word], word: str) -> None:
        """Take note of the next word of a statement that has the words `before`."""
        last = before[-1].text if before else ""
        if self._ends and last in ("AS", "."):
            return  # a name, which may be called like a keyword
        if self._ends:
            self._ends += {"CASE": 1, "END": -1}.get(word, 0)
        elif word == "ATOMIC" and last == "BEGIN" and before[0].text == "CREATE":
            self._ends = 1 if {"FUNCTION", "PROCEDURE"} & {one.text for one in before[1:4]} else 0


def tokens(sql: str) -> Iterator[_Word]:
    """Return the words and marks of a text in SQL, each string and quoted name as one.

    Raises:
        ProgrammingError: A string, identifier or comment has no end.
    """
    at, end = 0, len(sql)
    while at < end:
        match = _TOKEN.match(sql, at)
        if match is None:
            raise ProgrammingError("the statement cannot be read", sqlstate="42601")
        kind, at = match.lastgroup, match.end()
        if kind == "comment":
            at = _comment_end(sql, at)
        elif kind == "dollar":
            close = sql.find(match.group(), at)
            if close < 0:
                raise ProgrammingError("unterminated dollar-quoted string", sqlstate="42601")
            at = close + len(match.group())
        elif kind == "word":
            yield _Word(match.group().upper(), match.start(), 0)
        elif kind == "string":
            yield _Word("'", match.start(), 0)
        elif kind == "other":
            if match.group() in ("'", '"'):
                raise ProgrammingError("unterminated quoted string or identifier", sqlstate="42601")
            yield _Word(match.group(), match.start(), 0)


def _comment_end(sql: str, at: int) -> int:
    depth = 1
    for mark in re.finditer(r"/\*|\*/", sql[at:]):
        depth += 1 if mark.group() == "/*" else -1
        if not depth:
            return at + mark.end()
    raise ProgrammingError("unterminated comment", sqlstate="42601")


def _statement(text: str, offset: int, words: list[_Word]) -> Statement:
    top = [word for word in words if word.depth == 0]
    verb, main = top[0].text, 0
    if verb == "WITH":
        verb, main = _main_statement(top)
        main -= offset
    names = {word.text for word in top}
    _refuse(verb, [word.text for word in top])
    inside = {word.text for word in words}
    changes = verb in _CHANGING or (bool(main) and bool(inside & _CHANGING))
    rows = (
        (verb in _READING and "INTO" not in names)
        or (verb in _CHANGING and "RETURNING" in names)
        or verb in _OTHER_ROWS
    )
    return Statement(
        text=text,
        count=1,
        verb=verb,
        main=main,
        changes=changes,
        rows=rows,
        schema=verb in _SCHEMA or (verb in _READING and not rows),
    )


def _main_statement(top: list[_Word]) -> tuple[str, int]:
    for before, word in pairwise(top):
        # Names of queries follow these, and may be called like a keyword.
        if word.text in _MAIN and before.text not in ("WITH", "RECURSIVE", ",", "BY", "SET", "USING"):
            return word.text, word.start
        if word.text == "(" and before.text == "(":
            return "(", word.start
    return "WITH", 0


def _refuse(verb: str, words: list[str]) -> None:
    if (verb in _TRANSACTION and "TO" not in words) or words[:2] == ["PREPARE", "TRANSACTION"]:
        raise ProgrammingError(
            f"{verb} is for the connection: use commit() and rollback(), or set its autocommit, "
            "isolation_level and read_only"
        )
    if verb == "COPY" and ("STDIN" in words or "STDOUT" in words):
        raise ProgrammingError(
            "COPY from STDIN and to STDOUT cannot travel through Mattermost's database driver"
        )
