"""Reads messages field by field, whatever legal form they have.

Fields may come in any order and more than once: the last one counts, lists and dicts gather them, messages
are merged. What nobody knows is skipped. The functions of `decoders` are quicker, and leave to this one all
that does not look as it usually does.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from mattermost_plugin._codec.forms import CHUNKS, NUMBERS, Field, Form
from mattermost_plugin._codec.plans import MODEL, TUPLE, Plan, plan_of_entry, plan_of_field
from mattermost_plugin._codec.single import content_of, number_of, packed, wire_type, zero_of
from mattermost_plugin._codec.wire import (
    CHUNK,
    MAX_DEPTH,
    DecodeError,
    read_size,
    read_tag,
    skip,
    too_deep,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    # Arguments: reader, field, begin and end of the content.
    Put: TypeAlias = Callable[["_Reader", Field, int, int], None]

__all__ = ["default_of", "read_message", "readers"]

_new = object.__new__
#: Kinds that are read as one piece: the parts of a message that comes in several are put together first.
#: Where a part is in a message that comes in parts itself, the last one counts.
_WHOLE = frozenset("vtEx")


def readers(fields: tuple[Field, ...]) -> dict[int, tuple[Put, Field]]:
    """Return the `readers` of a plan with these fields."""
    found: dict[int, tuple[Put, Field]] = {}
    for field in fields:
        form, number = field.form, field.number << 3
        if form.kind == "{":
            found[number | CHUNK] = _Reader.put_entry, field
        elif form.kind == "[":
            found[number | wire_type(form.inside.kind)] = _Reader.put_item, field
            if form.inside.kind in NUMBERS:
                found[number | CHUNK] = _Reader.put_packed, field
        elif form.kind in "m(":
            found[number | CHUNK] = _Reader.put_message, field
        elif form.kind in _WHOLE:
            found[number | CHUNK] = _Reader.put_whole, field
        else:
            found[number | wire_type(form.kind)] = _Reader.put_value, field
    return found


def read_message(plan: Plan, data: bytes, at: int, end: int, depth: int) -> Any:
    """Return what a message holds; arguments as of `Plan.decode`.

    Raises:
        DecodeError: It is malformed.
    """
    if plan.shape == MODEL:
        holder: Any = _new(plan.model)
    else:
        holder = SimpleNamespace()
    for field in plan.fields:
        setattr(holder, field.name, default_of(field.form))
    _Reader(holder, data, depth).read(plan, at, end)
    if plan.shape == MODEL:
        return holder
    values = tuple(getattr(holder, field.name) for field in plan.fields)
    return values if plan.shape == TUPLE else values[0]


class _Reader:
    """Reads a message into something that has its fields as attributes."""

    __slots__ = ("_data", "_depth", "_holder", "_parts")

    def __init__(self, holder: Any, data: bytes, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise too_deep()
        self._holder = holder
        self._data = data
        self._depth = depth
        # Field -> what came of it, of those that are read as one piece.
        self._parts: dict[int, bytes] = {}

    def read(self, plan: Plan, at: int, end: int) -> None:
        """Read the message, which is a part of the data."""
        data = self._data
        find = plan.readers.get
        while at < end:
            tag, at = read_tag(data, at)
            found = find(tag)
            if found is None:
                at = skip(data, at, tag, self._depth)
                continue
            put, field = found
            before = at
            if tag & 7 == CHUNK:
                size, before = read_size(data, at)
                at = before + size
            else:
                at = skip(data, at, tag, self._depth)
            if at > end:
                break
            put(self, field, before, at)
        if at != end:
            raise DecodeError("a message is cut short")

    def put_value(self, field: Field, at: int, stop: int) -> None:
        setattr(self._holder, field.name, self._value(field.form, at, stop))

    def put_whole(self, field: Field, at: int, stop: int) -> None:
        content = self._parts.get(field.number, b"") + self._data[at:stop]
        self._parts[field.number] = content
        setattr(self._holder, field.name, content_of(field.form, content))

    def put_message(self, field: Field, at: int, stop: int) -> None:
        present = getattr(self._holder, field.name)
        if present is None:
            self.put_value(field, at, stop)
            return
        plan = plan_of_field(field.form)
        if field.form.kind == "(":
            present = SimpleNamespace(**{plan.fields[0].name: present})
        _Reader(present, self._data, self._depth + 1).read(plan, at, stop)

    def put_item(self, field: Field, at: int, stop: int) -> None:
        getattr(self._holder, field.name).append(self._value(field.form.inside, at, stop))

    def put_packed(self, field: Field, at: int, stop: int) -> None:
        found = packed(field.form.inside.kind, self._data, at, stop)
        getattr(self._holder, field.name).extend(found)

    def put_entry(self, field: Field, at: int, stop: int) -> None:
        plan = plan_of_entry(field.form)
        key, value = plan.decode(self._data, at, stop, self._depth + 1)
        getattr(self._holder, field.name)[key] = value

    def _value(self, form: Form, at: int, stop: int) -> Any:
        kind = form.kind
        if kind in "m(":
            return plan_of_field(form).decode(self._data, at, stop, self._depth + 1)
        return content_of(form, self._data[at:stop]) if kind in CHUNKS else number_of(kind, self._data, at)


def default_of(form: Form) -> Any:
    """Return the value of a field that is not there."""
    kind = form.kind
    if form.presence in ("?", "*") or kind in "vxE":
        return None
    if kind == "(":
        return default_of(form.inside)
    if kind == "[":
        return []
    if kind == "{":
        return {}
    if kind == "m":
        return read_message(plan_of_field(form), b"", 0, 0, 0)
    return zero_of(form)
