"""The page's address space, below `/plugins/com.example.dashboard/`."""

from __future__ import annotations

import asyncio
import logging
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import FastAPI, HTTPException, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from hub import SessionEnded, TooManyPages
from mattermost_plugin import PluginError
from mattermost_plugin.http import request_info
from views import Update  # noqa: TC001 - FastAPI reads annotations

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hub import Hub

log = logging.getLogger("dashboard")

PAGE = Path(__file__).parent / "page"

SESSION_ENDED = 4401
"""Code with which a WebSocket is closed when there is no session; the page does not come back then."""

HEADERS = {
    # Whatever somebody posts, the page runs no script but its own.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # Asked for each time, answered with 304 while it is the same.
    "Cache-Control": "no-cache",
}

app = FastAPI(openapi_url=None)
app.mount("/static", StaticFiles(directory=PAGE / "static"))


@app.middleware("http")
async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Say what the browser may do with a response."""
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


@app.get("/")
def page(request: Request) -> Response:
    """Return the page, or what to do without a session."""
    if not request_info(request).user_id:
        return html("login.html", request, status=401)
    return html("index.html", request)


def html(name: str, request: Request, status: int = 200) -> Response:
    """Return a file whose relative addresses are below the plugin's, also if its own lacks the slash."""
    text = (PAGE / name).read_text(encoding="utf-8")
    base = escape(f"{request.scope['root_path']}/")
    return HTMLResponse(text.replace("{{base}}", base), status)


@app.get("/api/activity")
async def activity(request: Request, response: Response) -> Update:
    """Return what the page shows, for programs."""
    info = request_info(request)
    response.headers["Cache-Control"] = "no-store"
    if not info.user_id:
        raise HTTPException(401, "Log in to Mattermost first.")
    hub: Hub = info.plugin.hub
    try:
        return await hub.look(info.user_id, info.context.session_id)
    except SessionEnded as error:
        raise HTTPException(401, "Log in to Mattermost first.") from error


@app.websocket("/live")
async def live(websocket: WebSocket) -> None:
    """Send updates until the page is closed or the session ends."""
    info = request_info(websocket)
    if not await is_own_page(websocket):
        await websocket.close()  # before it is accepted: the browser gets a 403
        return
    await websocket.accept()
    if not info.user_id:
        await websocket.close(SESSION_ENDED, "log in first")
        return
    following = info.plugin.hub.follow(info.user_id, info.context.session_id, websocket.send_text)
    sending = asyncio.create_task(following)
    # The page sends nothing: whatever comes from it is its end.
    receiving = asyncio.create_task(websocket.receive())
    try:
        await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            await end(websocket, sending.exception())
        elif receiving.result()["type"] == "websocket.receive":
            await websocket.close(1003, "there is nobody to listen")
    finally:
        sending.cancel()
        receiving.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)


async def end(websocket: WebSocket, reason: BaseException | None) -> None:
    """Close the connection to a page that is sent nothing more, so that it knows whether to come back."""
    if isinstance(reason, SessionEnded):
        await websocket.close(SESSION_ENDED, "the session has ended")
    elif isinstance(reason, TooManyPages):
        await websocket.close(1013, "too many pages are open")
    elif isinstance(reason, PluginError):
        log.warning("A page was left: the server did not answer", exc_info=reason)
        await websocket.close(1011, "the server did not answer")
    elif isinstance(reason, asyncio.TimeoutError):
        log.info("A page was left: it is too slow")
    elif reason is not None and not isinstance(reason, WebSocketDisconnect):
        raise reason


async def is_own_page(websocket: WebSocket) -> bool:
    """Return whether a WebSocket was opened by a page of this server, or by a program.

    Browsers send cookies with WebSockets that pages of any other site open, and let those read what comes.
    The server checks no CSRF token for them. Programs send no `Origin` at all.
    """
    origin = websocket.headers.get("origin")
    if origin is None:
        return True
    host = urlsplit(origin).netloc
    if host == websocket.headers.get("host"):
        return True
    # A proxy may have put its own name for the server there.
    config = await request_info(websocket).plugin.api.get_config()
    return host == urlsplit(config.service_settings.site_url or "").netloc
