"""Clients that ask numbered questions, so that each answer can be told from every other."""

from __future__ import annotations

import hashlib
import itertools
import random
import threading
import time
from typing import TYPE_CHECKING

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.harness import RestError
from tests.torture.ledger import Accepted

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from tests.harness import Json, MattermostServer, RestClient
    from tests.torture.ledger import Ledger

__all__ = ["Load"]

PLUGINS = ("threads", "asyncio")

#: Seconds that an operation may take: the hook's deadline of 10 s for each plugin, and what the server needs
#: on a busy machine.
LIMIT = 35.0

#: 30 KB of UTF-8 in fewer characters than the server allows: larger than what the bridge sends at once.
LARGE = "é" * 15_000


class Load:
    """Posts, commands, requests, uploads and WebSockets against both plugins; a context manager.

    Args:
        server: The server.
        users: Who posts, each in a thread of its own.
        channel: Where.
        ledger: Gets every outcome; outcomes of one plugin have its name before the operation.
        pause: Seconds between two operations of a client.
    """

    def __init__(
        self,
        server: MattermostServer,
        users: list[RestClient],
        channel: Json,
        ledger: Ledger,
        *,
        pause: float = 0.05,
    ) -> None:
        self._server = server
        self._channel = channel["id"]
        self._ledger = ledger
        self._pause = pause
        self._over = threading.Event()
        self._random = random.Random(1)
        targets: list[tuple[Callable[..., None], tuple[object, ...]]] = [
            (self._post, (user,)) for user in users
        ]
        for plugin, user in itertools.product(PLUGINS, users[:1]):
            targets += [(act, (plugin, user)) for act in (self._command, self._get, self._upload)]
        targets.append((self._websocket, ("asyncio", users[0])))
        self._threads = [
            threading.Thread(target=self._repeat, args=target, daemon=True) for target in targets
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(2 * LIMIT)
            if thread.is_alive():
                self._ledger.took("load", 2 * LIMIT, LIMIT)

    def _repeat(self, act: Callable[..., None], arguments: tuple[object, ...]) -> None:
        for number in itertools.count(1):
            if self._over.wait(self._pause):
                return
            began = time.monotonic()
            act(number, *arguments)
            self._ledger.took(act.__name__.strip("_"), time.monotonic() - began, LIMIT)

    def _post(self, number: int, user: RestClient) -> None:
        text = LARGE if number % 10 == 0 else "x"
        began = time.monotonic()
        try:
            post = user.create_post(self._channel, f"{user.username} {number} {text}")
        except RestError as error:
            self._ledger.count("post", f"refused ({error.status})")
            return
        except httpx.TransportError as error:
            # The server may have accepted it or not: it is counted neither as lost nor as accepted.
            self._ledger.count("post", type(error).__name__)
            return
        self._ledger.accept(user.username, Accepted(number, began, time.monotonic()))
        for plugin in PLUGINS:
            got = post["props"].get(f"torture-{plugin}")
            if got is None:
                self._ledger.count(f"{plugin} post", "answered by policy")
            else:
                self._ledger.expect(f"{plugin} post", f"{user.username} {number}", got)

    def _command(self, number: int, plugin: str, user: RestClient) -> None:
        operation = f"{plugin} command"
        try:
            response = user.run_command(self._channel, f"/torture-{plugin} echo {number}")
        except RestError as error:
            self._ledger.count(operation, f"refused ({error.status})")
        except httpx.TransportError as error:
            self._ledger.count(operation, type(error).__name__)
        else:
            self._ledger.expect(operation, f"echo {number}", response.get("text"))

    def _get(self, number: int, plugin: str, user: RestClient) -> None:
        answer = self._request(f"{plugin} get", "GET", f"{plugin}/echo/{number}", user)
        if answer is not None:
            self._ledger.expect(f"{plugin} get", [str(number), user.user_id], answer.split()[:2])

    def _upload(self, number: int, plugin: str, user: RestClient) -> None:
        body = f"{number} ".encode() * self._random.randint(1, 50_000)
        answer = self._request(f"{plugin} upload", "POST", f"{plugin}/digest", user, body)
        if answer is not None:
            self._ledger.expect(f"{plugin} upload", hashlib.sha256(body).hexdigest(), answer)

    def _request(
        self, operation: str, method: str, path: str, user: RestClient, body: bytes = b""
    ) -> str | None:
        try:
            response = httpx.request(
                method,
                f"{self._server.url}/plugins/org.example.torture-{path}",
                content=body,
                headers=_authorization(user),
                timeout=2 * LIMIT,
                trust_env=False,
            )
        except httpx.TransportError as error:
            self._ledger.count(operation, type(error).__name__)
            return None
        if response.status_code != httpx.codes.OK:
            self._ledger.count(operation, f"refused ({response.status_code})")
            return None
        return response.text

    def _websocket(self, number: int, plugin: str, user: RestClient) -> None:
        # One connection with some messages.
        operation = f"{plugin} websocket"
        address = self._server.url.replace("http", "ws", 1) + f"/plugins/org.example.torture-{plugin}/echo"
        try:
            with connect(
                address,
                additional_headers=_authorization(user),
                open_timeout=LIMIT,
                proxy=None,
            ) as socket:
                for message in range(20):
                    socket.send(f"{number} {message}")
                    self._ledger.expect(operation, f"{number} {message}", socket.recv(timeout=LIMIT))
                    if self._over.wait(self._pause):
                        return
        except TimeoutError:
            self._ledger.took(operation, LIMIT + 1, LIMIT)
        except (WebSocketException, OSError) as error:
            self._ledger.count(operation, type(error).__name__)


def _authorization(user: RestClient) -> dict[str, str]:
    return {"Authorization": f"Bearer {user.token}"}
