"""Docstrings of hooks and API methods."""

from __future__ import annotations

import re

from codegen.lowered import Conversion, ConversionKind, Field, Message, Method
from codegen.python_glossary import model_note, parameter_note, result_note
from codegen.python_methods import (
    can_reject,
    hook_annotation,
    is_hook,
    parameters,
    result_fields,
    streamed_parameters,
    unavailable,
)
from codegen.python_text import Glossary, description, docstring, summary_and_rest

# Sentences of Go's comments about what to return, which is not what to return in Python.
_GO_RETURN = re.compile(
    r"(?:To (?:reject|modify|allow|dismiss)|Return values should|Returning a non.empty string)\b[^.]*\."
    r"(?:[a-z][^.]*\.)*\s*"
)

_APP_ERROR = (
    "the server refuses or fails; `NotFound`, `Forbidden` and its other subclasses tell the HTTP status."
)
_ANY_ERROR = "the server refuses or fails (`AppError`, `ServerError`, `DatabaseError`)."
_CALL = "the call itself fails: `Unavailable`, `DeadlineExceeded`, `NotConnected`, `CallFailed`"


# Words of names that no sentence has in that form.
_SHORT = {
    "ldap": "LDAP",
    "opts": "options",
    "params": "parameters",
    "saml": "SAML",
    "sql": "SQL",
    "tx": "transaction",
    "xml": "XML",
}

# What a streamed parameter is.
_CONTENT = (
    "The content: bytes, a binary file that is open for reading, or an iterable of bytes; `AsyncAPI` "
    "takes asynchronous files and iterables as well. It is sent in pieces as it is read, and not closed."
)
_HOOK_FILES = (
    (
        "What was uploaded, to be read once from its beginning: a binary file for `def`, an "
        "`AsyncReader` for `async def`."
    ),
    (
        "What is written here replaces the content; nothing written leaves it as it is. A binary file "
        "for `def`, an `AsyncWriter` for `async def`. If the hook raises after it has written, the "
        "upload is refused: half a file is none."
    ),
)


def method_docstring(method: Method, glossary: Glossary) -> str:
    """Return the docstring of a hook or API method, indented for a class body."""
    summary, body = summary_and_rest(method_texts(method, glossary))
    summary = summary or f"Mattermost's ``{method.go_name}``."
    missing = unavailable(method)
    if missing:
        body.append(f"{missing}.")
    sections: list[tuple[str, list[tuple[str, str]]]] = []
    arguments = _arguments(method, glossary)
    if arguments:
        sections.append(("Args", arguments))
    returns = _hook_result(method) if is_hook(method) else _api_result(method)
    if returns:
        sections.append(("Returns", [("", returns)]))
    raises = [] if is_hook(method) else _raises(method)
    if raises:
        sections.append(("Raises", raises))
    version = method.minimum_version
    origin = f"Go name: ``{method.go_name}``."
    if version:
        origin += f" Minimum server version: {version}."
    body.append(origin)
    return docstring(summary, body, sections, indent="        ")


def opening_docstring(method: Method, glossary: Glossary) -> str:
    """Return the docstring of the form of a method that returns its content as an open file."""
    body = [
        (
            "Nothing of the content is kept but what has come and was not read. "
            "Close the file, or use it in a `with` block (`async with` for `AsyncAPI`)."
        ),
        f"Go name: ``{method.go_name}``. Minimum server version: {method.minimum_version}.",
    ]
    sections = [
        ("Args", _arguments(method, glossary)),
        ("Returns", [("", "The content as a file to read from, which cannot seek.")]),
        ("Raises", _raises(method)),
    ]
    summary = f"Like `{method.python_name}`, but opens the content to be read in pieces."
    return docstring(summary, body, sections, indent="        ")


def method_texts(method: Method, glossary: Glossary) -> list[str]:
    """Return the paragraphs about a hook or API method."""
    names = {field.go_name: field.python_name for field in method.params}
    texts = description(method.doc, method.go_name, glossary, names)
    if is_hook(method):
        texts = [shorter for text in texts if (shorter := _GO_RETURN.sub("", text).strip())]
    return texts


def model_texts(message: Message, glossary: Glossary) -> list[str]:
    """Return the paragraphs about a model; the first sentence says what it is."""
    known = model_note(message.python_name)
    if known:
        return [known]
    texts = description(message.doc, message.go_type.rpartition(".")[2], glossary)
    return texts or [_words_of(message.python_name)]


def _words_of(name: str) -> str:
    """Return the name of a class as a sentence."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).split()
    lower = [word if word.isupper() else word.lower() for word in words]
    text = " ".join(_SHORT.get(word, word) for word in lower)
    return f"{text[0].upper()}{text[1:]}."


def _arguments(method: Method, glossary: Glossary) -> list[tuple[str, str]]:
    notes = {
        f"*{field.python_name}" if field.variadic else field.python_name: _argument(method, field, glossary)
        for field in method.params
    }
    streams = [stream.python_name for stream in streamed_parameters(method)]
    if is_hook(method):
        notes.update(zip(streams, _HOOK_FILES, strict=False))
    else:
        notes.update(dict.fromkeys(streams, _CONTENT))
    return [(name, notes[name]) for name, _ in parameters(method)]


def _argument(method: Method, field: Field, glossary: Glossary) -> str:
    if field.variadic:
        return "Names of fields and their values, in turn."
    text = " ".join(description(field.doc, field.go_name, glossary)) if field.doc else ""
    text = text or parameter_note(method.python_name, field.python_name, field.conversion)
    text = text or _thing(field.conversion, field.python_name)
    if field.conversion.nullable and "None" not in text:
        text = f"{text.rstrip('.')}; None if there is none"
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


def _thing(conversion: Conversion, name: str) -> str:
    """Describe a value by its type and name, where nothing else is known."""
    words = name.strip("_").replace("_", " ")
    match conversion.kind:
        case ConversionKind.MESSAGE:
            return f"the `{conversion.message}`"
        case ConversionKind.ENUM:
            return f"one of `{conversion.enum}`, or another string"
        case ConversionKind.LIST if conversion.elem is not None and conversion.elem.message:
            return f"the `{conversion.elem.message}` objects"
        case ConversionKind.SCALAR if conversion.python_type == "bool":
            return f"whether to: {words}"
        case _:
            return f"the {words}"


def _hook_result(method: Method) -> str:
    accepted = hook_annotation(method)
    if accepted == "None":
        return ""
    if accepted == "Reject | None":
        return "`Reject` with the reason to refuse, None to allow it."
    known = result_note(method.go_name)
    if known:
        return known
    (first, *_) = result_fields(method)
    thing = _thing(first.conversion, "result")
    if can_reject(method):
        text = f"{thing} to go on with, None to leave it as it is, or `Reject` with the reason to refuse."
        if method.go_name == "MessageWillBePosted":
            text += " `Reject.dismiss()` drops the post without a word."
    else:
        text = f"{thing}, or None if there is none." if first.conversion.nullable else f"{thing}."
    return text[:1].upper() + text[1:]


def _api_result(method: Method) -> str:
    known = result_note(method.go_name)
    if known:
        return known
    fields = result_fields(method)
    if not fields:
        return ""
    if len(fields) > 1:
        raise ValueError(f"{method.path}: say in python_glossary what each of its results is")
    return f"The {_result(method, fields[0].conversion)}."


def _result(method: Method, conversion: Conversion) -> str:
    match conversion.kind:
        case ConversionKind.MESSAGE:
            text = f"`{conversion.message}`"
        case ConversionKind.LIST if conversion.elem is not None and conversion.elem.message:
            text = f"`{conversion.elem.message}` objects, possibly none"
        case _:
            raise ValueError(f"{method.path}: say in python_glossary what it returns")
    return f"{text}, or None if there is none" if conversion.nullable else text


def _raises(method: Method) -> list[tuple[str, str]]:
    found = []
    if method.error is not None:
        if method.error.conversion.kind is ConversionKind.MESSAGE:
            found.append(("AppError", f"If {_APP_ERROR}"))
        else:
            found.append(("PluginError", f"If {_ANY_ERROR}"))
    version = (
        f", or `NotSupported` by a server before {method.minimum_version}" if method.minimum_version else ""
    )
    found.append(("PluginError", f"If {_CALL}{version}."))
    if len(found) == 2 and found[0][0] == "PluginError":
        found = [("PluginError", f"If {_ANY_ERROR.rstrip('.')}, or {_CALL}{version}.")]
    return found
