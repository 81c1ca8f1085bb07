"""A small router, for plugins that serve a few requests and want no framework."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

from mattermost_plugin._logger import get_logger
from mattermost_plugin.http._errors import ClientDisconnected
from mattermost_plugin.http._info import KEY, RequestInfo

if TYPE_CHECKING:
    from mattermost_plugin.http._asgi import Receive, Scope, Send
    from mattermost_plugin.models.context import Context

__all__ = ["Request", "Response", "Router"]

logger = get_logger("mattermost_plugin.http")

# Plain `def` handlers that run at the same time.
_WORKERS = 64

_DEFAULT_MAX_BODY = 10 * 1024 * 1024

_Handler = TypeVar("_Handler", bound=Callable[..., Any])

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(:path)?\}")


class Request:
    """A request to a handler of a `Router`, with its body.

    Attributes:
        method: Such as `GET`.
        path: The path below the plugin's, decoded.
        path_params: What stands for the parameters of the route's path.
        query: The query's parameters in their order; `query_value` returns one.
        headers: By lower-case name; several of one name are joined by commas.
        body: The body.
        info: What the server says about the request.
    """

    __slots__ = ("body", "headers", "info", "method", "path", "path_params", "query")

    def __init__(
        self,
        method: str,
        path: str,
        path_params: dict[str, str],
        query: list[tuple[str, str]],
        headers: dict[str, str],
        body: bytes,
        info: RequestInfo,
    ) -> None:
        self.method = method
        self.path = path
        self.path_params = path_params
        self.query = query
        self.headers = headers
        self.body = body
        self.info = info

    @property
    def user_id(self) -> str:
        """Id of the user who asks, by a valid session; empty: nobody has logged in."""
        return self.info.user_id

    @property
    def context(self) -> Context:
        """The plugin context of the request."""
        return self.info.context

    def query_value(self, name: str, default: str = "") -> str:
        """Return the first query parameter of a name, or `default`."""
        return next((value for key, value in self.query if key == name), default)

    def json(self) -> Any:
        """Return the body, which is JSON; where it is not, the client gets a 400 if nobody catches this.

        Raises:
            ValueError: It is not.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise _NotJSON(f"the body is not JSON: {error}") from None


class _NotJSON(ValueError):
    pass


class Response:
    """What a handler answers when it is more than a text or JSON.

    Args:
        body: Text is encoded as UTF-8.
        status: The HTTP status.
        content_type: Empty: `text/plain` for text, `application/octet-stream` for bytes.
        headers: Further headers.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        body: str | bytes = b"",
        *,
        status: int = 200,
        content_type: str = "",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        self.status = status
        self.headers = list(headers.items() if isinstance(headers, Mapping) else headers)
        if isinstance(body, str):
            self.body = body.encode()
            content_type = content_type or "text/plain; charset=utf-8"
        else:
            self.body = body
            content_type = content_type or ("application/octet-stream" if body else "")
        if content_type:
            self.headers.append(("content-type", content_type))


class _Route(NamedTuple):
    pattern: re.Pattern[str]
    methods: frozenset[str]
    handler: Callable[..., Any]
    takes_plugin: bool
    max_body: int


class Router:
    """Calls the handler whose route fits a request. It is an ASGI application.

    ```python
    class Status(Plugin):
        http = Router()

        @http.get("/users/{user_id}")
        def user(self, request: Request) -> dict[str, str]:
            return {"name": self.api.get_user(request.path_params["user_id"]).username}
    ```

    A handler takes the request, or the plugin and the request; `def` handlers run in threads, `async def`
    ones on the event loop. It returns a `Response`, a `str` (text), `bytes`, a `dict` or `list` (JSON), or
    None (204). An exception is a 500 for the client, and a traceback in the log.

    In a path, `{name}` stands for one segment and `{name:path}` for the rest.
    """

    def __init__(self) -> None:
        self._routes: list[_Route] = []
        self._threads: ThreadPoolExecutor | None = None

    def route(
        self, path: str, *, methods: Iterable[str], max_body: int = _DEFAULT_MAX_BODY
    ) -> Callable[[_Handler], _Handler]:
        """Return a decorator for the handler of a path.

        Args:
            path: Begins with a slash.
            methods: HTTP methods; `GET` includes `HEAD`.
            max_body: Bytes; the client gets a 413 for a longer body.

        Raises:
            ValueError: The path is none.
        """
        pattern = _compiled(path)
        names = {method.upper() for method in methods}
        if "GET" in names:
            names.add("HEAD")

        def add(handler: _Handler) -> _Handler:
            count = len(inspect.signature(handler).parameters)
            if count not in (1, 2):
                raise TypeError(
                    f"{handler.__qualname__} must take (request) or (self, request), not {count} parameters"
                )
            self._routes.append(_Route(pattern, frozenset(names), handler, count == 2, max_body))
            return handler

        return add

    def get(self, path: str) -> Callable[[_Handler], _Handler]:
        """Return a decorator for what answers `GET` (and `HEAD`)."""
        return self.route(path, methods=("GET",))

    def post(self, path: str, *, max_body: int = _DEFAULT_MAX_BODY) -> Callable[[_Handler], _Handler]:
        """Return a decorator for what answers `POST`."""
        return self.route(path, methods=("POST",), max_body=max_body)

    def put(self, path: str, *, max_body: int = _DEFAULT_MAX_BODY) -> Callable[[_Handler], _Handler]:
        """Return a decorator for what answers `PUT`."""
        return self.route(path, methods=("PUT",), max_body=max_body)

    def patch(self, path: str, *, max_body: int = _DEFAULT_MAX_BODY) -> Callable[[_Handler], _Handler]:
        """Return a decorator for what answers `PATCH`."""
        return self.route(path, methods=("PATCH",), max_body=max_body)

    def delete(self, path: str) -> Callable[[_Handler], _Handler]:
        """Return a decorator for what answers `DELETE`."""
        return self.route(path, methods=("DELETE",))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection as ASGI has it."""
        if scope["type"] == "http":
            try:
                response = await self._answer(scope, receive)
            except ClientDisconnected:
                return
            await _send(response, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
        else:
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            ended = message["type"] == "lifespan.shutdown"
            if ended and self._threads is not None:
                self._threads.shutdown(wait=False, cancel_futures=True)
                self._threads = None
            await send({"type": f"{message['type']}.complete"})
            if ended:
                return

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        path: str = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        fitting = [(route, match) for route in self._routes if (match := route.pattern.fullmatch(path))]
        if not fitting:
            return _plain(HTTPStatus.NOT_FOUND)
        method: str = scope["method"]
        chosen = next((pair for pair in fitting if method in pair[0].methods), None)
        if chosen is None:
            allowed = sorted({name for route, _ in fitting for name in route.methods})
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, ("allow", ", ".join(allowed)))
        route, match = chosen

        headers = _joined(scope["headers"])
        body = await _read(receive, headers, route.max_body)
        if body is None:
            return _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, ("connection", "close"))
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        request = Request(method, path, match.groupdict(), query, headers, body, scope[KEY])
        try:
            return _response(await self._call(route, request))
        except _NotJSON as error:
            return Response(str(error), status=HTTPStatus.BAD_REQUEST)
        except Exception:
            logger.exception(
                "The handler %s of %s %s failed",
                route.handler.__qualname__,
                method,
                path,
                extra={"path": path},
            )
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _call(self, route: _Route, request: Request) -> Any:
        arguments = (request.info.plugin, request) if route.takes_plugin else (request,)
        if inspect.iscoroutinefunction(route.handler):
            return await route.handler(*arguments)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_WORKERS, thread_name_prefix="http")
        return await asyncio.get_running_loop().run_in_executor(self._threads, route.handler, *arguments)


def _compiled(path: str) -> re.Pattern[str]:
    if not path.startswith("/"):
        raise ValueError(f"a route's path begins with a slash: {path!r}")
    pattern, at = "", 0
    for parameter in _PARAMETER.finditer(path):
        name, rest = parameter.groups()
        pattern += re.escape(path[at : parameter.start()]) + f"(?P<{name}>{'.*' if rest else '[^/]+'})"
        at = parameter.end()
    tail = path[at:]
    if "{" in tail or "}" in tail:
        raise ValueError(f"a parameter of a route is {{name}} or {{name:path}}: {path!r}")
    return re.compile(pattern + re.escape(tail), re.DOTALL)


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


async def _read(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes | None:
    """Return the body; None: it is longer than `limit`."""
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected("the client left before it had sent the whole body")
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _response(result: Any) -> Response:
    if isinstance(result, Response):
        return result
    if isinstance(result, (str, bytes)):
        return Response(result)
    if isinstance(result, (dict, list)):
        return Response(json.dumps(result).encode(), content_type="application/json")
    if result is None:
        return Response(status=HTTPStatus.NO_CONTENT)
    raise TypeError(f"a handler returned {type(result).__name__}; see Router for what it may return")


def _plain(status: HTTPStatus, *headers: tuple[str, str]) -> Response:
    return Response(status.phrase, status=status, headers=headers)


async def _send(response: Response, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
