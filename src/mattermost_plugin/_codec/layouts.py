"""Codecs of methods that the compiled core carries out, where it is installed.

`mattermost_plugin._gen.layouts` says of each model, and `_gen.method_layouts` of each request and response,
which fields it has: (number, name, form) and, where the form needs one, `module/name` of a model or enum. The
compiled core (`speed/mattermost_plugin_speed/layouts.c`) turns bytes into models and back by it, without an
object of the protobuf library in between.

A form is one letter for the kind, with one in front of it for how often the field is there:

======  =====================================================================================
letter  meaning
======  =====================================================================================
`s`     `str`
`b`     `bool`
`i`     `int` that fits 64 bits with a sign
`U`     `int` that fits 64 bits without one, `u` 32 bits
`y`     `bytes`
`e`     an open enum
`m`     a model
`v`     what Go's `any` holds
`o`     anything else: a time, an error, a list in a list
`!`     what ends a call in another way than by its results: an error, a reason for a rejection
`?`     in front: None if it is not there
`*`     in front of a model: None if it is not there, but never sent so
`[`     in front: a list of these; None is sent as an empty one
`{`     in front: a dict from `str` to these; None is sent as an empty one
======  =====================================================================================

What is not ordinary (`o` and `!` that are there, a value of another type, bytes that are no such message) the
compiled core leaves to the codecs in Python (`_gen.codecs`, `_gen.methods`), which are the reference and know
what to say when something is wrong. They, and protobuf's library, are loaded when that first happens.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from mattermost_plugin._compiled import compiled_layouts

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from mattermost_plugin._runtime.methods import Codec

__all__ = ["Fields", "MethodLayout", "layout_of", "with_layouts"]

# (number, name, form) or (number, name, form, "module/name").
Fields = tuple[tuple[Any, ...], ...]


class MethodLayout(NamedTuple):
    """What a method sends and returns.

    Attributes:
        arguments: The fields of the request, in the order of the parameters.
        results: The fields of the response, in the order of the results; those that are none come last.
        has_error: It can answer with an error.
        complete: A list or dict among the results must be there. (A hook may return None for it.)
    """

    arguments: Fields
    results: Fields
    has_error: bool
    complete: bool


def with_layouts(module: str, name: str, load: Callable[[], Codec]) -> Codec:
    """Return the codec of a method: one that the compiled core carries out, or what `load` returns.

    Args:
        module: Dotted name of the module in `_gen.methods` that has the method.
        name: Python name of the method.
        load: Returns the codec in Python.
    """
    engine = _engine()
    layout = None if engine is None else _method_layout(module, name)
    return load() if engine is None or layout is None else _compiled_codec(engine, layout, load)


def _compiled_codec(engine: ModuleType, layout: MethodLayout, load: Callable[[], Codec]) -> Codec:
    from mattermost_plugin._runtime.methods import Codec

    arguments = engine.Layout(None, layout.arguments)
    results = engine.Layout(None, layout.results)

    def encode_error(error: BaseException) -> bytes:
        encode = load().encode_error
        assert encode is not None  # as the layout says
        return encode(error)

    return Codec(
        engine.Encoder(arguments, lambda *values, **named: load().encode_request(*values, **named)),
        engine.Decoder(arguments, lambda raw: load().decode_request(raw)),
        engine.Encoder(
            results, lambda result: load().encode_response(result), results=True, complete=layout.complete
        ),
        engine.Decoder(results, lambda raw: load().decode_response(raw), results=True),
        encode_error if layout.has_error else None,
    )


def _method_layout(module: str, name: str) -> MethodLayout | None:
    """Return what a method sends and returns; None: the compiled core does not carry out its codec."""
    home = module.replace("._gen.methods.", "._gen.method_layouts.")
    try:
        methods: dict[str, MethodLayout] = import_module(home).METHODS
    except ModuleNotFoundError as error:
        if error.name != home:
            raise
        return None  # it would have no method in it
    return methods.get(name)


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
    return engine.Layout(found, import_module(f"mattermost_plugin._gen.layouts.{module}").LAYOUTS[name])


@functools.cache
def _engine() -> ModuleType | None:
    engine = compiled_layouts()
    if engine is not None:
        from mattermost_plugin._codec.values_special import decode_value, encode_value
        from mattermost_plugin._gen import value_cases

        numbers = (
            getattr(value_cases, name) for name in ("BOOL", "INT64", "DOUBLE", "STRING", "LIST", "MAP")
        )
        engine.start(layout_of, decode_value, encode_value, *numbers)
    return engine
