"""Protobuf message classes, built on first use in a descriptor pool of our own.

A private pool, because the global one may hold another copy of this package, or another version of it. Each
connected group of message types is a descriptor file of its own (`_gen/descriptors`), so that using `Post`
loads what a post can contain and nothing else.

The message classes come straight from protobuf's C extension where that is in use: the documented way to the
same objects, `google.protobuf.descriptor_pool`, first imports protobuf's pure Python implementation and takes
four times as long (70 ms and 8 MB against 15 ms and 2 MB).
"""

from __future__ import annotations

import functools
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import ClassVar, TypeAlias

    class ProtoMessage:
        """A protobuf message; its fields are made at run time, so any name passes for one."""

        DESCRIPTOR: ClassVar[Any]

        @classmethod
        def FromString(cls, data: bytes) -> ProtoMessage: ...  # noqa: N802
        def SerializeToString(self) -> bytes: ...  # noqa: N802
        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    MessageClass: TypeAlias = type[ProtoMessage]

__all__ = ["load", "message_class"]

_PACKAGE = "mattermost.plugin.v1"
_DESCRIPTORS = "mattermost_plugin._gen.descriptors."

# Re-entrant: loading a group loads the groups it depends on.
_lock = threading.RLock()
_classes: dict[str, MessageClass] = {}
_loaded: set[str] = set()


def message_class(key: str, name: str) -> MessageClass:
    """Return the class of a message.

    Args:
        key: The group that declares it, as `module/group` (`_gen/descriptors/index.py`).
        name: Name of the message, such as `Post`.
    """
    found = _classes.get(name)
    if found is None:
        with _lock:
            _load_group(key)
            found = _classes[name]
    return found


def load(name: str, dependencies: Iterable[str], descriptor: bytes) -> tuple[MessageClass, MessageClass]:
    """Return the request and response class of a method.

    Args:
        name: Name of the descriptor file, unique over all methods.
        dependencies: Keys of the groups it needs.
        descriptor: The serialized descriptor of a file with exactly these two messages.
    """
    with _lock:
        for dependency in dependencies:
            _load_group(dependency)
        request, response = _add(name, descriptor)
        return request, response


def _load_group(key: str) -> None:
    if key in _loaded:
        return
    module, _, group = key.partition("/")
    dependencies, descriptor = import_module(_DESCRIPTORS + module).GROUPS[group]
    for dependency in dependencies:
        _load_group(dependency)
    _add(key, descriptor)


def _add(key: str, descriptor: bytes) -> list[MessageClass]:
    """Add a descriptor file to the pool and return the classes of its messages, in order of their names."""
    pool, make_class = _protobuf()
    if key not in _loaded:
        pool.AddSerializedFile(descriptor)
        _loaded.add(key)
    messages = pool.FindFileByName(key).message_types_by_name
    return [_class_of(messages[name], make_class) for name in sorted(messages)]


def _class_of(descriptor: Any, make_class: Callable[[Any], MessageClass]) -> MessageClass:
    # Held for good: the C extension itself keeps only weak references to its classes. It finds the class of a
    # submessage or of a map's entries when one is read, so these must exist as well.
    name = descriptor.full_name.removeprefix(_PACKAGE + ".")
    found = _classes.get(name)
    if found is None:
        for nested in descriptor.nested_types:
            _class_of(nested, make_class)
        found = _classes[name] = make_class(descriptor)
    return found


@functools.cache
def _protobuf() -> tuple[Any, Callable[[Any], MessageClass]]:
    """Return our pool, and what makes the class of a message from its descriptor."""
    from google.protobuf.internal import api_implementation
    from google.protobuf.message import Message

    if api_implementation.Type() == "upb":
        extension = import_module("google._upb._message")

        def make_class(descriptor: Any) -> MessageClass:
            namespace = {"DESCRIPTOR": descriptor, "__module__": __name__}
            made: MessageClass = extension.MessageMeta(descriptor.name, (Message,), namespace)
            return made

        return extension.DescriptorPool(), make_class
    from google.protobuf import descriptor_pool, message_factory

    get_class: Any = message_factory.GetMessageClass
    return descriptor_pool.DescriptorPool(), get_class
