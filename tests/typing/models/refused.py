"""What type checkers must refuse; each comment is the code of mypy's error expected there."""

from __future__ import annotations

import dataclasses

from mattermost_plugin import Channel, ChannelType, Post
from mattermost_plugin.models import Pots  # attr-defined

post = Post()
Post("x")  # call-arg
Post(message=3)  # arg-type
Post(mesage="x")  # call-arg
post.mesage = "x"  # attr-defined
post.message = None  # assignment
dataclasses.replace(post, mesage="x")  # call-arg
Channel(type=3)  # arg-type
ChannelType(3)  # arg-type
missing = ChannelType.NO_SUCH  # attr-defined
missing_model = Pots
