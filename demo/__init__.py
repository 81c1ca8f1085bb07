"""A demonstration: a real Mattermost server runs the example plugin `moderator` while people talk."""
