"""The core of mattermost-plugin's gRPC endpoint, compiled.

There is nothing to call here: `mattermost_plugin` uses it where it is installed. See docs/design/speed.md.
"""
