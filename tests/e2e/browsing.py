"""A headless browser in which somebody has logged in."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from playwright.async_api import async_playwright

from tests.harness import find_browser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, Response

    from tests.harness import RestClient

__all__ = ["Browser", "browsing"]


class Browser:
    """The pages that somebody opens.

    Attributes:
        context: Playwright's browser context, with the cookies.
        problems: What went wrong in the pages: errors and warnings of the console, exceptions, requests that
            failed or were answered with an error.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.problems: list[str] = []

    async def log_in(self, client: RestClient) -> None:
        """Log in as a client's user; the server sets its cookies as it does for its own web app."""
        response = await self.context.request.post(
            f"{client.url}/api/v4/users/login",
            data={"login_id": client.username, "password": client.password},
            headers={"X-Requested-With": "XMLHttpRequest"},
        )
        assert response.ok, await response.text()

    async def open(self, address: str) -> Page:
        """Open a page in a new tab."""
        page = await self.context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._response)
        await page.goto(address)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        self.problems.append(f"request: {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"response: {response.url} {response.status}")


@asynccontextmanager
async def browsing(**context: Any) -> AsyncIterator[Browser]:
    """Start a browser; it ends with everything in it.

    Args:
        context: Options of Playwright's `Browser.new_context`, such as `viewport`.

    Raises:
        BrowserError: There is none on this machine; the message says what to do.
    """
    program = find_browser()
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=program.executable, env={**os.environ, **program.environment}
        )
        try:
            yield Browser(await chromium.new_context(**context))
        finally:
            await chromium.close()
