"""As much of SVG as charts need."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Drawing"]

_FONT = """font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="12\""""


class Drawing:
    """A drawing on a white ground, so that it can be read on dark pages too. Lengths are in pixels.

    Args:
        width: Of the whole.
        height: Of the whole.
        title: What it shows, for those who do not see it.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        extent = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {extent} {_FONT} role="img">',
            f"<title>{escape(title)}</title>",
            '<rect width="100%" height="100%" rx="6" fill="#fff"/>',
        ]

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: str = "start",
        size: float = 12,
        color: str = "#333",
        bold: bool = False,
    ) -> None:
        """Write a line of text.

        Args:
            x: Where it is anchored.
            y: Its base line.
            text: What to write.
            anchor: "start", "middle" or "end".
            size: Of the letters.
            color: As SVG has it.
            bold: In bold letters.
        """
        attributes = f'x="{x:.4g}" y="{y:.4g}" fill="{color}"'
        if anchor != "start":
            attributes += f' text-anchor="{anchor}"'
        if size != 12:
            attributes += f' font-size="{size:g}"'
        if bold:
            attributes += ' font-weight="600"'
        self._parts.append(f"<text {attributes}>{escape(text)}</text>")

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        *,
        color: str = "#e4e4e4",
        width: float = 1,
        dashes: str = "",
    ) -> None:
        """Draw a line between two points."""
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        path = f"M{x1:.4g} {y1:.4g}L{x2:.4g} {y2:.4g}"
        self._parts.append(f'<path d="{path}" stroke="{color}" stroke-width="{width:g}"{dashed}/>')

    def curve(self, points: Iterable[tuple[float, float]], *, color: str, dashes: str = "") -> None:
        """Draw a line through points, with a dot on each."""
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        found = list(points)
        path = "L".join(f"{x:.4g} {y:.4g}" for x, y in found)
        self._parts.append(f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2"{dashed}/>')
        dots = "".join(f'<circle cx="{x:.4g}" cy="{y:.4g}" r="3"/>' for x, y in found)
        self._parts.append(f'<g fill="{color}">{dots}</g>')

    def bar(self, x: float, y: float, width: float, height: float, color: str) -> None:
        """Draw a filled bar."""
        self._parts.append(
            f'<rect x="{x:.4g}" y="{y:.4g}" width="{width:.4g}" height="{height:.4g}" fill="{color}"/>'
        )

    def __str__(self) -> str:
        return "\n".join([*self._parts, "</svg>"]) + "\n"
