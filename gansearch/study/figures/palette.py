"""The colours and symbols of the report, its figures and the notebook's card."""

from __future__ import annotations

from gansearch.stability.verdict import COLOURS

__all__ = ["CARD", "COLOURS", "DARK", "DASHES", "GROUPS", "INK", "LIGHT", "LINE", "MUTED", "SYMBOLS", "faint"]

SYMBOLS = {
    "diverged": "x",
    "collapsed": "cross",
    "discriminator_saturated": "triangle-up",
    "generator_dominates": "triangle-down",
    "uninformative": "square",
    "oscillating": "diamond",
    "unknown": "hexagon",
    "balanced": "circle",
}
"""One symbol a verdict, for print and for whoever sees no colour."""

LIGHT = {"paper": "#fafaf8", "card": "#fefefe", "ink": "#1d2126", "muted": "#5c6570", "line": "#e2e4e6"}
DARK = {"paper": "#14171a", "card": "#1b1f23", "ink": "#e9eaeb", "muted": "#9aa4ae", "line": "#30363c"}
"""The page's other colours by day and by night. Figures are drawn in those of LIGHT; the page changes one for one."""
INK, MUTED, LINE, CARD = LIGHT["ink"], LIGHT["muted"], LIGHT["line"], LIGHT["card"]

GROUPS = ("#56B4E9", "#0072B2", "#E69F00", "#D55E00", "#009E73", "#CC79A7")
"""Colours of groups that are no verdicts, from cold to warm for ordered ones: those of Okabe and Ito (2008)."""
DASHES = ("solid", "9px,3px", "3px,3px", "9px,3px,3px,3px", "15px,4px", "2px,5px")
"""One dash a group, for print and for whoever sees no colour."""


def faint(colour: str) -> str:
    """A colour, #rrggbb, as it fills a band."""
    return f"rgba({','.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))},.16)"
