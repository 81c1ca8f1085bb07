from __future__ import annotations

import pytest

from codegen.numbers import BreakingChangeError, NumbersLock

LOCK = """\
API.GetPost 0 unary: GetPostRequest -> GetPostResponse
GoKind.GO_KIND_INT 1 value
Post.id 1 string
Post.old 2 repeated string removed
Post.message 3 string
"""


def test_known_fields_keep_their_numbers_and_new_ones_get_the_next() -> None:
    lock = NumbersLock.parse(LOCK)
    assert lock.assign("Post", [("new", "bool"), ("message", "string"), ("id", "string")]) == {
        "new": 4,
        "message": 3,
        "id": 1,
    }


def test_the_number_of_a_removed_field_is_not_given_again() -> None:
    lock = NumbersLock.parse("Post.id 1 string\nPost.last 9 string removed\n")
    assert lock.assign("Post", [("id", "string"), ("new", "string")])["new"] == 10


def test_a_field_that_goes_is_remembered_as_removed() -> None:
    lock = NumbersLock.parse(LOCK)
    lock.assign("Post", [("id", "string")])
    assert lock.removed("Post") == {"old": 2, "message": 3}
    assert "Post.message 3 string removed\n" in lock.text()


def test_a_message_that_goes_keeps_all_its_numbers_reserved() -> None:
    lock = NumbersLock.parse(LOCK)
    lock.finish()
    assert lock.removed("Post") == {"id": 1, "old": 2, "message": 3}


def test_a_field_that_comes_back_gets_its_old_number() -> None:
    lock = NumbersLock.parse(LOCK)
    assert lock.assign("Post", [("old", "repeated string")]) == {"old": 2}
    assert "removed" not in lock.text().split("Post.old")[1].split("\n")[0]


def test_another_type_under_a_known_name_is_refused() -> None:
    lock = NumbersLock.parse(LOCK)
    lock.assign("Post", [("id", "int64")])
    with pytest.raises(BreakingChangeError, match=r"Post\.id: type 'string' cannot become 'int64'"):
        lock.finish()


def test_another_type_under_a_removed_name_is_refused() -> None:
    lock = NumbersLock.parse(LOCK)
    lock.assign("Post", [("old", "string")])
    with pytest.raises(BreakingChangeError, match=r"Post\.old"):
        lock.finish()


def test_an_enum_value_with_another_number_is_refused() -> None:
    lock = NumbersLock.parse(LOCK)
    lock.fix("GoKind", {"GO_KIND_INT": (2, "value")})
    with pytest.raises(BreakingChangeError, match="number 1 cannot become 2"):
        lock.finish()


def test_a_method_that_becomes_a_stream_is_refused() -> None:
    lock = NumbersLock.parse(LOCK)
    lock.fix("API", {"GetPost": (0, "server_stream: GetPostRequest -> GetPostResponse")})
    with pytest.raises(BreakingChangeError, match=r"API\.GetPost"):
        lock.finish()


def test_every_break_is_listed() -> None:
    lock = NumbersLock.parse(LOCK)
    lock.assign("Post", [("id", "int64"), ("message", "bytes")])
    with pytest.raises(BreakingChangeError, match=r"(?s)Post\.id.*Post\.message"):
        lock.finish()


def test_a_lock_that_uses_a_number_twice_is_refused() -> None:
    with pytest.raises(BreakingChangeError, match="twice"):
        NumbersLock.parse("Post.id 1 string\nPost.message 1 string\n")


def test_text_and_parse_are_inverse() -> None:
    text = NumbersLock.parse(LOCK).text()
    assert NumbersLock.parse(text).text() == text
    assert text.splitlines()[1:] == LOCK.splitlines()
