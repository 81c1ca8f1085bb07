"""What type checkers must accept of models and enums, and which types they must see."""

from __future__ import annotations

import dataclasses
from typing import Any

from typing_extensions import assert_type

from mattermost_plugin import Channel, ChannelType, Post, PostMetadata, User
from mattermost_plugin.models import Config, MessageAttachment

attachment = MessageAttachment(title="t")
post = Post(message="x", file_ids=["a"], props={"attachments": [attachment]}, remote_id=None)
assert_type(post.message, str)
assert_type(post.remote_id, str | None)
assert_type(post.participants, list[User])
assert_type(post.metadata, PostMetadata | None)
assert_type(post.props, dict[str, Any])
post.props["n"] = 3
assert_type(dataclasses.replace(post, message="y"), Post)
assert_type(dataclasses.asdict(post), dict[str, Any])

channel = Channel(type="O")
assert_type(channel.type, ChannelType)
assert_type(ChannelType("x"), ChannelType)
assert_type(list(ChannelType), list[ChannelType])
channel.type = ChannelType.PRIVATE
text: str = channel.type

config = Config()
assert_type(config.service_settings.site_url, str | None)
