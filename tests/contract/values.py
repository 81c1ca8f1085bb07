"""Python values of the contract's types with random content, and how to compare them."""

from __future__ import annotations

import datetime as dt
import random
from importlib import import_module
from typing import Any

from codegen.lowered import Conversion, ConversionKind, Message, Schema
from mattermost_plugin import errors
from mattermost_plugin._model import Model, OpenEnum, field_names
from tests.codegen.repository import schema

_MAX_OPEN = 2
_MAX_DEPTH = 4
_LETTERS = "abcXYZ019 _-./\\\"'\n\t\x00äßéλЖ中文字🎉\u200d\ufeff\uffff"
_INTEGERS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1), "uint32": (0, 2**32 - 1),
             "uint64": (0, 2**64 - 1)}  # fmt: skip
# Go types narrower than the protobuf type that carries them.
_NARROW = {"logr.Color": (0, 255)}
_EXCEPTIONS = ("AppError", "ErrorString", "PqError")


class PythonFiller:
    """Makes values with every field set to something else than its default.

    Args:
        seed: The same seed makes the same values.
        gob_only: Keep to what gob carries inside an interface, which is all that net/rpc can.
    """

    def __init__(self, seed: int, contract: Schema | None = None, *, gob_only: bool = False) -> None:
        self._random = random.Random(seed)
        self._gob_only = gob_only
        self._schema = contract or schema()
        self._open: list[str] = []
        self._depth = 0

    def value(self, name: str) -> Any:
        """Return a value of the type that a message stands for."""
        if name == "Value":
            return self.any()
        if name == "Error":
            return self.error()
        return self._struct(self._schema.message(name))

    def _struct(self, message: Message) -> Any:
        self._open.append(message.name)
        try:
            values = {field.python_name: self.of(field.conversion) for field in message.fields}
        finally:
            self._open.pop()
        if message.is_exception:
            return self._exception(message, values)
        model = getattr(import_module(f"mattermost_plugin.models.{message.module}"), message.python_name)
        return model(**values)

    def _exception(self, message: Message, values: dict[str, Any]) -> Exception:
        """An exception as decoding makes it: its class follows the content."""
        if message.name == "AppError":
            return errors.app_error(**values)
        if message.name == "PqError":
            values["sqlstate"] = values.pop("code")
            return errors.DatabaseError(**values)
        return errors.ServerError(values["err"], code=values["code"])

    def of(self, conversion: Conversion) -> Any:
        """Return a value of a field's, parameter's or result's type."""
        endless = any(
            self._open.count(item.message) >= _MAX_OPEN for item in conversion.walk() if item.message
        )
        match conversion.kind:
            case ConversionKind.LIST:
                if endless or conversion.elem is None:
                    return []
                return [self.of(conversion.elem) for _ in range(self._random.randint(1, 3))]
            case ConversionKind.MAP:
                if endless or conversion.elem is None or conversion.key is None:
                    return {}
                return {
                    self.of(conversion.key): self.of(conversion.elem)
                    for _ in range(self._random.randint(1, 3))
                }
            case ConversionKind.MESSAGE:
                if endless:
                    return None
                return self._struct(self._schema.message(conversion.message))
            case ConversionKind.ENUM:
                module = next(enum.module for enum in self._schema.enums() if enum.name == conversion.enum)
                enum = getattr(import_module(f"mattermost_plugin.models.{module}"), conversion.enum)
                return enum(self.text()) if self._random.random() < 0.5 else self._random.choice(list(enum))
            case ConversionKind.VALUE:
                return self.any()
            case ConversionKind.TIMESTAMP:
                return self.time()
            case ConversionKind.ERROR:
                return self.error()
        return self._scalar(conversion)

    def _scalar(self, conversion: Conversion) -> Any:
        match conversion.proto_type:
            case "bool":
                return True
            case "string":
                return self.text()
            case "bytes":
                return self._random.randbytes(self._random.randint(1, 8))
            case "double" | "float":
                return self.float()
        low, high = _NARROW.get(conversion.go_type, _INTEGERS[conversion.proto_type])
        return self._random.choice([low or 1, high, self._random.randint(1, high)])

    def text(self) -> str:
        return "".join(self._random.choices(_LETTERS, k=self._random.randint(1, 12)))

    def float(self) -> float:
        return self._random.choice([1.0, -0.5, float("inf"), 5e-324, self._random.gauss(0, 1e6)])

    def time(self) -> dt.datetime:
        first = dt.datetime(1, 1, 2, tzinfo=dt.timezone.utc)
        return first + dt.timedelta(
            days=self._random.randint(0, 3_600_000),
            seconds=self._random.randint(0, 86399),
            microseconds=self._random.randint(0, 999_999),
        )

    def error(self) -> Exception:
        name = self._random.choice(_EXCEPTIONS)
        error = self._struct(self._schema.message(name))
        assert isinstance(error, Exception)
        if isinstance(error, errors.ServerError):
            # The codes from 1 on are Go's well-known errors, which have texts of their own.
            error.code = self._random.choice([0, 2**40])
        return error

    def any(self) -> Any:
        """Return a value of each kind that ``any`` may hold, those registered with gob included."""
        self._depth += 1
        try:
            kinds = [self.text, self.float, self._integer, self._bytes, self._bool, self._complex]
            if not self._gob_only:
                kinds.append(self.time)
            if self._depth < _MAX_DEPTH:
                kinds += [self._list, self._dict, self._registered] * 2
            return self._random.choice(kinds)()
        finally:
            self._depth -= 1

    def _integer(self) -> int:
        edges = [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**64 - 1, self._random.randint(1, 2**62)]
        return self._random.choice(edges)

    def _bytes(self) -> bytes:
        return self._random.randbytes(4)

    def _bool(self) -> bool:
        return True

    def _complex(self) -> complex:
        return complex(self.float(), self.float())

    def _list(self) -> list[Any]:
        # A None keeps lists of one registered type what they are: lists of anything.
        return [self.any() for _ in range(self._random.randint(1, 3))] + [None]

    def _dict(self) -> dict[str, Any]:
        return {self.text(): self.any() for _ in range(self._random.randint(1, 3))}

    def _registered(self) -> Any:
        case = self._random.choice(self._schema.value_cases)
        return self.of(case.conversion) or self.text()


def differences(first: Any, second: Any, path: str = "") -> list[str]:
    """Return where two values differ; their types count.

    What comes back may remember that it was in Go, and is then an instance of a subclass.
    """
    exact = type(first) is type(second)
    if not exact and not (type(first) in (int, list) and isinstance(second, type(first))):
        return [f"{path}: {first!r} is not {second!r}"]
    if isinstance(first, Model):
        return _fields(first, second, field_names(first), path)
    if isinstance(first, BaseException):
        return _fields(first, second, tuple(sorted(set(vars(first)) | set(vars(second)))), path)
    if isinstance(first, list):
        if len(first) != len(second):
            return [f"{path}: length {len(first)} is not {len(second)}"]
        pairs = enumerate(zip(first, second, strict=True))
        return [text for index, (a, b) in pairs for text in differences(a, b, f"{path}[{index}]")]
    if isinstance(first, dict):
        if first.keys() != second.keys():
            return [f"{path}: keys {sorted(first)} are not {sorted(second)}"]
        return [text for key in first for text in differences(first[key], second[key], f"{path}[{key!r}]")]
    return [] if first == second else [f"{path}: {first!r} is not {second!r}"]


def _fields(first: Any, second: Any, names: tuple[str, ...], path: str) -> list[str]:
    return [
        text
        for name in names
        for text in differences(getattr(first, name, None), getattr(second, name, None), f"{path}.{name}")
    ]


def is_default(value: Any) -> bool:
    """Whether a field has the value that stands for Go's zero value."""
    if isinstance(value, OpenEnum):
        return value == ""
    return value is None or value in ("", 0, b"", [], {})


def same(first: Any, second: Any) -> bool:
    """Whether two values are equal in all that they consist of, their types included."""
    if type(first) is not type(second):
        return False
    if isinstance(first, Model):
        return all(same(getattr(first, name), getattr(second, name)) for name in field_names(first))
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, BaseException):
        return same(vars(first), vars(second))
    if isinstance(first, dt.datetime):
        return first == second and getattr(first, "_nanoseconds", 0) == getattr(second, "_nanoseconds", 0)
    return repr(first) == repr(second)  # as one NaN is another
