"""What a plugin can do to posts, and what it must not do to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import RestError

if TYPE_CHECKING:
    from tests.e2e.witness import InstalledWitness
    from tests.harness import Json, RestClient

pytestmark = pytest.mark.e2e


def test_a_post_is_let_through(witness: InstalledWitness, alice: RestClient, channel: Json) -> None:
    post = alice.create_post(channel["id"], "nothing special")

    assert alice.get(f"posts/{post['id']}")["message"] == "nothing special"
    witness.wait_for_log("Posted", post_id=post["id"], text="nothing special")


def test_a_changed_post_is_stored_as_the_plugin_changed_it(
    witness: InstalledWitness, alice: RestClient, bob: RestClient, channel: Json
) -> None:
    post = alice.create_post(channel["id"], "change this text", props={"kept": "yes"})

    assert post["message"] == "THIS TEXT"
    stored = bob.get(f"posts/{post['id']}")
    assert stored["message"] == "THIS TEXT"
    assert stored["props"] == {"kept": "yes", "changed_by": "witness"}
    assert stored["user_id"] == alice.user_id


def test_the_sender_of_a_rejected_post_sees_the_reason(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    before = alice.posts(channel["id"])

    with pytest.raises(RestError) as caught:
        alice.create_post(channel["id"], "reject because of “this”")

    assert caught.value.status == 400
    assert caught.value.message == "Post rejected by plugin. because of “this”"
    assert alice.posts(channel["id"]) == before


def test_a_hook_that_raises_lets_the_post_through_and_logs_its_traceback(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    post = alice.create_post(channel["id"], "raise out of order")

    assert post["message"] == "raise out of order"
    record = witness.wait_for_log("message_will_be_posted", level="error")
    logged = f"{record.message}\n{record.fields}"
    assert "RuntimeError: out of order" in logged
    assert "plugin.py" in logged


def test_an_edit_is_changed_rejected_or_let_through(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    post = alice.create_post(channel["id"], "first")
    path = f"posts/{post['id']}/patch"

    assert alice.put(path, {"message": "second"})["message"] == "second"
    assert alice.put(path, {"message": "change third"})["message"] == "second, then change third"
    with pytest.raises(RestError, match="no edits"):
        alice.put(path, {"message": "reject fourth"})
    assert alice.get(f"posts/{post['id']}")["message"] == "second, then change third"


RICH_PROPS: dict[str, Any] = {
    "attachments": [
        {
            "fallback": "fallback",
            "color": "#ff0000",
            "title": "Title",
            "text": "Text with **markup**",
            "fields": [{"title": "Field", "value": 12.5, "short": True}],
            "actions": [
                {
                    "id": "press",
                    "name": "Press",
                    "type": "button",
                    "integration": {
                        "url": "/plugins/none",
                        "context": {"n": 1, "deep": {"list": [1, [2, "x"]]}},
                    },
                }
            ],
        }
    ],
    "text": "äöü \U0001f600",
    "yes": True,
    "no": False,
    "nothing": None,
    "integer": 9007199254740991,
    "negative": -5,
    "fraction": 0.1,
    "empty_object": {},
    # No empty list: to every plugin, one in Go too, net/rpc brings it as null.
    "nested": {"a": [{"b": None}, [1], "c"]},
}


def test_a_post_returned_as_it_came_is_unharmed(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    with_plugin = _post_everything(alice, channel)
    witness.disable()
    without_plugin = _post_everything(alice, channel)

    root, _ = without_plugin
    assert root["metadata"]["priority"]["priority"] == "urgent"
    assert [file["name"] for file in root["metadata"]["files"]] == ["0.txt", "1.txt", "2.txt"]
    assert root["props"]["nested"] == RICH_PROPS["nested"]
    assert root["props"]["attachments"][0]["actions"][0]["name"] == "Press"
    assert with_plugin == without_plugin


def _post_everything(author: RestClient, channel: Json) -> tuple[Json, Json]:
    """Post the same rich post and a reply to it each time; what the server then has of the two."""
    files = [author.upload_file(channel["id"], f"{n}.txt", b"content %d" % n) for n in range(3)]
    root = author.create_post(
        channel["id"],
        "echo #tag @bob ~channel https://example.com/a?b=c&d 漢字 \U0001f600",
        props=RICH_PROPS,
        file_ids=[file["id"] for file in files],
        metadata={"priority": {"priority": "urgent"}},
    )
    # The server keeps ids in alphabetical order, whatever plugins do.
    assert root["file_ids"] == sorted(file["id"] for file in files)
    reply = author.create_post(channel["id"], "echo reply", root_id=root["id"])
    assert reply["root_id"] == root["id"]

    stored = author.get(f"posts/{root['id']}")
    stored["metadata"]["files"].sort(key=lambda file: file["name"])
    return _comparable(stored), _comparable(author.get(f"posts/{reply['id']}"))


def _comparable(post: Json) -> Json:
    """Leave out what differs between any two posts, their ids and times; not so in the props."""
    return {**_timeless(post), "props": post["props"]}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        varying = {"id", "root_id", "post_id", "PostId", "file_ids"}
        return {
            key: _timeless(item)
            for key, item in value.items()
            if key not in varying and not key.endswith("_at")
        }
    return [_timeless(item) for item in value] if isinstance(value, list) else value
