"""What the suite may expect of the dialect: everything, but for what skips.toml names with its reason."""

import sys
from pathlib import Path

from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SKIPS = tomllib.loads((Path(__file__).parent / "skips.toml").read_text(encoding="utf-8"))


class Requirements(SuiteRequirements):
    """Those of PostgreSQL, but for what cannot be had through Mattermost's driver."""

    def get_order_by_collation(self, config):
        return "POSIX"


def _is_closed(name):
    """Whether the suite expects something of dialects that say so only."""
    function = getattr(SuiteRequirements, name).fget
    return function.__code__.co_names == exclusions_closed.__code__.co_names


def exclusions_closed(_self):
    return exclusions.closed()


def _rule(reason):
    if reason is None:
        return property(lambda _self: exclusions.open())
    return property(lambda _self: exclusions.skip_if(lambda _config: True, reason))


for _name in dir(SuiteRequirements):
    if isinstance(getattr(SuiteRequirements, _name), property):
        _reason = SKIPS["requirements"].get(_name)
        if _reason is not None or _is_closed(_name):
            setattr(Requirements, _name, _rule(_reason))
