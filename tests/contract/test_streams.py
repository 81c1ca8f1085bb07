"""What content streams, by the contract itself: so that none which a new version brings is forgotten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mattermost_plugin._gen.api_methods import API
from mattermost_plugin._gen.hook_methods import HOOKS

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = json.loads((Path(__file__).parents[2] / "schema" / "model.json").read_text())

STREAMED = {
    "FileWillBeUploaded",
    "GetFile",
    "InstallPlugin",
    "PluginHTTP",
    "ReadFile",
    "ReceiveSharedChannelAttachmentSyncMsg",
    "UploadData",
    "UploadFile",
}

# By reverse proxy, as bytes of HTTP.
PROXIED = {"ServeHTTP", "ServeMetrics"}

# Bytes that are one value. Whoever has them has them whole, in Go and in Python.
WHOLE = {
    "GetEmojiImage": "the server takes images of emojis up to 512 KiB",
    "GetProfileImage": "the server stores them scaled down to 128 pixels",
    "GetTeamIcon": "likewise",
    "KVCompareAndDelete": "a value is a column of one row",
    "KVCompareAndSet": "likewise",
    "KVGet": "likewise",
    "KVSet": "likewise",
    "KVSetWithExpiry": "likewise",
    "KVSetWithOptions": "likewise",
    "ReceiveSharedChannelProfileImageSyncMsg": "an image, of which the server stores 128 pixels",
    "SetProfileImage": "likewise",
    "SetTeamIcon": "likewise",
}


def methods() -> Iterator[dict[str, Any]]:
    for interface in MODEL["interfaces"]:
        if interface["name"] in {"Hooks", "API"}:
            yield from interface["methods"]


def values(method: dict[str, Any]) -> list[dict[str, Any]]:
    return [value["type"] for value in (*method.get("params", ()), *method.get("results", ()))]


def flows(type_: dict[str, Any]) -> bool:
    """Whether a type is a reader, a writer or something of HTTP."""
    if type_["kind"] == "pointer":
        return flows(type_["elem"])
    return str(type_.get("name", "")).startswith(("io.", "http."))


def is_bytes(type_: dict[str, Any]) -> bool:
    return type_["kind"] == "slice" and type_["elem"].get("name") == "byte"


def test_whatever_reads_or_writes_is_streamed() -> None:
    found = {method["name"] for method in methods() if any(flows(type_) for type_ in values(method))}

    assert found <= STREAMED | PROXIED
    assert found >= PROXIED


def test_bytes_are_streamed_where_they_are_files() -> None:
    found = {method["name"] for method in methods() if any(is_bytes(type_) for type_ in values(method))}

    assert found == (STREAMED & found) | set(WHOLE)


@pytest.mark.parametrize("name", sorted(STREAMED - {"PluginHTTP"}))
def test_what_is_streamed_is_so_in_both_services(name: str) -> None:
    [method] = [found for found in (*API.values(), *HOOKS.values()) if found.go_name == name]

    assert "stream" in method.kind
    assert not method.unavailable


def test_nothing_else_is_streamed() -> None:
    streamed = {method.go_name for method in (*API.values(), *HOOKS.values()) if "stream" in method.kind}

    assert streamed == STREAMED
