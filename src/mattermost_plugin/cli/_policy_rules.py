"""What a plugin may ask of the bridge: `[tool.mattermost-plugin]`, from there `props.mattermost_plugin`."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from mattermost_plugin.cli._problems import Problem

__all__ = ["POLICY_KEYS", "PROPS_KEY", "check_policy"]

PROPS_KEY = "mattermost_plugin"
"""The key below `props` of the manifest where the bridge looks."""

POLICY_KEYS = ("on_failure", "start_timeout", "hook_timeout", "hook_timeouts", "queue_size")


def check_policy(file: str, where: str, policy: Mapping[str, Any]) -> Iterator[Problem]:
    """Find all that is wrong with `policy`, which stands under the key `where` of `file`."""
    for key, value in policy.items():
        what, fix = _judge(key, value)
        if what:
            yield Problem(file=file, key=f"{where}.{key}", what=what, fix=fix)


def _judge(key: str, value: Any) -> tuple[str, str]:
    match key:
        case "on_failure":
            good = value in ("allow", "reject")
            fix = 'write "allow" or "reject"'
        case "start_timeout":
            good = _is_number(value) and value > 0
            fix = "write a number of seconds above 0"
        case "hook_timeout":
            good = _is_number(value) and value >= 0
            fix = "write a number of seconds; 0 is no limit"
        case "hook_timeouts":
            good = isinstance(value, dict) and all(_is_number(item) and item >= 0 for item in value.values())
            fix = 'write {"message_will_be_posted": 5} or such; 0 is no limit'
        case "queue_size":
            good = isinstance(value, int) and not isinstance(value, bool) and value > 0
            fix = "write a whole number above 0"
        case _:
            near = difflib.get_close_matches(key, POLICY_KEYS, n=1)
            return "unknown", f"did you mean {near[0]}?" if near else f"known are {', '.join(POLICY_KEYS)}"
    return ("", "") if good else (f"{value!r} does not fit", fix)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
