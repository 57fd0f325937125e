"""The colours and symbols of the report, its figures and the notebook's card."""

from __future__ import annotations

from gansearch.stability.verdict import COLOURS

__all__ = ["CARD", "COLOURS", "DARK", "INK", "LIGHT", "LINE", "MUTED", "SYMBOLS"]

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
