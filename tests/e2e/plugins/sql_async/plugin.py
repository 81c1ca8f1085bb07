"""A plugin on asyncio that uses the database in worker threads."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Engine, text

from mattermost_plugin import AsyncPlugin, sql
from mattermost_plugin.http import Request, Router


class AsyncSQLWitness(AsyncPlugin):
    """Answers with what the database answered."""

    http = Router()

    async def on_activate(self) -> None:
        """Make an engine."""
        self.engine: Engine = sql.create_engine(self)

    async def on_deactivate(self) -> None:
        """Give the connections back."""
        await asyncio.to_thread(self.engine.dispose)

    @http.post("/run")
    async def run_statement(self, request: Request) -> dict[str, Any]:
        """Run a statement by PEP 249."""
        asked = request.json()

        def ask() -> list[tuple[Any, ...]]:
            with sql.connect(self) as connection:
                return connection.execute(asked["statement"], asked.get("parameters")).fetchall()

        return {"rows": await asyncio.to_thread(ask)}

    @http.post("/hold")
    async def hold(self, request: Request) -> None:
        """Take a lock in the database."""

        def take() -> sql.Connection:
            connection = sql.connect(self)
            connection.execute("SELECT pg_advisory_xact_lock(815)")
            return connection

        self.held = await asyncio.to_thread(take)

    @http.post("/release")
    async def release(self, request: Request) -> None:
        """Give the lock back."""
        await asyncio.to_thread(self.held.close)

    @http.post("/many")
    async def run_many(self, request: Request) -> dict[str, Any]:
        """Run a statement many times at once by SQLAlchemy."""
        asked = request.json()

        def ask(number: int) -> Any:
            with self.engine.connect() as connection:
                return connection.execute(text(asked["statement"]), {"number": number}).scalar_one()

        tasks = [asyncio.to_thread(ask, number) for number in range(asked["times"])]
        return {"answers": await asyncio.gather(*tasks)}


if __name__ == "__main__":
    AsyncSQLWitness.run()
