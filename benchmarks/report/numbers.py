"""How numbers are written."""

from __future__ import annotations

__all__ = ["amount", "factor", "size"]


def amount(value: float) -> str:
    """Return a measured value with three digits, thousands separated."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def factor(value: float) -> str:
    """Return a ratio, such as `x 1.04` or `x 12`."""
    return f"x {value:.0f}" if value >= 10 else f"x {value:.2f}"


def size(count: int) -> str:
    """Return a number of bytes, such as `10 kB`."""
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if count >= unit:
            return f"{count / unit:g} {name}"
    return f"{count} B"
