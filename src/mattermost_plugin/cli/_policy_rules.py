"""What a plugin may ask of the bridge: `[tool.mattermost-plugin]`, from there `props.mattermost_plugin`."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from mattermost_plugin.cli._bundle_schema import HOOKS, SETTINGS
from mattermost_plugin.cli._problems import Problem
from mattermost_plugin.cli._rules import check_rules

__all__ = ["PROPS_KEY", "SETTING_KEYS", "check_policy"]

PROPS_KEY = "mattermost_plugin"
"""The key below `props` of the manifest where the bridge looks."""

SETTING_KEYS = tuple(rule.key for rule in SETTINGS)


def check_policy(
    file: str, where: str, policy: Mapping[str, Any], beside: tuple[str, ...] = ()
) -> Iterator[Problem]:
    """Find all that is wrong with `policy`, which stands under the key `where` of `file`.

    Args:
        file: the file.
        where: the key that `policy` stands under.
        policy: the settings.
        beside: other keys that may stand there, which `policy` does not have.
    """
    known = (*SETTING_KEYS, *beside)
    for key in policy:
        if key not in SETTING_KEYS:
            near = difflib.get_close_matches(key, known, n=1)
            fix = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            yield Problem(file=file, key=f"{where}.{key}", what="is not a setting", fix=fix)
    for fault in check_rules(SETTINGS, policy, HOOKS):
        yield Problem(file=file, key=f"{where}.{fault.key}", what=fault.what, fix=fault.fix)
