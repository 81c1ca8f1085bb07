"""Threads share connections, as `threadsafety` says, and the pool of an engine."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mattermost_plugin import sql
from mattermost_plugin.sql._connect import open_connection

if TYPE_CHECKING:
    from tests.sql.host import DatabaseHost

THREADS = 8


def test_threads_share_a_connection_and_its_transaction(connection: sql.Connection) -> None:
    assert sql.threadsafety == 2
    connection.execute("CREATE TEMP TABLE shared (thread int, n int)")

    def work(thread: int) -> None:
        cursor = connection.cursor()
        for n in range(6):
            cursor.execute("INSERT INTO shared VALUES (%s, %s)", (thread, n))
            assert cursor.rowcount == 1
            # The statements of the others come between these batches.
            cursor.execute("SELECT i * %s FROM generate_series(1, 1200) i", (thread,))
            head = [cursor.fetchone() for _ in range(10)]
            rest = cursor.fetchall()
            assert [*head, *rest] == [(i * thread,) for i in range(1, 1201)]
            mine = cursor.execute("SELECT count(*) FROM shared WHERE thread = %s", (thread,)).fetchone()
            assert mine == (n + 1,)

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(work, range(THREADS)))
    assert connection.execute("SELECT count(*) FROM shared").fetchone() == (THREADS * 6,)
    assert connection.in_transaction


def test_threads_share_a_prepared_statement(connection: sql.Connection) -> None:
    with connection.prepare("SELECT %s::int + g FROM generate_series(1, 500) g") as prepared:

        def work(number: int) -> None:
            assert prepared.execute((number,)).fetchall() == [(number + g,) for g in range(1, 501)]

        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(work, range(60)))


def test_a_thread_that_closes_the_connection_does_not_keep_the_others_waiting(host: DatabaseHost) -> None:
    for _ in range(10):
        connection = open_connection(host.driver)
        started = threading.Barrier(THREADS)
        ends: list[str] = []

        def work(connection: sql.Connection, started: threading.Barrier, ends: list[str]) -> None:
            started.wait()
            try:
                while True:
                    connection.execute("SELECT generate_series(1, 300)").fetchall()
            except sql.InterfaceError as error:
                ends.append(str(error))

        threads = [
            threading.Thread(target=work, args=(connection, started, ends)) for _ in range(THREADS - 1)
        ]
        for thread in threads:
            thread.start()
        started.wait()
        connection.close()
        for thread in threads:
            thread.join(60)
        assert ends == ["the connection is closed"] * len(threads)


def test_threads_share_the_pool_of_an_engine(engine: sa.Engine) -> None:
    """It has five connections at most; who finds none waits."""
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS pooled")
        connection.exec_driver_sql("CREATE TABLE pooled (n int)")
        connection.exec_driver_sql("INSERT INTO pooled VALUES (0)")
    pids: set[int] = set()

    def work(number: int) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE pooled SET n = n + :by"), {"by": number})
            pids.add(connection.scalar(sa.text("SELECT pg_backend_pid()")) or 0)

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(work, range(200)))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT n FROM pooled")) == sum(range(200))
    assert 1 <= len(pids) <= 5
    assert "Current Checked out connections: 0" in engine.pool.status()


def test_transactions_of_threads_do_not_see_each_other(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS apart")
        connection.exec_driver_sql("CREATE TABLE apart (thread int)")
    both = threading.Barrier(3)

    def work(thread: int) -> list[int]:
        with engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO apart VALUES (:thread)"), {"thread": thread})
            both.wait(60)
            found = list(connection.scalars(sa.text("SELECT thread FROM apart")))
            both.wait(60)
            return found

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(work, range(3))) == [[0], [1], [2]]
