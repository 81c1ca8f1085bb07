"""Functions that write a message: Python source made of its plan, compiled when they are first needed.

They take for granted that every value is what its field holds. A value that is not lets them raise something,
and `problems.explain` then says which one it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mattermost_plugin._codec.conversions import (
    checked_dict,
    checked_list,
    double,
    integer,
    number,
    raw,
    single,
    text,
)
from mattermost_plugin._codec.forms import NUMBERS
from mattermost_plugin._codec.go_errors import encode_error, encode_exception
from mattermost_plugin._codec.plans import MODEL, TUPLE, plan_of_field
from mattermost_plugin._codec.problems import ENCODING_ERRORS, Unfit, explain
from mattermost_plugin._codec.single import wire_type
from mattermost_plugin._codec.timestamps import encode_timestamp
from mattermost_plugin._codec.values import encode_value
from mattermost_plugin._codec.wire import CHUNK, SHORT, varint

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._codec.forms import Field, Form
    from mattermost_plugin._codec.plans import Plan

__all__ = ["encoder"]


def _put_message(plan: Plan, value: Any, tag: bytes, out: list[bytes]) -> None:
    if value.__class__ is not plan.model and not isinstance(value, plan.model):
        raise Unfit
    _put_plan(plan, value, tag, out)


def _put_plan(plan: Plan, value: Any, tag: bytes, out: list[bytes]) -> None:
    parts: list[bytes] = []
    plan.encode(value, parts)
    out += (tag, varint(sum(map(len, parts))))
    out += parts


_NAMES = {
    "ENCODING_ERRORS": ENCODING_ERRORS,
    "S": SHORT,
    "Unfit": Unfit,
    "checked_dict": checked_dict,
    "checked_list": checked_list,
    "double": double,
    "encode_error": encode_error,
    "encode_exception": encode_exception,
    "encode_timestamp": encode_timestamp,
    "encode_value": encode_value,
    "explain": explain,
    "integer": integer,
    "number": number,
    "put_message": _put_message,
    "put_plan": _put_plan,
    "raw": raw,
    "single": single,
    "text": text,
    "varint": varint,
}


def encoder(plan: Plan) -> Callable[[Any, list[bytes]], None]:
    """Return the function for a plan's `encode`."""
    source = _Source(plan)
    exec(compile(source.text(), f"<encoder of {plan.place or 'a message'}>", "exec"), source.names)
    made: Callable[[Any, list[bytes]], None] = source.names["encode"]
    return made


class _Source:
    """The source of a function, and what it names."""

    def __init__(self, plan: Plan) -> None:
        self.names: dict[str, Any] = {**_NAMES, "plan": plan}
        self._plan = plan
        self._lines: list[str] = []

    def text(self) -> str:
        plan, add = self._plan, self._lines.append
        add("def encode(o, out):")
        if plan.shape not in (MODEL, TUPLE):
            add("    v = o")
            self._field(plan.fields[0], "    ")
        elif plan.fields:
            add("    try:")
            for index, field in sorted(enumerate(plan.fields), key=lambda item: item[1].number):
                add(f"        v = o.{field.name}" if plan.shape == MODEL else f"        v = o[{index}]")
                self._field(field, "        ")
            add("    except ENCODING_ERRORS as error:")
            add("        raise explain(error, plan, o) from None")
        else:
            add("    pass")
        return "\n".join(self._lines)

    def _field(self, field: Field, indent: str) -> None:
        """Add what writes the field whose value is in `v`."""
        form = field.form
        guard = _guard(form)
        if guard:
            self._lines.append(f"{indent}if {guard}:")
            indent += "    "
        self._put(form, field.number, "v", "out", indent, explicit=form.presence == "?")

    def _name(self, prefix: str, value: Any) -> str:
        name = f"{prefix}{len(self.names)}"
        self.names[name] = value
        return name

    def _put(
        self, form: Form, number: int, value: str, out: str, indent: str, *, explicit: bool = True
    ) -> None:
        """Add what writes a value.

        Args:
            form: How it travels.
            number: Of the field.
            value: The variable that holds it, which may be used for other things then.
            out: The variable of the list to write to.
            indent: What lines begin with.
            explicit: A zero is written too.
        """
        add, kind = self._lines.append, form.kind
        if kind == "[":
            self._put_list(form.inside, number, value, out, indent)
            return
        if kind == "{":
            self._put_dict(form, number, value, out, indent)
            return
        tag = repr(varint(number << 3 | wire_type(kind)))
        if kind in "se":
            add(f"{indent}if {value}.__class__ is not str:")
            add(f"{indent}    {value} = text({value})")
            add(f"{indent}c = {value}.encode()")
            self._put_content(tag, out, indent)
        elif kind == "y":
            add(f"{indent}c = {value} if {value}.__class__ is bytes else raw({value})")
            self._put_content(tag, out, indent)
        elif kind == "i":
            add(f"{indent}if {value}.__class__ is not int:")
            add(f"{indent}    {value} = integer({value})")
            add(f"{indent}if 0 <= {value} < {2**63}:")
            add(f"{indent}    {out} += ({tag}, varint({value}))")
            add(f"{indent}else:")
            add(f"{indent}    {out} += ({tag}, number('i', {value}))")
        elif kind == "b":
            one, zero = repr(varint(number << 3) + b"\1"), repr(varint(number << 3) + b"\0")
            add(f"{indent}if {value} is True:")
            add(f"{indent}    {out}.append({one})")
            add(f"{indent}elif {value} is False:")
            add(f"{indent}    {out}.append({zero})")
            add(f"{indent}else:")
            add(f"{indent}    raise Unfit")
        elif kind in NUMBERS:
            add(f"{indent}c = {_number(kind, value)}")
            if kind in "df" and not explicit:
                add(f"{indent}if any(c):")  # -0.0 is no zero
                indent += "    "
            add(f"{indent}{out} += ({tag}, c)")
        elif kind == "m":
            plan = self._name("P", plan_of_field(form))
            add(f"{indent}put_message({plan}, {value}, {tag}, {out})")
        elif kind == "(":
            plan = self._name("P", plan_of_field(form))
            add(f"{indent}put_plan({plan}, {value}, {tag}, {out})")
        else:
            function = {"v": "encode_value", "t": "encode_timestamp", "E": "encode_error"}.get(kind)
            call = f"{function}({value})" if function else f"encode_exception({form.reference!r}, {value})"
            add(f"{indent}c = {call}")
            self._put_content(tag, out, indent)

    def _put_content(self, tag: str, out: str, indent: str) -> None:
        add = self._lines.append
        add(f"{indent}n = len(c)")
        add(f"{indent}if n < 128:")
        add(f"{indent}    {out} += ({tag}, S[n], c)")
        add(f"{indent}else:")
        add(f"{indent}    {out} += ({tag}, varint(n), c)")

    def _put_list(self, inside: Form, number: int, value: str, out: str, indent: str) -> None:
        add = self._lines.append
        add(f"{indent}if {value}.__class__ is not list:")
        add(f"{indent}    {value} = checked_list({value})")
        if inside.kind in NUMBERS:
            add(f"{indent}c = b''.join([{_number(inside.kind, 'e')} for e in {value}])")
            self._put_content(repr(varint(number << 3 | CHUNK)), out, indent)
            return
        add(f"{indent}for e in {value}:")
        self._put(inside, number, "e", out, f"{indent}    ")

    def _put_dict(self, form: Form, number: int, value: str, out: str, indent: str) -> None:
        add, tag = self._lines.append, repr(varint(number << 3 | CHUNK))
        inner = f"{indent}    "
        add(f"{indent}if {value}.__class__ is not dict:")
        add(f"{indent}    {value} = checked_dict({value})")
        add(f"{indent}for k, e in {value}.items():")
        if form.inside.kind == "v":
            # What most dicts hold, without a list of its own for each entry.
            add(f"{inner}if k.__class__ is not str:")
            add(f"{inner}    k = text(k)")
            add(f"{inner}k = k.encode()")
            add(f"{inner}c = encode_value(e)")
            add(f"{inner}n = varint(len(k))")
            add(f"{inner}s = varint(len(c))")
            add(f"{inner}t = varint(len(k) + len(n) + len(c) + len(s) + 2)")
            add(f"{inner}{out} += ({tag}, t, b'\\n', n, k, b'\\x12', s, c)")
            return
        assert form.key is not None
        add(f"{inner}p = []")
        self._put(form.key, 1, "k", "p", inner)
        self._put(form.inside, 2, "e", "p", inner)
        add(f"{inner}{out} += ({tag}, varint(sum(map(len, p))))")
        add(f"{inner}{out} += p")


def _guard(form: Form) -> str:
    """Return the condition under which a field is written; empty: always."""
    if form.presence == "?" or form.kind == "v":
        return "v is not None"
    return {
        "s": 'v != ""',
        "e": 'v != ""',
        "y": 'v != b""',
        **dict.fromkeys("iIuU", "v != 0"),
        "b": "v is not False",
        **dict.fromkeys("[{(", "v"),
    }.get(form.kind, "")


def _number(kind: str, value: str) -> str:
    """Return the source of a number's bytes."""
    function = {"d": "double", "f": "single"}.get(kind)
    return f"{function}({value})" if function else f"number({kind!r}, {value})"
