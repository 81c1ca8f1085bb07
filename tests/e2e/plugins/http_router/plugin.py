"""A plugin that serves HTTP without a framework."""

from __future__ import annotations

from typing import Any

from mattermost_plugin import Plugin
from mattermost_plugin.http import Request, Response, Router


class RouterWitness(Plugin):
    """Serves a few routes."""

    http = Router()

    @http.get("/users/{user_id}")
    def user(self, request: Request) -> dict[str, Any]:
        """Name a user."""
        return {
            "username": self.api.get_user(request.path_params["user_id"]).username,
            "asked_by": request.user_id,
            "request_id": request.context.request_id,
            "q": request.query_value("q"),
        }

    @http.post("/json")
    async def double(self, request: Request) -> dict[str, Any]:
        """Double a number."""
        return {"twice": request.json()["number"] * 2}

    @http.delete("/things/{path:path}")
    def delete(self, request: Request) -> None:
        """Delete nothing."""

    @http.get("/teapot")
    def teapot(self, request: Request) -> Response:
        """Be a teapot."""
        return Response("short and stout", status=418, headers={"X-Own": "1"})

    @http.get("/boom")
    def boom(self, request: Request) -> str:
        """Raise."""
        raise RuntimeError("the secret of the router")


if __name__ == "__main__":
    RouterWitness.run()
