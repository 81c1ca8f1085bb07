"""The exceptions as authors make and read them."""

from __future__ import annotations

import copy
import pickle

import pytest

from mattermost_plugin import errors
from mattermost_plugin.errors import (
    AppError,
    BadRequest,
    Conflict,
    ContentTooLarge,
    DatabaseError,
    DeadlineExceeded,
    Forbidden,
    InternalServerError,
    NotFound,
    PluginError,
    TooManyRequests,
    Unauthorized,
    app_error,
)

FIELDS = {
    "id": "app.x",
    "message": "Sorry",
    "detailed_error": "why",
    "request_id": "r1",
    "where": "GetX",
    "skip_translation": False,
}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (413, ContentTooLarge),
        (429, TooManyRequests),
        (500, InternalServerError),
        (501, AppError),
        (0, AppError),
    ],
)
def test_the_status_decides_the_class(status, kind):
    error = app_error(status_code=status, **FIELDS)
    assert type(error) is kind
    assert error.status_code == status
    assert {name: getattr(error, name) for name in FIELDS} == FIELDS


def test_a_class_brings_its_status_unless_told_otherwise():
    assert NotFound("x").status_code == 404
    assert NotFound("x", status_code=410).status_code == 410
    assert AppError("x").status_code == 500


def test_a_message_is_shown_as_it_is_and_an_id_alone_is_translated():
    assert AppError("Sorry").skip_translation is True
    assert AppError("Sorry", id="my.id").skip_translation is True
    assert AppError(id="api.known").skip_translation is False
    assert AppError("Sorry", skip_translation=False).skip_translation is False


def test_text_says_where_what_and_why():
    assert str(NotFound("Sorry", where="GetX", detailed_error="why")) == "GetX: Sorry, why"
    assert str(NotFound("Sorry")) == "Sorry"
    assert str(NotFound(id="app.x")) == "app.x"
    assert str(DatabaseError("duplicate key", sqlstate="23505")) == "duplicate key (SQLSTATE 23505)"


def test_errors_can_be_copied_and_pickled():
    error = app_error(status_code=404, params={"a": 1}, **FIELDS)
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is NotFound
        assert vars(twin) == vars(error)
        assert str(twin) == str(error)


def test_every_exception_is_a_plugin_error_and_in_the_tree_of_the_module():
    assert errors.__doc__ is not None
    for name in errors.__all__:
        value = getattr(errors, name)
        if isinstance(value, type):
            assert issubclass(value, PluginError)
            assert f" {name} " in errors.__doc__ + " " or name == "PluginError"
    assert issubclass(DeadlineExceeded, TimeoutError)
