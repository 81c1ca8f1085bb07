"""What the generated tables say, as objects.

A table (`mattermost_plugin._gen.layouts`) has a string for each message: its fields, each as
`number name form [reference]`, with `; ` between them. A form is one letter for the kind:

======  =====================================================================================
letter  meaning
======  =====================================================================================
`s`     `str`
`b`     `bool`
`i`     `int` that fits 64 bits with a sign, `I` 32 bits
`U`     `int` that fits 64 bits without a sign, `u` 32 bits
`d`     `float` of 64 bits, `f` of 32 bits
`y`     `bytes`
`e`     an open enum, which the reference names as `module/name`
`m`     a model, named in the same way
`x`     one of the exceptions that stand for a Go type of error, named by its message
`E`     Go's `error`: any exception
`t`     `time.Time`: an aware `datetime`
`v`     what Go's `any` holds
======  =====================================================================================

In front of it may stand:

======  =====================================================================================
sign    meaning
======  =====================================================================================
`?`     None if the field is not there
`*`     a pointer to a model: None if the field is not there, but never sent so
`[`     a list of what follows; None is sent as an empty one
`{`     a dict from `str` to what follows; None is sent as an empty one
`{=`    a dict whose keys are an open enum, named by the first reference
`(`     a list or dict in a message of its own, as its field 1
`!`     of a method's response: ends the call in another way than by its results
======  =====================================================================================
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CHUNKS", "NUMBERS", "Field", "Form", "parse"]

#: Kinds whose content has a length in front.
CHUNKS = frozenset("syemxEtv[{(")
#: Kinds that protobuf packs in a list.
NUMBERS = frozenset("biuUIdf")

_PYTHON = {
    **dict.fromkeys("iIuU", "int"),
    **dict.fromkeys("df", "float"),
    "s": "str",
    "b": "bool",
    "y": "bytes",
    "t": "datetime",
    "v": "Any",
    "E": "Exception",
}

#: Messages of exceptions -> their class in Python.
_EXCEPTIONS = {"ErrorString": "ServerError", "PqError": "DatabaseError"}


class Form(NamedTuple):
    """How a value travels.

    Attributes:
        kind: A letter, or one of `[`, `{` and `(`.
        presence: `?`, `*`, `!` or nothing.
        reference: Of `e`, `m` and `x`: `module/name`.
        item: Of a list, a dict and what is wrapped: what it holds.
        key: Of a dict: its keys.
    """

    kind: str
    presence: str = ""
    reference: str = ""
    item: Form | None = None
    key: Form | None = None

    @property
    def inside(self) -> Form:
        """What a list, a dict or a wrapper holds."""
        assert self.item is not None
        return self.item

    @property
    def expected(self) -> str:
        """The type of the values, as an annotation shows it."""
        if self.kind == "(":
            text = self.inside.expected
        elif self.kind == "[":
            text = f"list[{self.inside.expected}]"
        elif self.kind == "{":
            assert self.key is not None
            text = f"dict[{self.key.expected}, {self.inside.expected}]"
        elif self.reference:
            name = self.reference.rpartition("/")[2]
            text = _EXCEPTIONS.get(name, name) if self.kind == "x" else name
        else:
            text = _PYTHON[self.kind]
        return f"{text} | None" if self.presence == "?" and text != "Any" else text


class Field(NamedTuple):
    """A field of a message."""

    number: int
    name: str
    form: Form


def parse(table: str) -> tuple[Field, ...]:
    """Return the fields that a table lists."""
    return tuple(_field(entry) for entry in table.split("; ")) if table else ()


def _field(entry: str) -> Field:
    number, name, form, *references = entry.split(" ")
    return Field(int(number), name, _form(form, references))


def _form(text: str, references: list[str]) -> Form:
    first = text[0]
    if first in "?*!":
        return _form(text[1:], references)._replace(presence=first)
    if first == "{":
        key = Form("s")
        if text[1] == "=":
            key = Form("e", reference=references[0])
            text, references = text[1:], references[1:]
        return Form("{", item=_form(text[1:], references), key=key)
    if first in "[(":
        return Form(first, item=_form(text[1:], references))
    return Form(first, reference=references[0] if references else "")
