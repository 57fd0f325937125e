"""The parameters that a training loop of the user's own gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gansearch.experiment import suggest


class Params(dict[str, Any]):
    """The trial's parameters by name. An unknown name raises KeyError, which suggests the nearest one.

    `unread` holds the names that were never read: to search them makes no difference.
    """

    def __init__(self, params: Mapping[str, Any]):
        super().__init__(params)
        self.unread = set(params)

    def __getitem__(self, name: str) -> Any:
        self.unread.discard(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The parameter, or `default` where there is none of that name."""
        self.unread.discard(name)
        return super().get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        """The parameter, which is removed; it counts as read."""
        self.unread.discard(name)
        return super().pop(name, *default)

    def __iter__(self) -> Iterator[str]:  # dict(params), **params and params | {} call this too
        self.unread.clear()
        return super().__iter__()

    def items(self) -> Any:
        """Pairs of name and value; all count as read."""
        self.unread.clear()
        return super().items()

    def values(self) -> Any:
        """The values; all count as read."""
        self.unread.clear()
        return super().values()

    def copy(self) -> dict[str, Any]:
        """A plain dict; all count as read."""
        return dict(self)

    def __missing__(self, name: str) -> Any:
        raise UnknownParameter(name, self)


class UnknownParameter(KeyError):
    """A loop reads a parameter that its trial has not."""

    def __init__(self, name: str, known: Mapping[str, Any]):
        hint = suggest(str(name), known) or f"; there are: {', '.join(known) or 'none'}"
        super().__init__(f"trial.params has no {name!r}{hint} (names stand under search: or params:)")

    def __str__(self) -> str:
        return str(self.args[0])
