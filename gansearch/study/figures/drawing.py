"""A figure while it is drawn: its traces and its layout as plain dictionaries, which plotly checks once, at the end.

plotly's own objects check all that is in them with every entry that is set. That took a third of the time of a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plotly.graph_objects import Figure


class Drawing:
    """The traces and the layout of a figure, with plotly's names for what is in them."""

    def __init__(self, **layout: Any):
        """Start without a trace."""
        self.traces: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {"shapes": [], "annotations": [], **layout}

    def add_scatter(self, **trace: Any) -> None:
        """Add points or lines."""
        self.traces.append({"type": "scatter", **trace})

    def add_bar(self, **trace: Any) -> None:
        """Add bars."""
        self.traces.append({"type": "bar", **trace})

    def add_contour(self, **trace: Any) -> None:
        """Add lines of equal height."""
        self.traces.append({"type": "contour", **trace})

    def add_shape(self, **shape: Any) -> None:
        """Add a line or a rectangle."""
        self.layout["shapes"].append(shape)

    def add_text(self, **annotation: Any) -> None:
        """Add a text without an arrow."""
        self.layout["annotations"].append({"showarrow": False, **annotation})

    def update(self, **layout: Any) -> Drawing:
        """Change entries of the layout, of which what is inside and not given stays; return the drawing."""
        self.layout = _merged(self.layout, layout)
        return self

    def figure(self) -> Figure:
        """Return plotly's figure. Raises ValueError for what plotly does not know."""
        return Figure(self.traces, self.layout)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    inside = {key: _merged(old[key], new[key]) for key in old.keys() & new.keys() if isinstance(old[key], Mapping)}
    return {**old, **new, **inside}
