"""Codecs of methods that the compiled core carries out, where it is installed.

`speed/mattermost_plugin_speed/layouts.c` goes by the same tables as the codecs in Python. It knows the kinds
that most messages are made of (`_CARRIED`), and calls all others `o`. What is not ordinary (`o` and `!` that
are there, a value of another type, bytes that are no such message) it leaves to the codecs in Python, which
are the reference and know what to say when something is wrong. They are loaded when that first happens.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mattermost_plugin._codec.forms import NUMBERS, Field, Form, parse
from mattermost_plugin._codec.methods import Codec
from mattermost_plugin._compiled import compiled_layouts

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from mattermost_plugin._codec.methods import Method

__all__ = ["codec_of", "compiled_codec", "entries", "layout_of"]

#: The kinds that the compiled core reads and writes.
_CARRIED = frozenset("sbiUuyemv")


def codec_of(method: Method) -> Codec:
    """Return the codec of a method: the compiled core's where it is installed, otherwise that in Python."""

    def load() -> Codec:
        from mattermost_plugin._codec.method_codecs import python_codec

        return python_codec(method)

    return compiled_codec(method, load) or load()


def compiled_codec(method: Method, load: Callable[[], Codec]) -> Codec | None:
    """Return the codec of a method that the compiled core carries out; None: the one in Python serves.

    Args:
        method: The method.
        load: Returns the codec in Python.
    """
    engine = _engine()
    if engine is None or method.kind != "unary_unary":
        return None
    request, response = entries(parse(method.request)), entries(parse(method.response))
    if any(form in ("[o", "{o") for _, _, form, *_ in response):
        return None  # each answer would be left to Python
    load = functools.cache(load)
    ends_in_error = any(form == "!" and name == "error" for _, name, form, *_ in response)
    arguments, results = engine.Layout(None, request), engine.Layout(None, response)

    def encode_error(error: BaseException) -> bytes:
        encode = load().encode_error
        assert encode is not None  # as the table says
        return encode(error)

    return Codec(
        engine.Encoder(arguments, lambda *values: load().encode_request(*values)),
        engine.Decoder(arguments, lambda raw: load().decode_request(raw)),
        engine.Encoder(
            results,
            lambda result: load().encode_response(result),
            results=True,
            complete=method.service != "Hooks",
        ),
        engine.Decoder(results, lambda raw: load().decode_response(raw), results=True),
        encode_error if ends_in_error else None,
    )


def entries(fields: tuple[Field, ...]) -> tuple[tuple[Any, ...], ...]:
    """Return fields as the compiled core takes them: (number, name, form) and, where there is one, reference.

    Those that are no values come last.
    """
    found = [_entry(field) for field in fields]
    return tuple(sorted(found, key=lambda entry: entry[2] == "!"))


def _entry(field: Field) -> tuple[Any, ...]:
    form = field.form
    if form.presence == "!":
        return field.number, field.name, "!"
    many = form.kind if form.kind in "[{" else ""
    single = form.inside if many else form
    kind = single.kind
    if kind not in _CARRIED or (many == "[" and kind in NUMBERS) or (form.key or Form("s")).kind != "s":
        return field.number, field.name, f"{form.presence or many}o"
    entry = (field.number, field.name, f"{form.presence or many}{kind}")
    return (*entry, single.reference) if single.reference else entry


@functools.cache
def layout_of(reference: str) -> Any:
    """Return what the compiled core asks for: the layout of a model, or the known values of an enum.

    Args:
        reference: `module/name`.
    """
    from mattermost_plugin._model import Model, known

    module, _, name = reference.partition("/")
    found = getattr(import_module(f"mattermost_plugin.models.{module}"), name)
    if not issubclass(found, Model):
        return known(found)
    engine = _engine()
    assert engine is not None  # who else asks
    table = import_module(f"mattermost_plugin._gen.layouts.{module}").LAYOUTS[name]
    return engine.Layout(found, entries(parse(table)))


@functools.cache
def _engine() -> ModuleType | None:
    engine = compiled_layouts()
    if engine is not None:
        from mattermost_plugin._gen import value_cases

        numbers = (
            getattr(value_cases, name) for name in ("BOOL", "INT64", "DOUBLE", "STRING", "LIST", "MAP")
        )
        engine.start(layout_of, _decode_value, _encode_value, *numbers)
    return engine


def _decode_value(data: bytes) -> Any:
    from mattermost_plugin._codec.values import decode_value

    return decode_value(data)


def _encode_value(value: Any) -> bytes:
    from mattermost_plugin._codec.values import encode_value

    return encode_value(value)
