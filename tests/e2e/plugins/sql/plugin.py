"""A plugin that does with the database what a test tells it. It has no `on_deactivate`, on purpose."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mattermost_plugin import Plugin, sql
from mattermost_plugin.http import Request, Router

NAME = "sql_witness"
"""What its connections are called in `pg_stat_activity`, until they are given back."""


@dataclass
class Settings:
    """What a test can set."""

    fail: bool = False


class SQLWitness(Plugin):
    """Answers with what the database answered."""

    http = Router()

    def on_activate(self) -> None:
        """Fail if told so, with a transaction under way."""
        self.held: list[sql.Connection] = []
        self.engine = sql.create_engine(self)
        if self.load_configuration(Settings).fail:
            self.hold("transaction")
            raise RuntimeError("as the settings say")

    @http.post("/run")
    def run_statements(self, request: Request) -> dict[str, Any]:
        """Run statements one after the other, in one transaction; each has an answer or an error."""
        asked = request.json()
        with sql.connect(self, replica=asked.get("replica", False)) as connection:
            connection.isolation_level = asked.get("isolation")
            answers = [attempt(connection, *statement) for statement in asked["statements"]]
            try:
                connection.commit()
            except sql.Error as error:
                answers.append(told(error))
        return {"answers": answers}

    @http.post("/engine")
    def by_engine(self, request: Request) -> dict[str, Any]:
        """Run a statement with SQLAlchemy."""
        asked = request.json()
        try:
            with self.engine.begin() as connection:
                found = connection.execute(text(asked["statement"]), asked.get("parameters", {}))
                return {"rows": [list(row) for row in found] if found.returns_rows else None}
        except DBAPIError as error:
            return {"kind": type(error).__name__, "original": told(error.orig)}

    @http.post("/count")
    def count_rows(self, request: Request) -> dict[str, int]:
        """Count the rows of a query, one by one."""
        with sql.connect(self) as connection:
            return {"rows": sum(1 for _ in connection.execute(request.json()["statement"]))}

    @http.post("/threads")
    def by_threads(self, request: Request) -> dict[str, Any]:
        """Count with one engine in many threads, each time in a transaction."""
        asked = request.json()

        def count(_: int) -> None:
            with self.engine.begin() as connection:
                connection.execute(text("UPDATE sql_counter SET n = n + 1"))
                connection.execute(text("INSERT INTO sql_log SELECT n FROM sql_counter"))

        with ThreadPoolExecutor(asked["threads"]) as threads:
            list(threads.map(count, range(asked["times"])))
        return {"pool": self.engine.pool.status()}

    @http.post("/hold/{what}")
    def hold_more(self, request: Request) -> dict[str, int]:
        """Open a connection and keep it."""
        self.hold(request.path_params["what"])
        return {"held": len(self.held)}

    def hold(self, what: str) -> None:
        """Open a connection and leave something open on it."""
        connection = sql.connect(self, autocommit=what in ("idle", "sleep"))
        self.held.append(connection)
        connection.execute(f"SET application_name = '{NAME}'")
        if what == "transaction":
            connection.execute("UPDATE sql_counter SET n = n + 1000")
        elif what == "rows":
            connection.execute("SELECT generate_series(1, 100000000)").fetchmany(10)
        elif what == "lock":
            connection.execute("SELECT pg_advisory_lock(4711)")
        elif what == "sleep":
            threading.Thread(target=connection.execute, args=("SELECT pg_sleep(600)",), daemon=True).start()


def attempt(connection: sql.Connection, statement: str, parameters: Any = None) -> dict[str, Any]:
    """Run a statement; return what came of it."""
    try:
        cursor = connection.execute(statement, parameters)
        rows = cursor.fetchall() if cursor.description else None
    except sql.Error as error:
        return told(error)
    return {"rows": rows, "count": cursor.rowcount}


def told(error: BaseException | None) -> dict[str, Any]:
    """Return what an author is told by an error."""
    answer = {"error": type(error).__name__, "message": str(error)}
    for name in ("sqlstate", "detail", "hint", "constraint", "table", "column", "position"):
        if value := getattr(error, name, ""):
            answer[name] = value
    return answer


if __name__ == "__main__":
    SQLWitness.run()
