"""Every method of the blocking and the awaitable API makes the call of its name with its arguments."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest

from codegen.python_methods import (
    opening_name,
    parameters,
    request_fields,
    result_fields,
    returns_content,
    streamed_parameters,
    unavailable,
)
from mattermost_plugin import API, AppError, AsyncAPI, NotFound, NotSupported
from mattermost_plugin._codec.json_values import json_object
from mattermost_plugin._codec.parts import chunk_of
from mattermost_plugin._gen import api_methods
from tests.codegen.repository import schema
from tests.contract.values import PythonFiller, differences

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

    from codegen.lowered import Method
    from mattermost_plugin._runtime import methods

CONTENT = b"what streams"
METHODS = schema().service("API").methods
UNARY = [method for method in METHODS if not unavailable(method)]


class Recorder:
    """Stands for the way to the host: keeps the request and answers with a response prepared before."""

    def __init__(self, response: bytes = b"") -> None:
        self.response = response
        self.calls: list[tuple[methods.Method, bytes, float | None]] = []

    def __call__(self, method: methods.Method, request: bytes, timeout: float | None, /) -> bytes:
        self.calls.append((method, request, timeout))
        return self.response

    def upload(self, method: methods.Method, requests: Iterable[bytes], timeout: float | None) -> bytes:
        head, *chunks = requests
        assert b"".join(bytes(chunk_of(chunk) or b"") for chunk in chunks) == CONTENT
        return self(method, head, timeout)

    def download(self, method: methods.Method, request: bytes, timeout: float | None) -> Download:
        return Download(self(method, request, timeout))


class AsyncRecorder:
    """The same for the awaitable face."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def __call__(self, method: methods.Method, request: bytes, timeout: float | None, /) -> Any:
        return method.codec.decode_response(self._recorder(method, request, timeout))

    async def upload(
        self, method: methods.Method, requests: AsyncIterable[bytes], timeout: float | None
    ) -> bytes:
        return self._recorder.upload(method, [request async for request in requests], timeout)

    def download(self, method: methods.Method, request: bytes, timeout: float | None) -> AsyncDownload:
        return AsyncDownload(self._recorder.download(method, request, timeout))


class Download:
    """A response that streams: its head and CONTENT."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self.closed = False

    def head(self) -> bytes:
        return self._head

    def __iter__(self) -> Iterator[bytes]:
        yield from (CONTENT[:5], CONTENT[5:])

    def close(self) -> None:
        self.closed = True


class AsyncDownload:
    """The same for the awaitable face."""

    def __init__(self, download: Download) -> None:
        self._download = download

    async def head(self) -> bytes:
        return self._download.head()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._download:
            yield piece

    async def close(self) -> None:
        self._download.close()


def by_name(method: Method) -> str:
    return method.python_name


def prepared(method: Method) -> tuple[Recorder, list[Any], Any]:
    """Return a transport, arguments and the result it will answer with."""
    filler = PythonFiller(5)
    arguments = [filler.of(field.conversion) for field in request_fields(schema(), method)]
    values = [filler.of(field.conversion) for field in result_fields(method)]
    if method.go_name == "PublishWebSocketEvent":
        # Times are text for the clients.
        arguments[1] = json_object(arguments[1], "payload")
    result = None if not values else values[0] if len(values) == 1 else tuple(values)
    codec = api_methods.API[method.python_name].codec
    recorder = Recorder(codec.encode_response(result))
    return recorder, arguments, CONTENT if returns_content(method) else result


def passed(method: Method, arguments: list[Any]) -> list[Any]:
    """Return the arguments as an author writes them."""
    if streamed_parameters(method):
        names = [name for name, _ in parameters(method)]
        arguments = [*arguments]
        arguments.insert(names.index(streamed_parameters(method)[0].python_name), CONTENT)
    if method.params and method.params[-1].variadic:
        return [*arguments[:-1], *arguments[-1]]
    return arguments


def check(method: Method, transport: Recorder, arguments: list[Any], result: Any, returned: Any) -> None:
    ((called, request, timeout),) = transport.calls
    assert called is api_methods.API[method.python_name]
    assert timeout == 7.5
    assert differences(arguments, list(called.codec.decode_request(request))) == []
    assert isinstance(returned, tuple) == isinstance(result, tuple)
    first, second = ([*item] if isinstance(item, tuple) else item for item in (result, returned))
    assert differences(first, second) == []


@pytest.mark.parametrize("method", UNARY, ids=by_name)
def test_a_blocking_method_makes_its_call(method: Method) -> None:
    transport, arguments, result = prepared(method)
    api = API(transport).with_timeout(7.5)
    returned = getattr(api, method.python_name)(*passed(method, arguments))
    check(method, transport, arguments, result, returned)


@pytest.mark.parametrize("method", UNARY, ids=by_name)
async def test_an_awaitable_method_makes_its_call(method: Method) -> None:
    transport, arguments, result = prepared(method)
    api = AsyncAPI(AsyncRecorder(transport)).with_timeout(7.5)
    returned = await getattr(api, method.python_name)(*passed(method, arguments))
    check(method, transport, arguments, result, returned)


@pytest.mark.parametrize("method", METHODS, ids=by_name)
def test_both_faces_have_the_same_documented_signature(method: Method) -> None:
    blocking, awaitable = getattr(API, method.python_name), getattr(AsyncAPI, method.python_name)
    assert inspect.iscoroutinefunction(awaitable)
    assert not inspect.iscoroutinefunction(blocking)
    alike = str(inspect.signature(awaitable)).replace("AsyncContent", "Content")
    assert str(inspect.signature(blocking)) == alike
    assert blocking.__doc__ == awaitable.__doc__
    text = inspect.getdoc(blocking)
    assert text is not None
    assert f"Go name: ``{method.go_name}``." in text
    if method.minimum_version:
        assert f"Minimum server version: {method.minimum_version}." in text
    names = list(inspect.signature(blocking).parameters)[1:]
    assert all(f"    {name}: " in text or f"    *{name}: " in text for name in names)
    assert {field.python_name for field in method.params} <= set(names)
    assert "Raises:" in text


def test_there_is_nothing_else_on_a_face() -> None:
    for face in (API, AsyncAPI):
        public = {name for name in dir(face) if not name.startswith("_")}
        openings = {opening_name(method) for method in METHODS if opening_name(method)}
        assert openings == {"open_file", "open_path"}
        assert public == {method.python_name for method in METHODS} | openings | {"with_timeout"}


@pytest.mark.parametrize("method", [item for item in METHODS if opening_name(item)], ids=by_name)
async def test_content_can_be_opened_instead(method: Method) -> None:
    transport, arguments, _ = prepared(method)
    with getattr(API(transport), opening_name(method))(*arguments) as file:
        assert file.read(3) == CONTENT[:3]
        assert file.read() == CONTENT[3:]
    async with await getattr(AsyncAPI(AsyncRecorder(transport)), opening_name(method))(*arguments) as found:
        assert await found.read(3) == CONTENT[:3]
        assert [piece async for piece in found] == [CONTENT[3:5], CONTENT[5:]]
    assert [call[0].name for call in transport.calls] == [method.python_name] * 2
    assert inspect.getdoc(getattr(API, opening_name(method))) == inspect.getdoc(
        getattr(AsyncAPI, opening_name(method))
    )


def test_keywords_serve_as_well_as_positions() -> None:
    transport = Recorder(api_methods.API["get_users_in_team"].codec.encode_response([]))
    assert API(transport).get_users_in_team(team_id="t", per_page=10, page=0) == []
    assert api_methods.API["get_users_in_team"].codec.decode_request(transport.calls[0][1]) == ("t", 0, 10)


def test_an_error_of_the_server_is_raised() -> None:
    encode_error = api_methods.API["get_user"].codec.encode_error
    assert encode_error is not None
    error = AppError("none", id="app.user.missing", status_code=404, where="GetUser")
    with pytest.raises(NotFound, match="GetUser: none"):
        API(Recorder(encode_error(error))).get_user("u")


@pytest.mark.parametrize("method", [item for item in METHODS if unavailable(item)], ids=by_name)
def test_what_cannot_be_called_says_why(method: Method) -> None:
    function = getattr(API(Recorder()), method.python_name)
    arguments = [None] * len(inspect.signature(function).parameters)
    with pytest.raises(NotSupported, match=re.escape(unavailable(method))) as caught:
        function(*arguments)
    assert caught.value.method == method.go_name
