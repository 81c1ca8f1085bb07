"""A plugin that overrides every hook and calls every method of the API.

It writes down, as messages of the contract, what it saw and what it gave, in files that its host names
through `execute_command`:

- `/api FILE`: call every method of the API once.
- `/hooks OUTCOME FILE`: from now on, answer hooks so (value, none, reject, error) and note each.
- `/done`: no longer.
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mattermost_plugin import AppError, CommandResponse, Plugin, PluginError, Reject
from mattermost_plugin._gen.api_methods import API
from mattermost_plugin._gen.hook_methods import HOOKS
from tests.codegen.repository import schema
from tests.contract.values import PythonFiller

if TYPE_CHECKING:
    from typing import BinaryIO

    from codegen.lowered import Method as Lowered
    from mattermost_plugin._codec.methods import Method

LIFECYCLE = {"on_activate", "on_deactivate"}


class Notes:
    """The file of one examination."""

    def __init__(self, path: str, outcome: str) -> None:
        self.outcome = outcome
        self._path = Path(path)

    def write(
        self,
        method: Method,
        request: bytes,
        response: bytes,
        failure: str = "",
        content: bytes = b"",
        written: bytes = b"",
    ) -> None:
        note = {
            "method": method.go_name,
            "request": base64.b64encode(request).decode(),
            "response": base64.b64encode(response).decode(),
            "failure": failure,
            "content": base64.b64encode(content).decode(),
            "written": base64.b64encode(written).decode(),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")


class EveryMethod:
    """What both the hooks and the calls need; mixed into the plugin below."""

    api: Any
    notes: Notes | None = None

    def answer(self, method: Method, args: tuple[Any, ...]) -> Any:
        """Answer a hook as the examination wants it, and note the call."""
        if self.notes is None:
            return None
        codec, outcome = method.codec, self.notes.outcome
        try:
            request = codec.encode_request(*args)
            result = self._result(method, outcome)
            encode = codec.encode_error if isinstance(result, Exception) else codec.encode_response
            assert encode is not None
            # Nothing from execute_command is an empty response: to the server none means no such command.
            sent = CommandResponse() if result is None and method.name == "execute_command" else result
            self.notes.write(method, request, encode(sent))
        except Exception as error:
            self.notes.write(method, b"", b"", f"{type(error).__name__}: {error}")
            raise
        if isinstance(result, Exception):
            raise result
        return result

    def answer_file(self, method: Method, args: tuple[Any, ...], file: BinaryIO, output: BinaryIO) -> Any:
        """Answer a hook that reads a file and writes another, likewise."""
        if self.notes is None:
            return None
        codec, outcome = method.codec, self.notes.outcome
        try:
            request, content = codec.encode_request(*args), file.read()
            result = self._result(method, outcome)
            written = b"" if result is None or isinstance(result, Reject) else content[::-1]
            self.notes.write(method, request, codec.encode_response(result), content=content, written=written)
        except Exception as error:
            self.notes.write(method, b"", b"", f"{type(error).__name__}: {error}")
            raise
        output.write(written)
        return result

    def _result(self, method: Method, outcome: str) -> Any:
        if outcome == "error" and method.codec.encode_error is not None:
            # Users see the text of these errors; any other exception of a command is told by an id only.
            kind = AppError if method.name == "execute_command" else PluginError
            return kind(f"{method.name} does not like it")
        if outcome == "reject" and method.can_reject and lowered("Hooks", method).rejection_reason:
            return Reject(f"{method.name} does not want it")
        if outcome == "none":
            try:
                method.codec.encode_response(None)
            except TypeError:
                pass  # the hook has to return something
            else:
                return None
        return plain_result(method)

    def call_everything(self, path: str) -> None:
        """Call every method of the API and note what came back."""
        notes = Notes(path, "")
        for method in API.values():
            if method.unavailable:
                continue
            if method.kind == "unary_unary":
                self._call(method, notes)
            else:
                self._move(method, notes)

    def _move(self, method: Method, notes: Notes) -> None:
        """Call a method that takes or gives content."""
        codec, content, response = method.codec, b"", b""
        args = [filler(method).of(param.conversion) for param in lowered("API", method).params]
        request = codec.encode_request(*args)
        try:
            try:
                if method.kind == "unary_stream":
                    content = getattr(self.api, method.name)(*args)
                    response = codec.encode_response(None)
                else:
                    content = f"content for {method.name}\n".encode() * 30_000
                    streamed = lowered("API", method).request_stream
                    assert streamed is not None
                    args.insert(method.parameters.index(streamed.python_name), content)
                    response = codec.encode_response(getattr(self.api, method.name)(*args))
            except PluginError as error:
                assert codec.encode_error is not None
                response = codec.encode_error(error)
        except Exception as error:  # noqa: BLE001  as below
            notes.write(method, request, response, f"{type(error).__name__}: {error}")
        else:
            notes.write(method, request, response, content=content)

    def _call(self, method: Method, notes: Notes) -> None:
        codec, request, response = method.codec, b"", b""
        args = [filler(method).of(param.conversion) for param in lowered("API", method).params]
        try:
            request = codec.encode_request(*args)
            try:
                if method.parameters[-1:] == ("key_value_pairs",):
                    args[-1:] = args[-1]
                response = codec.encode_response(getattr(self.api, method.name)(*args))
            except PluginError as error:
                if codec.encode_error is None:
                    raise
                response = codec.encode_error(error)
        except Exception as error:  # noqa: BLE001  whatever goes wrong is a finding; the others are still called
            notes.write(method, request, response, f"{type(error).__name__}: {error}")
        else:
            notes.write(method, request, response)


def lowered(service: str, method: Method) -> Lowered:
    return next(item for item in schema().service(service).methods if item.go_name == method.go_name)


def filler(method: Method) -> PythonFiller:
    return PythonFiller(zlib.crc32(method.path.encode()), gob_only=True)


def plain_result(method: Method) -> Any:
    """Return a value of the type that the hook returns."""
    made = filler(method)
    values = tuple(made.of(field.conversion) for field in lowered("Hooks", method).values)
    if len(values) > 1:
        return values
    return values[0] if values else None


def overriding(method: Method) -> Any:
    def hook(self: EveryMethod, *args: Any) -> Any:
        if method.kind == "stream_stream":
            *rest, file, output = args
            return self.answer_file(method, tuple(rest), file, output)
        return self.answer(method, args)

    hook.__name__ = method.name
    return hook


def execute_command(self: EveryMethod, *args: Any) -> Any:
    words = args[1].command.split()
    match words:
        case ["/api", path]:
            self.call_everything(path)
        case ["/hooks", outcome, path]:
            self.notes = Notes(path, outcome)
        case ["/done"]:
            assert self.notes is not None
            self.notes = None
        case _:
            return self.answer(HOOKS["execute_command"], args)
    return CommandResponse(text="done")


OVERRIDDEN = {
    name: overriding(method)
    for name, method in HOOKS.items()
    if not method.unavailable and name not in LIFECYCLE
}
OVERRIDDEN["execute_command"] = execute_command
EveryMethodPlugin: Any = type("EveryMethodPlugin", (EveryMethod, Plugin), OVERRIDDEN)

if __name__ == "__main__":
    EveryMethodPlugin.run()
