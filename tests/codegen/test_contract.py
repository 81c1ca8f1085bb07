"""Facts about server/public v0.4.4 that the extracted and lowered contract must show."""

from __future__ import annotations

import re

import pytest

from codegen.lowered import ConversionKind, MessageKind, MethodKind, Role
from codegen.model import TypeKind
from tests.codegen.repository import contract, schema


def test_the_contract_is_complete() -> None:
    assert contract().version == "v0.4.4"
    counts = {interface.name: len(interface.methods) for interface in contract().interfaces}
    assert counts == {"Hooks": 51 + 1, "API": 258, "Driver": 20}


def test_every_hook_and_api_method_names_its_minimum_version() -> None:
    for name in ("Hooks", "API"):
        for method in contract().interface(name).methods:
            assert re.fullmatch(r"\d+\.\d+", method.minimum_server_version), method.name
            assert method.doc


def test_types_that_are_hard_to_reach_are_there() -> None:
    keys = {decl.key for decl in contract().types}
    assert {
        "model.Config",
        "model.License",
        "model.Manifest",
        "model.SyncMsg",
        "saml2.AssertionInfo",
        "types.Assertion",
        "logr.Level",
        "pq.Error",
        "plugin.ErrorString",
        "model.PropertyOptions[*model.PluginPropertyOption]",
        "model.PluginPropertyOption",
        "driver.NamedValue",
    } <= keys


def test_the_types_registered_with_gob_are_all_cases_of_value() -> None:
    names = {gob_type.name for gob_type in contract().gob_types}
    assert len(names) == 12
    assert "[]*model.SlackAttachment" in names  # registered under another name than its own
    assert names - {case.gob_name for case in schema().value_cases} == {"[]any", "map[string]any"}
    attachments = next(case for case in schema().value_cases if "SlackAttachment" in case.gob_name)
    assert attachments.conversion.go_type == "[]*model.MessageAttachment"


def test_what_cannot_travel_is_left_out_with_its_reason() -> None:
    assert schema().message("AppError").omitted == {"params": "unexported", "wrapped": "unexported"}
    assert schema().message("CommandArgs").omitted == {"T": "func"}
    assert schema().message("Post").omitted == {"propsMu": "unexported"}


def test_every_exported_field_of_every_struct_is_a_field_of_its_message() -> None:
    by_type = {message.go_type: message for message in schema().messages() if message.go_type}
    for decl in contract().types:
        if decl.is_struct:
            fields = [field.go_name for field in by_type[decl.key].fields]
            assert fields == [field.name for field in decl.fields], decl.key


@pytest.mark.parametrize(
    ("message", "field", "annotation"),
    [
        ("Post", "message", "str"),
        ("Post", "props", "dict[str, Any]"),
        ("Post", "file_ids", "list[str]"),
        ("Post", "is_following", "bool | None"),
        ("Post", "metadata", "PostMetadata | None"),
        ("Channel", "type", "ChannelType"),
        ("FileInfo", "mini_preview", "bytes | None"),
        ("PluginSettings", "plugins", "dict[str, dict[str, Any]]"),
        (
            "ContentFlaggingNotificationSettings",
            "event_target_mapping",
            "dict[ContentFlaggingEvent, list[NotificationTarget]]",
        ),
        ("WebsocketBroadcast", "broadcast_hook_args", "list[dict[str, Any]]"),
        ("CustomStatus", "expires_at", "datetime.datetime"),
        ("SamlAssertionInfo", "values", "dict[str, SamlAttribute]"),
        ("SamlAssertionInfo", "authn_instant", "datetime.datetime | None"),
        ("PropertyValue", "value", "bytes"),
        ("TeamMemberWithError", "error", "AppError | None"),
        ("ResultContainer", "last_id_error", "Exception | None"),
        ("ScheduledPost", "draft", "Draft"),
        ("PostSearchResults", "post_list", "PostList | None"),
        ("AutocompleteData", "sub_commands", "list[AutocompleteData]"),
        ("RemoteCluster", "options", "int"),
    ],
)
def test_fields_have_the_python_types_authors_expect(message: str, field: str, annotation: str) -> None:
    assert schema().message(message).field(field).conversion.python_annotation == annotation


def test_embedded_structs_are_fields_named_after_their_type() -> None:
    embedded = {
        (message.name, field.proto_name)
        for message in schema().messages()
        for field in message.fields
        if field.embedded
    }
    assert embedded == {
        ("ContentFlaggingSettings", "content_flagging_settings_base"),
        ("EmailNotification", "email_notification_content"),
        ("PostSearchResults", "post_list"),
        ("ScheduledPost", "draft"),
        ("SidebarCategoryWithChannels", "sidebar_category"),
    }


def test_methods_stream_where_go_passes_readers_files_or_http() -> None:
    kinds = {
        method.go_name: method.kind
        for service in schema().services
        for method in service.methods
        if method.kind is not MethodKind.UNARY
    }
    assert kinds == {
        "FileWillBeUploaded": MethodKind.BIDI_STREAM,
        "InstallPlugin": MethodKind.CLIENT_STREAM,
        "UploadData": MethodKind.CLIENT_STREAM,
        "UploadFile": MethodKind.CLIENT_STREAM,
        "ReceiveSharedChannelAttachmentSyncMsg": MethodKind.CLIENT_STREAM,
        "GetFile": MethodKind.SERVER_STREAM,
        "ReadFile": MethodKind.SERVER_STREAM,
        "PluginHTTP": MethodKind.BIDI_STREAM,
    }


def test_the_rejection_reasons_are_those_of_hooks_that_ask() -> None:
    rejecting = {method.go_name for method in schema().service("Hooks").methods if method.rejection_reason}
    assert rejecting == {
        method.name for method in contract().interface("Hooks").methods if "Will" in method.name
    } - {"ConfigurationWillBeSaved", "MessagesWillBeConsumed", "MessagesWillBeConsumedWithContext"}


def test_an_api_method_never_has_a_rejection_reason() -> None:
    for method in schema().service("API").methods:
        assert method.rejection_reason is None


def test_every_go_result_has_a_role_or_is_streamed() -> None:
    results = {
        (interface.name, method.name): len(method.results)
        for interface in contract().interfaces
        for method in interface.methods
    }
    for service in schema().services:
        for method in service.methods:
            if method.special:
                continue
            assert len(method.results) == results[service.name, method.go_name]
            assert all(field.role is not Role.NONE for field in (*method.params, *method.results))


def test_a_variadic_parameter_is_a_list_of_any() -> None:
    log = next(method for method in schema().service("API").methods if method.go_name == "LogInfo")
    pairs = log.params[-1]
    assert pairs.variadic
    assert pairs.conversion.kind is ConversionKind.LIST
    assert pairs.conversion.elem is not None
    assert pairs.conversion.elem.kind is ConversionKind.VALUE


def test_no_file_needs_itself_by_way_of_others() -> None:
    imports = {file.stem: file.imports for file in schema().files}

    def reach(stem: str, path: tuple[str, ...]) -> None:
        assert stem not in path, " -> ".join((*path, stem))
        for following in imports[stem]:
            reach(following, (*path, stem))

    for stem in imports:
        reach(stem, ())


def test_names_are_unique_within_each_message_and_service() -> None:
    for message in schema().messages():
        for names in (
            [field.proto_name for field in message.fields],
            [field.python_name for field in message.fields],
            [field.pb_go_name for field in message.fields],
        ):
            assert len(names) == len(set(names)), message.name
    for service in schema().services:
        names = [method.python_name for method in service.methods]
        assert len(names) == len(set(names)), service.name
    functions = [message.function_name for message in schema().messages()]
    assert len(functions) == len(set(functions))


def test_every_named_string_with_constants_is_an_open_enum() -> None:
    enums = {enum.go_type: enum for enum in schema().enums()}
    for decl in contract().types:
        basic = decl.underlying is not None and decl.underlying.kind is TypeKind.BASIC
        if basic and decl.constants and isinstance(decl.constants[0].value, str):
            members = {member.value for member in enums[decl.key].members}
            assert members == {constant.value for constant in decl.constants}


def test_only_support_messages_have_no_go_type_behind_them() -> None:
    support = {message.name for message in schema().messages() if message.kind is MessageKind.SUPPORT}
    assert support == {"Value", "Complex", "Error"}
