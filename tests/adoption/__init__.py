"""A Mattermost server that has package host inside: what docs/upstream.md proposes, built and run.

`make adoption` copies the pinned server's module, changes the few lines that the page names, builds it, and
runs the end-to-end tests on it, where plugins in Python run without a bridge.
"""
