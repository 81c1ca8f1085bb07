"""Functions that read a message quickly: Python source made of its plan, compiled when it is worth it.

Messages come with their fields in the order of the numbers, each at most once, as every implementation of
protobuf writes them. So a function asks for one field after the other. What does not come so, and fields that
nobody knows, end up behind the last question: then `reading` starts anew.

Nothing checks the end of the message before the last line. What would be read beyond it belongs to another
message, and is thrown away when that line sees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mattermost_plugin._codec.forms import NUMBERS
from mattermost_plugin._codec.go_errors import decode_error, decode_exception
from mattermost_plugin._codec.plans import MODEL, TUPLE, known_values, plan_of_entry, plan_of_field
from mattermost_plugin._codec.reading import default_of, read_message
from mattermost_plugin._codec.single import DOUBLE, FLOAT, convert, packed, wire_type
from mattermost_plugin._codec.timestamps import decode_timestamp
from mattermost_plugin._codec.values import decode_value
from mattermost_plugin._codec.wire import (
    CHUNK,
    MAX_DEPTH,
    long_bytes,
    long_text,
    map_entry,
    read_size,
    read_varint,
    too_deep,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._codec.forms import Field, Form
    from mattermost_plugin._codec.plans import Plan

__all__ = ["decoder"]

_NAMES = {
    "_new": object.__new__,
    "convert": convert,
    "decode_error": decode_error,
    "decode_exception": decode_exception,
    "decode_timestamp": decode_timestamp,
    "decode_value": decode_value,
    "double": DOUBLE.unpack_from,
    "float": FLOAT.unpack_from,
    "long_bytes": long_bytes,
    "long_text": long_text,
    "map_entry": map_entry,
    "packed": packed,
    "read_message": read_message,
    "read_size": read_size,
    "read_varint": read_varint,
    "too_deep": too_deep,
}


def decoder(plan: Plan) -> Callable[[bytes, int, int, int], Any]:
    """Return the quick function for a plan's `decode`."""
    source = _Source(plan)
    exec(compile(source.text(), f"<decoder of {plan.place or 'a message'}>", "exec"), source.names)
    made: Callable[[bytes, int, int, int], Any] = source.names["decode"]
    return made


class _Source:
    """The source of a function, and what it names."""

    def __init__(self, plan: Plan) -> None:
        self.names: dict[str, Any] = {**_NAMES, "plan": plan}
        self._plan = plan
        self._lines: list[str] = []

    def text(self) -> str:
        plan, add = self._plan, self._lines.append
        add("def decode(data, at, end, depth):")
        add(f"    if depth > {MAX_DEPTH}:")
        add("        raise too_deep()")
        add("    begin = at")
        if plan.shape == MODEL:
            self.names["model"] = plan.model
            add("    o = _new(model)")
        self._next_tag("    ")
        for index, field in enumerate(plan.fields):
            self._field(field, self._target(index, field))
        add("    if tag != -1 or at != end:")
        add("        return read_message(plan, data, begin, end, depth)")
        targets = [self._target(index, field) for index, field in enumerate(plan.fields)]
        if plan.shape == MODEL:
            add("    return o")
        elif plan.shape == TUPLE:
            add(f"    return ({''.join(f'{target}, ' for target in targets)})")
        else:
            add(f"    return {targets[0]}")
        return "\n".join(self._lines)

    def _target(self, index: int, field: Field) -> str:
        return f"o.{field.name}" if self._plan.shape == MODEL else f"r{index}"

    def _next_tag(self, indent: str) -> None:
        """Add what reads the next tag."""
        add = self._lines.append
        add(f"{indent}if at < end:")
        add(f"{indent}    tag = data[at]")
        add(f"{indent}    at += 1")
        if any(
            field.number > 15 for field in self._plan.fields
        ):  # a tag of two bytes; one of more is nobody's
            add(f"{indent}    if tag > 127:")
            add(f"{indent}        tag += (data[at] << 7) - 128")
            add(f"{indent}        at += 1")
        add(f"{indent}else:")
        add(f"{indent}    tag = -1")

    def _field(self, field: Field, target: str) -> None:
        add, form = self._lines.append, field.form
        if form.kind == "[":
            inside = form.inside
            if inside.kind in NUMBERS:
                add(f"    if tag == {field.number << 3 | CHUNK}:")
                self._size("        ")
                add(f"        {target} = packed({inside.kind!r}, data, at, stop)")
                add("        at = stop")
                self._next_tag("        ")
                add("    else:")
                add(f"        {target} = []")
                return
            add(f"    {target} = x = []")
            add(f"    while tag == {field.number << 3 | CHUNK}:")
            self._single(inside, "v", "        ")
            add("        x.append(v)")
            self._next_tag("        ")
            return
        if form.kind == "{":
            add(f"    {target} = x = {{}}")
            add(f"    while tag == {field.number << 3 | CHUNK}:")
            self._size("        ")
            if form.inside.kind == "v" and form.key is not None and form.key.kind == "s":
                add("        k, v = map_entry(data[at:stop])")
                add("        x[k.decode()] = decode_value(v)")
            else:
                entry = self._name("P", plan_of_entry(form))
                add(f"        k, v = {entry}.decode(data, at, stop, depth + 1)")
                add("        x[k] = v")
            add("        at = stop")
            self._next_tag("        ")
            return
        add(f"    if tag == {field.number << 3 | wire_type(form.kind)}:")
        self._single(form, target, "        ")
        self._next_tag("        ")
        add("    else:")
        add(f"        {target} = {self._default(form)}")

    def _name(self, prefix: str, value: Any) -> str:
        name = f"{prefix}{len(self.names)}"
        self.names[name] = value
        return name

    def _default(self, form: Form) -> str:
        if form.presence not in ("?", "*") and form.kind in "m(":
            return f"{self._name('P', plan_of_field(form))}.decode(data, 0, 0, depth + 1)"
        value = default_of(form)
        return self._name("Z", value) if form.kind in "te" else repr(value)

    def _size(self, indent: str) -> None:
        add = self._lines.append
        add(f"{indent}size = data[at]")
        add(f"{indent}at += 1")
        add(f"{indent}if size > 127:")
        add(f"{indent}    size, at = read_size(data, at - 1)")
        add(f"{indent}stop = at + size")

    def _single(self, form: Form, target: str, indent: str) -> None:
        """Add what stores the value at the position, and moves it."""
        add, kind = self._lines.append, form.kind
        if kind in "sy":
            decode, long = (".decode()", "long_text") if kind == "s" else ("", "long_bytes")
            add(f"{indent}size = data[at]")
            add(f"{indent}if size < 128:")
            add(f"{indent}    at += 1")
            add(f"{indent}    stop = at + size")
            add(f"{indent}    {target} = data[at:stop]{decode}")
            add(f"{indent}    at = stop")
            add(f"{indent}else:")
            add(f"{indent}    {target}, at = {long}(data, at)")
        elif kind in NUMBERS:
            self._number(kind, target, indent)
        else:
            self._size(indent)
            add(f"{indent}{target} = {self._content(form)}")
            add(f"{indent}at = stop")

    def _number(self, kind: str, target: str, indent: str) -> None:
        add = self._lines.append
        if kind in "df":
            add(f"{indent}{target} = {'double' if kind == 'd' else 'float'}(data, at)[0]")
            add(f"{indent}at += {8 if kind == 'd' else 4}")
            return
        add(f"{indent}v = data[at]")
        add(f"{indent}at += 1")
        add(f"{indent}if v > 127:")
        add(f"{indent}    v, at = read_varint(data, at - 1)")
        if kind == "b":
            add(f"{indent}{target} = v != 0")
        elif kind == "i":
            add(f"{indent}{target} = v if v < {2**63} else v - {2**64}")
        else:
            add(f"{indent}{target} = convert({kind!r}, v)")

    def _content(self, form: Form) -> str:
        match form.kind:
            case "m" | "(":
                return f"{self._name('P', plan_of_field(form))}.decode(data, at, stop, depth + 1)"
            case "e":
                return f"{self._name('K', known_values(form.reference))}[data[at:stop].decode()]"
            case "x":
                return f"decode_exception({form.reference!r}, data[at:stop])"
            case "v":
                return "decode_value(data[at:stop])"
            case "t":
                return "decode_timestamp(data[at:stop])"
        return "decode_error(data[at:stop])"
