"""How each message is read and written: made from the generated tables when it is first needed."""

from __future__ import annotations

import functools
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from mattermost_plugin._codec.forms import Field, Form, parse
from mattermost_plugin._model import known

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._codec.reading import Put
    from mattermost_plugin._model import Model, OpenEnum

__all__ = ["MODEL", "TUPLE", "VALUE", "Plan", "known_values", "plan_of", "plan_of_entry", "plan_of_field"]

#: What a message becomes: an instance of a model, a tuple of all values, or the value of its only field.
MODEL, TUPLE, VALUE = range(3)

#: So often a message is read field by field; then a function is compiled for it. Compiling takes as long as
#: some hundred such readings, and most messages of a configuration are read once.
_SLOW: Final = 16


class Plan:
    """Reads and writes one message.

    Attributes:
        shape: `MODEL`, `TUPLE` or `VALUE`.
        fields: The fields; where a reference is given instead, the first use loads their table.
        place: What errors put in front of a field's name, such as `Post.`.
        reference: `module/name` of a model, or of an exception's message.
        model: The class; only of `MODEL`. The first use imports it.
        readers: What `reading` goes by: tag on the wire -> what takes the content, and the field.
        decode: Returns what a part of some data holds. Arguments: data, begin, end, depth of nesting.
        encode: Appends the serialized message to a list of bytes. Arguments: value, list.
    """

    __slots__ = ("_uses", "decode", "encode", "fields", "model", "place", "readers", "reference", "shape")

    decode: Callable[[bytes, int, int, int], Any]
    encode: Callable[[Any, list[bytes]], None]
    fields: tuple[Field, ...]
    model: type[Model]
    readers: dict[int, tuple[Put, Field]]

    def __init__(
        self, shape: int, fields: tuple[Field, ...] | None = None, *, place: str = "", reference: str = ""
    ) -> None:
        self.shape = shape
        if fields is not None:
            self.fields = fields
        self.place = place
        self.reference = reference
        self.decode = self._read
        self._uses = 0

    def __getattr__(self, name: str) -> Any:
        # What is made when it is first used gets here once.
        made: Any
        if name == "fields":
            module, _, message = self.reference.partition("/")
            made = parse(import_module(f"mattermost_plugin._gen.layouts.{module}").LAYOUTS[message])
        elif name == "model":
            module, _, class_name = self.reference.partition("/")
            made = getattr(import_module(f"mattermost_plugin.models.{module}"), class_name)
        elif name == "readers":
            from mattermost_plugin._codec.reading import readers

            made = readers(self.fields)
        elif name == "encode":
            from mattermost_plugin._codec.encoders import encoder

            made = encoder(self)
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        setattr(self, name, made)
        return made

    def _read(self, data: bytes, at: int, end: int, depth: int) -> Any:
        self._uses += 1
        if self._uses > _SLOW:
            from mattermost_plugin._codec.decoders import decoder

            self.decode = decoder(self)
            return self.decode(data, at, end, depth)
        from mattermost_plugin._codec.reading import read_message

        return read_message(self, data, at, end, depth)


@functools.cache
def plan_of(reference: str) -> Plan:
    """Return the plan of a model, or of the message of an exception.

    Args:
        reference: `module/name`.
    """
    module, _, name = reference.partition("/")
    # The messages of this module are exceptions in Python, which `go_errors` makes.
    return Plan(TUPLE if module == "error" else MODEL, place=f"{name}.", reference=reference)


def plan_of_field(form: Form) -> Plan:
    """Return the plan of the message that a field of kind `m` or `(` holds."""
    return _wrapper(form) if form.kind == "(" else plan_of(form.reference)


@functools.cache
def _wrapper(form: Form) -> Plan:
    return Plan(VALUE, (Field(1, "items", form.inside),))


@functools.cache
def plan_of_entry(form: Form) -> Plan:
    """Return the plan of an entry of a dict: a tuple of key and value."""
    assert form.key is not None
    # An entry without a value has an empty one.
    return Plan(TUPLE, (Field(1, "key", form.key), Field(2, "value", form.inside._replace(presence=""))))


@functools.cache
def known_values(reference: str) -> dict[str, Any]:
    """Return the mapping from strings to the values of an open enum.

    Args:
        reference: `module/name`.
    """
    module, _, name = reference.partition("/")
    enum: type[OpenEnum] = getattr(import_module(f"mattermost_plugin.models.{module}"), name)
    return known(enum)
