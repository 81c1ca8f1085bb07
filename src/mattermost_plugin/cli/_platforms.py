"""The machines a bundle can be for, as Go, pip and Python's markers name them."""

from dataclasses import dataclass

from mattermost_plugin.cli._bridge_source import PLATFORMS, this_platform
from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["Platform"]

_MANYLINUX_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_MACOS_MACHINES = {"amd64": "x86_64", "arm64": "arm64"}
_OLDEST_GLIBC = {"amd64": 5, "arm64": 17}
_NEWEST_GLIBC = 28
"""Wheels for glibc up to 2.28 run on every Linux distribution that current Mattermost servers support."""
_MACOS_RELEASE = "12_0"


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """One operating system on one architecture.

    Attributes:
        system: Go's name of the operating system.
        machine: Go's name of the architecture.
    """

    system: str
    machine: str

    @classmethod
    def parse(cls, text: str) -> "Platform":
        """Read `linux-amd64` and the like.

        Raises:
            BuildError: no bridge is made for such a machine.
        """
        if text not in PLATFORMS:
            raise BuildError(
                Problem(what=f"no bundle can be made for {text!r}", fix=f"known are {', '.join(PLATFORMS)}")
            )
        system, _, machine = text.partition("-")
        return cls(system, machine)

    @classmethod
    def this(cls) -> "Platform":
        """Return the platform this runs on.

        Raises:
            BuildError: no bridge is made for this machine.
        """
        if this_platform() not in PLATFORMS:
            raise BuildError(
                Problem(
                    what=f"Mattermost plugins do not run on this machine ({this_platform()})",
                    fix=f"name the server's with --platform, one of {', '.join(PLATFORMS)}",
                )
            )
        return cls.parse(this_platform())

    def __str__(self) -> str:
        return f"{self.system}-{self.machine}"

    def pip_tags(self) -> tuple[str, ...]:
        """List the platform tags of wheels that run there, the best first."""
        if self.system == "darwin":
            return (f"macosx_{_MACOS_RELEASE}_{_MACOS_MACHINES[self.machine]}",)
        machine = _MANYLINUX_MACHINES[self.machine]
        tags = []
        legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
        for glibc in range(_NEWEST_GLIBC, _OLDEST_GLIBC[self.machine] - 1, -1):
            tags.append(f"manylinux_2_{glibc}_{machine}")
            if glibc in legacy:
                tags.append(f"{legacy[glibc]}_{machine}")
        return tuple(tags)

    def marker_environment(self, python: str) -> dict[str, str]:
        """Return what requirement markers see on this platform under CPython `python` (such as `3.11`)."""
        linux = self.system == "linux"
        machines = _MANYLINUX_MACHINES if linux else _MACOS_MACHINES
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{python}.0",
            "os_name": "posix",
            "platform_machine": machines[self.machine],
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux" if linux else "Darwin",
            "platform_version": "",
            "python_full_version": f"{python}.0",
            "python_version": python,
            "sys_platform": self.system,
            "extra": "",
        }
