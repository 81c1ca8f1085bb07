"""Large values, and many rows."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import psutil
import pytest
import sqlalchemy as sa

if TYPE_CHECKING:
    from mattermost_plugin import sql

MIB = 1 << 20


@pytest.mark.timeout(300)
def test_a_hundred_megabytes_of_bytes_come_back_as_they_went(connection: sql.Connection) -> None:
    content = os.urandom(MIB) * 100
    connection.execute("CREATE TEMP TABLE large (content bytea)")
    connection.execute("INSERT INTO large VALUES (%s)", (content,))
    row = connection.execute("SELECT content, length(content), md5(content) FROM large").fetchone()
    assert row is not None
    assert row[1:] == (len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())
    assert row[0] == content


@pytest.mark.timeout(300)
def test_a_text_of_fifty_megabytes_comes_back_as_it_went(connection: sql.Connection) -> None:
    text = "Grüße 🍕\n" * (5 * MIB)
    row = connection.execute("SELECT %s::text, now()", (text,)).fetchone()
    assert row is not None
    assert row[0] == text


def test_many_rows_pass_in_constant_memory(connection: sql.Connection, engine: sa.Engine) -> None:
    rows = "SELECT i, repeat('x', 1000) AS filling, now() AS at FROM generate_series(1, 100000) AS i"
    process = psutil.Process()
    connection.execute(rows).fetchmany(5000)  # what is loaded at first use
    before = process.memory_info().rss
    most = count = 0
    for row in connection.execute(rows):
        count += 1
        assert row[0] == count
        if count % 5000 == 0:
            most = max(most, process.memory_info().rss)
    with engine.connect() as pooled:
        for number, _, _ in pooled.execute(sa.text(rows)):
            count += 1
            if number % 5000 == 0:
                most = max(most, process.memory_info().rss)
    assert count == 200_000
    assert most - before < 32 * MIB  # of 100 that pass
