"""The lowered schema: everything an emitter needs, decided.

:func:`codegen.lower.lower` builds it from the extracted model. Emitters read nothing else: they see no
Go syntax and choose no name, number or type. Where an emitter finds itself asking "what is this called"
or "what kind of thing is this", the answer belongs here.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class ConversionKind(enum.Enum):
    """How one value crosses the border between Go, protobuf and Python."""

    SCALAR = "scalar"
    """A string, bool, number or bytes. Go may need a cast (``go_type`` is named: ``model.Bitmask``)."""
    ENUM = "enum"
    """A named string with constants: ``string`` on the wire, an open enum class in Python."""
    MESSAGE = "message"
    """A struct. ``message`` names it."""
    VALUE = "value"
    """Go's ``any`` (or driver.Value): the Value message, plain Python values."""
    TIMESTAMP = "timestamp"
    """time.Time: google.protobuf.Timestamp, aware datetime."""
    ERROR = "error"
    """The error interface: the Error message, an exception."""
    LIST = "list"
    """A slice. ``elem`` describes the elements."""
    MAP = "map"
    """A map. ``key`` and ``elem`` describe keys (always scalar or enum) and values."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A value's types in the three languages, recursively.

    ``pointer`` is about Go: the value is ``*go_type``. ``nullable`` is about Python: the annotation is
    ``X | None``. An element of ``[]*T`` is a pointer and not nullable, because gob refuses nil there.

    A []byte with ``nullable`` (and no ``pointer``) is an ``optional bytes``: Go's nil is None.

    ``wrapper`` is set where protobuf cannot nest or cannot express absence (a list in a list or map, a
    pointer to a slice): the value then travels as the message of that name, which has one field,
    ``Message.fields[0]``, holding the list or map itself. One wrapper serves several Go types, so ``key``
    and ``elem`` are to be taken from the place of use, not from the wrapper's field.
    """

    kind: ConversionKind
    go_type: str
    """The Go type without a leading pointer, qualified: "string", "model.StringArray", "[]*model.Post"."""
    proto_type: str
    """The protobuf type of one value: "string", "int64", "Post", "Value", or the wrapper's name. For a
    LIST without wrapper that of its elements; for a MAP without wrapper "map<string, Value>"."""
    python_type: str
    """The annotation, without "| None": "str", "Post", "dict[str, Any]", "datetime.datetime"."""
    pb_go_type: str = ""
    """For SCALAR and ENUM the type of the protobuf field in Go: "string", "int64", "[]byte"."""
    go_named: bool = False
    """``go_type`` is a declared type (or an int whose wire type has another width), so Go must convert."""
    pointer: bool = False
    nullable: bool = False
    message: str = ""
    """MESSAGE: name of the message."""
    enum: str = ""
    """ENUM: name of the enum (OpenEnum.name)."""
    key: Conversion | None = None
    elem: Conversion | None = None
    wrapper: str = ""

    @property
    def python_annotation(self) -> str:
        """The annotation including "| None"."""
        return f"{self.python_type} | None" if self.nullable else self.python_type

    @property
    def is_bytes(self) -> bool:
        """Whether the value is bytes on the wire."""
        return self.kind is ConversionKind.SCALAR and self.proto_type == "bytes"

    def walk(self) -> Iterator[Conversion]:
        """Yield this conversion and all it is made of."""
        yield self
        if self.key is not None:
            yield from self.key.walk()
        if self.elem is not None:
            yield from self.elem.walk()


class Cardinality(enum.Enum):
    """How often a protobuf field holds its type."""

    SINGULAR = "singular"
    OPTIONAL = "optional"  # explicit presence of a scalar
    REPEATED = "repeated"
    MAP = "map"


class Role(enum.Enum):
    """What a field of a request or response message is to the method."""

    NONE = "none"  # a plain struct's field
    PARAM = "param"  # a Go parameter
    RESULT = "result"  # a Go result that is neither of the next two
    ERROR = "error"  # the error a method returns (conversion: AppError message or ERROR)
    REJECTION_REASON = "rejection_reason"  # a hook's string that says why something is refused
    EXTRA = "extra"  # on the wire only (broker ids, an HTTP address); its meaning is in overrides.toml
    HEAD = "head"  # of a stream: the message with the plain arguments or results
    CHUNK = "chunk"  # of a stream: bytes


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message."""

    proto_name: str
    number: int
    conversion: Conversion
    cardinality: Cardinality
    python_name: str
    """Attribute or parameter name in Python; differs from proto_name where that is a keyword."""
    pb_go_name: str
    """Name of the field in the struct protoc-gen-go makes."""
    go_name: str = ""
    """Name of the Go struct's field or parameter; empty where Go has none."""
    doc: str = ""
    embedded: bool = False
    """The Go struct embeds it."""
    json_name: str = ""
    """Name in the Go json tag (what REST calls the field); "-" or empty where there is none."""
    role: Role = Role.NONE
    oneof: str = ""
    """Name of the oneof the field belongs to."""
    oneof_pb_go_type: str = ""
    """In a oneof: name of the Go wrapper struct ("Value_BoolValue")."""
    go_getter: str = ""
    """Go method to read the struct's field with, where reading the field itself would be a race."""
    variadic: bool = False
    """A Go variadic parameter (its conversion is the slice)."""


class MessageKind(enum.Enum):
    """Where a message comes from."""

    STRUCT = "struct"  # a Go struct; has go_type, a Python model, codecs
    WRAPPER = "wrapper"  # see Conversion.wrapper
    REQUEST = "request"
    RESPONSE = "response"
    STREAM_PART = "stream_part"  # head of a streaming request or response
    SUPPORT = "support"  # designed for the wire: Value, Error and what they use; mapped by hand


@dataclass(frozen=True, slots=True)
class Message:
    """A protobuf message."""

    name: str
    kind: MessageKind
    file: str
    """Stem of its .proto file ("post")."""
    module: str
    """Stem of the Go file that declares it ("post_embed"), for Python modules in models/ and _gen/layouts/.
    The .proto file has another name where Go files had to be merged, see docs/design/contract.md."""
    fields: tuple[Field, ...]
    doc: str = ""
    go_type: str = ""
    """STRUCT: the qualified Go type ("model.Post")."""
    go_name: str = ""
    """STRUCT: stem for the names of its codec ("Post" for AppendPost); unique over all messages."""
    go_aliases: tuple[str, ...] = ()
    """Other exported Go names of the type ("SlackAttachment")."""
    pb_go_name: str = ""
    """Name of the Go struct protoc-gen-go makes."""
    python_name: str = ""
    """Name of the Python class, where there is one."""
    function_name: str = ""
    """snake_case stem for functions about it ("post" for encode_post)."""
    reserved_numbers: tuple[int, ...] = ()
    reserved_names: tuple[str, ...] = ()
    omitted: Mapping[str, str] = field(default_factory=dict)
    """Go fields that do not travel -> why."""
    is_exception: bool = False
    """Python raises it (AppError, PqError, ErrorString)."""

    def field(self, proto_name: str) -> Field:
        """Return the field of that proto name, or raise KeyError."""
        for candidate in self.fields:
            if candidate.proto_name == proto_name:
                return candidate
        raise KeyError(f"{self.name}.{proto_name}")


@dataclass(frozen=True, slots=True)
class EnumMember:
    """One known value of an open enum."""

    python_name: str  # "OPEN"
    go_name: str  # "ChannelTypeOpen"
    value: str
    doc: str = ""


@dataclass(frozen=True, slots=True)
class OpenEnum:
    """A named string type with constants. Any string is a legal value."""

    name: str  # Python class name
    go_type: str
    file: str  # as Message.file
    module: str  # as Message.module
    members: tuple[EnumMember, ...]
    doc: str = ""


@dataclass(frozen=True, slots=True)
class WireEnum:
    """An enum on the wire (only support files have one)."""

    name: str
    file: str
    members: tuple[tuple[str, int, str], ...]  # name, number, doc
    doc: str = ""


@dataclass(frozen=True, slots=True)
class ProtoFile:
    """A .proto file."""

    stem: str
    """"post" for mattermost/plugin/v1/post.proto."""
    sources: tuple[str, ...]
    """The Go files whose types it holds ("model/post.go"); empty for support files."""
    imports: tuple[str, ...]
    """Stems of the files it needs, sorted."""
    google_imports: tuple[str, ...]
    """Well-known files it needs ("google/protobuf/timestamp.proto")."""
    messages: tuple[Message, ...]
    enums: tuple[OpenEnum, ...]
    wire_enums: tuple[WireEnum, ...] = ()
    services: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Import path of the file."""
        return f"mattermost/plugin/v1/{self.stem}.proto"


class MethodKind(enum.Enum):
    """Which sides of a call stream."""

    UNARY = "unary"
    CLIENT_STREAM = "client_stream"
    SERVER_STREAM = "server_stream"
    BIDI_STREAM = "bidi_stream"


@dataclass(frozen=True, slots=True)
class Stream:
    """How the messages of one direction of a stream are made up.

    Each message is ``oneof part { <Head> head; bytes chunk; }``. The head comes first, except where
    ``head_last``: there the method's results are known only after the last chunk.
    """

    message: str  # the message sent repeatedly (the method's request or response)
    head: str  # the message that holds the plain arguments or results
    head_last: bool
    go_name: str
    """The Go parameter or result that the chunks carry ("data"); empty for an unnamed result."""
    go_type: str
    """Its Go type: "[]byte", "io.Reader", "io.Writer", "http.Request", "http.Response"."""
    python_name: str


@dataclass(frozen=True, slots=True)
class Method:
    """One rpc."""

    go_name: str
    python_name: str
    service: str
    """"Hooks", "API" or "Driver"."""
    path: str
    """"/mattermost.plugin.v1.Hooks/OnActivate"."""
    kind: MethodKind
    request: str
    response: str
    params: tuple[Field, ...]
    """The Go parameters that travel in the request (or its head), in Go's order."""
    results: tuple[Field, ...]
    """The Go results (roles RESULT, REJECTION_REASON, ERROR), in Go's order."""
    go_signature: str
    """The Go method as declared: "GetUser(userID string) (*model.User, *model.AppError)"."""
    minimum_version: str
    doc: str
    special: str = ""
    """Set where request or response are not simply the Go signature: why, from overrides.toml. Emitters
    leave the body of such a method to handwritten code."""
    unchanged: str = ""
    """Hooks: Go name of the parameter that is meant when the result is not set and nothing was rejected."""
    policy: bool = False
    """Hooks: when the plugin cannot be asked, its on_failure policy decides (the hook may reject)."""
    request_stream: Stream | None = None
    response_stream: Stream | None = None

    @property
    def error(self) -> Field | None:
        """The error result, if there is one."""
        return next((item for item in self.results if item.role is Role.ERROR), None)

    @property
    def rejection_reason(self) -> Field | None:
        """The rejection reason, if there is one."""
        return next((item for item in self.results if item.role is Role.REJECTION_REASON), None)

    @property
    def values(self) -> tuple[Field, ...]:
        """The results that are neither error nor rejection reason."""
        return tuple(item for item in self.results if item.role is Role.RESULT)

    @property
    def python_annotation(self) -> str:
        """The annotation of what the method returns in Python (hooks: what the plain results are)."""
        annotations = [item.conversion.python_annotation for item in self.values]
        if not annotations:
            return "None"
        return annotations[0] if len(annotations) == 1 else f"tuple[{', '.join(annotations)}]"


@dataclass(frozen=True, slots=True)
class Service:
    """A gRPC service."""

    name: str
    doc: str
    methods: tuple[Method, ...]


@dataclass(frozen=True, slots=True)
class ValueCase:
    """A gob-registered type as a case of Value's oneof."""

    field: Field
    """The case in the Value message."""
    gob_name: str
    conversion: Conversion
    """How the content converts; a MESSAGE with pointer, or a LIST with wrapper."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The whole lowered contract."""

    module: str
    version: str
    go_packages: Mapping[str, str]
    """Qualifier as used in go_type -> import path."""
    files: tuple[ProtoFile, ...]
    services: tuple[Service, ...]
    value_cases: tuple[ValueCase, ...]

    def messages(self) -> Iterator[Message]:
        """Yield every message, file by file."""
        for file in self.files:
            yield from file.messages

    def enums(self) -> Iterator[OpenEnum]:
        """Yield every open enum, file by file."""
        for file in self.files:
            yield from file.enums

    def message(self, name: str) -> Message:
        """Return the message of that name, or raise KeyError."""
        for candidate in self.messages():
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    def service(self, name: str) -> Service:
        """Return the service of that name, or raise KeyError."""
        for candidate in self.services:
            if candidate.name == name:
                return candidate
        raise KeyError(name)
