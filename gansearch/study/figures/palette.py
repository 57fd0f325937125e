"""The colours and symbols of the report, its figures and the notebook's card."""

from __future__ import annotations

COLOURS = {
    "diverged": "#56B4E9",
    "collapsed": "#0072B2",
    "discriminator_saturated": "#D55E00",
    "generator_dominates": "#CC79A7",
    "uninformative": "#6B7280",
    "oscillating": "#E69F00",
    "balanced": "#009E73",
}
"""One colour a verdict, everywhere: those of Okabe and Ito (2008), which the colour-blind tell apart, and a grey."""

SYMBOLS = {
    "diverged": "x",
    "collapsed": "cross",
    "discriminator_saturated": "triangle-up",
    "generator_dominates": "triangle-down",
    "uninformative": "square",
    "oscillating": "diamond",
    "balanced": "circle",
}
"""One symbol a verdict, for print and for whoever sees no colour."""

LIGHT = {"paper": "#fafaf8", "card": "#fefefe", "ink": "#1d2126", "muted": "#5c6570", "line": "#e2e4e6"}
DARK = {"paper": "#14171a", "card": "#1b1f23", "ink": "#e9eaeb", "muted": "#9aa4ae", "line": "#30363c"}
"""The page's other colours by day and by night. Figures are drawn in those of LIGHT; the page changes one for one."""
INK, MUTED, LINE, CARD = LIGHT["ink"], LIGHT["muted"], LIGHT["line"], LIGHT["card"]
