"""The `mattermost-plugin` command: build a plugin into a bundle that a Mattermost server installs."""

from mattermost_plugin.cli._build import build_bundle
from mattermost_plugin.cli._main import main
from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["BuildError", "Problem", "build_bundle", "main"]
