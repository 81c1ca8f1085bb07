"""The codec of every method carries arguments, results and errors, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from codegen.lowered import ConversionKind, Method
from codegen.python_methods import error_is_value, parameters, request_fields, result_fields, unavailable
from mattermost_plugin import AppError, Reject, errors
from mattermost_plugin._gen.api_methods import API
from mattermost_plugin._gen.driver_methods import DRIVER
from mattermost_plugin._gen.hook_methods import HOOKS, IMPLEMENTED
from tests.codegen.repository import schema
from tests.contract.values import PythonFiller, differences

if TYPE_CHECKING:
    from mattermost_plugin._runtime import methods

TABLES = {"Hooks": {**HOOKS, "implemented": IMPLEMENTED}, "API": API, "Driver": DRIVER}
METHODS = [method for service in schema().services for method in service.methods]
UNARY = [method for method in METHODS if not unavailable(method)]


def entry(method: Method) -> methods.Method:
    return TABLES[method.service][method.python_name]


def by_path(method: Method) -> str:
    return f"{method.service}.{method.python_name}"


def result_of(method: Method, filler: PythonFiller) -> Any:
    values = tuple(filler.of(field.conversion) for field in result_fields(method))
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def test_every_method_of_the_contract_has_an_entry_in_its_table() -> None:
    for service in schema().services:
        assert [table.go_name for table in TABLES[service.name].values() if table is not IMPLEMENTED] == [
            method.go_name for method in service.methods if method.go_name != "Implemented"
        ]
    assert {method.go_name for method in METHODS} >= {"CreatePost", "MessageWillBePosted", "TxCommit"}


@pytest.mark.parametrize("method", METHODS, ids=by_path)
def test_entries_say_what_the_contract_says(method: Method) -> None:
    found = entry(method)
    assert (found.service, found.go_name, found.name, found.path) == (
        method.service,
        method.go_name,
        method.python_name,
        method.path,
    )
    assert found.minimum_version == method.minimum_version
    assert list(found.parameters) == [name.lstrip("*") for name, _ in parameters(method)]
    assert {field.python_name for field in method.params} <= set(found.parameters)
    assert found.signature.startswith(f"{method.python_name}(self")
    assert bool(found.unavailable) == (method not in UNARY)


@pytest.mark.parametrize("method", UNARY, ids=by_path)
def test_requests_come_back_as_they_went(method: Method) -> None:
    codec = entry(method).codec
    for seed in (1, 2):
        filler = PythonFiller(seed)
        arguments = tuple(filler.of(field.conversion) for field in request_fields(schema(), method))
        assert (
            differences(list(arguments), list(codec.decode_request(codec.encode_request(*arguments)))) == []
        )


@pytest.mark.parametrize("method", UNARY, ids=by_path)
def test_responses_come_back_as_they_went(method: Method) -> None:
    codec = entry(method).codec
    for seed in (1, 2):
        result = result_of(method, PythonFiller(seed))
        returned = codec.decode_response(codec.encode_response(result))
        assert type(returned) is type(result) or not isinstance(result, tuple)
        first, second = ([*item] if isinstance(item, tuple) else [item] for item in (result, returned))
        assert differences(first, second) == []


@pytest.mark.parametrize(
    "method", [item for item in UNARY if item.error is not None and not error_is_value(item)], ids=by_path
)
def test_errors_are_raised_on_the_other_side_with_all_their_fields(method: Method) -> None:
    codec = entry(method).codec
    assert codec.encode_error is not None
    sent = AppError(
        "Nothing here",
        id="app.x.app_error",
        detailed_error="no rows",
        request_id="req",
        status_code=404,
        where="GetX",
        skip_translation=True,
    )
    with pytest.raises(errors.NotFound) as caught:
        codec.decode_response(codec.encode_error(sent))
    assert {**vars(caught.value), "params": {}} == {**vars(sent), "params": {}}


@pytest.mark.parametrize(
    "method", [item for item in UNARY if item.error is not None and not error_is_value(item)], ids=by_path
)
def test_any_exception_reaches_the_other_side(method: Method) -> None:
    codec = entry(method).codec
    assert codec.encode_error is not None
    assert method.error is not None
    with pytest.raises(errors.PluginError) as caught:
        codec.decode_response(codec.encode_error(KeyError("\ud800 is gone")))
    assert "is gone" in caught.value.message
    if method.error.conversion.kind is ConversionKind.MESSAGE:
        assert isinstance(caught.value, AppError)
        assert (caught.value.id, caught.value.where) == ("plugin.hook_failed", method.go_name)
        assert caught.value.status_code == 500
    else:
        assert isinstance(caught.value, errors.ServerError)


@pytest.mark.parametrize("method", [item for item in UNARY if item.rejection_reason], ids=by_path)
def test_a_rejection_travels_as_its_reason(method: Method) -> None:
    codec = entry(method).codec
    assert codec.decode_response(codec.encode_response(Reject("no"))) == Reject("no")
    assert codec.decode_response(codec.encode_response(None)) is None


@pytest.mark.parametrize("method", [item for item in UNARY if item.service == "Hooks"], ids=by_path)
def test_a_hook_that_returns_something_else_fails(method: Method) -> None:
    with pytest.raises((TypeError, ValueError)):
        entry(method).codec.encode_response(object())


def test_a_hook_must_not_return_none_where_go_cannot() -> None:
    with pytest.raises(TypeError, match=r"run_data_retention\(\): result: expected int, got None"):
        HOOKS["run_data_retention"].codec.encode_response(None)
    with pytest.raises(TypeError, match=r"on_shared_channels_ping\(\): result: expected bool, got None"):
        HOOKS["on_shared_channels_ping"].codec.encode_response(None)


def test_a_hook_may_return_none_for_a_list() -> None:
    codec = HOOKS["messages_will_be_consumed"].codec
    assert codec.decode_response(codec.encode_response(None)) == []


def test_a_missing_value_differs_from_an_empty_one() -> None:
    codec = API["kv_get"].codec
    assert codec.decode_response(codec.encode_response(None)) is None
    assert codec.decode_response(codec.encode_response(b"")) == b""


def test_rows_may_come_together_with_what_ended_them() -> None:
    codec = DRIVER["rows_next"].codec
    end = errors.ServerError("EOF", code=1)
    *result, error = codec.decode_response(
        codec.encode_response(([[1, "x"]], ["n", "t"], ["INT4", "TEXT"], True, end))
    )
    assert result == [[[1, "x"]], ["n", "t"], ["INT4", "TEXT"], True]
    assert (error.message, error.code) == ("EOF", 1)


@pytest.mark.parametrize(
    ("method", "arguments", "text"),
    [
        ("get_users_in_team", ("team", "first", 10), "page: expected int, got str"),
        ("get_users_in_team", ("team", 0, 2**63), "per_page: 9223372036854775808 does not fit Go's int64"),
        ("create_post", ({"message": "x"},), "post: expected Post, got dict"),
        ("create_post", (None,), "post: expected Post, got None"),
        ("get_users_by_usernames", ("jane",), "usernames: expected list[str], got str"),
        ("get_users_by_usernames", (["jane", 3],), "usernames[1]: expected str, got int"),
        ("kv_set", ("key", "text"), "value: expected bytes, got str"),
        (
            "log_info",
            ("m", ["k", {1}]),
            "key_value_pairs[1]: a set cannot be sent there; send a dict, list, str or number",
        ),
        ("get_post", ("a\ud800",), "post_id: not valid Unicode (surrogates not allowed at position 1)"),
    ],
)
def test_a_wrong_argument_is_named(method: str, arguments: tuple[Any, ...], text: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        API[method].codec.encode_request(*arguments)
    assert str(caught.value) == f"{method}(): {text}"
