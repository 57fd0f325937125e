"""The parameters that a training loop of the user's own is handed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any


class Params(dict[str, Any]):
    """The trial's parameters by name; a name that there is not raises KeyError with the nearest that there is.

    It remembers which were asked for: what a loop never reads is searched in vain.
    """

    def __init__(self, params: Mapping[str, Any]):
        super().__init__(params)
        self.unread = set(params)

    def __getitem__(self, name: str) -> Any:
        self.unread.discard(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.unread.discard(name)
        return super().get(name, default)

    def __iter__(self) -> Iterator[str]:  # dict(params) and **params come by here too
        self.unread.clear()
        return super().__iter__()

    def items(self) -> Any:
        self.unread.clear()
        return super().items()

    def values(self) -> Any:
        self.unread.clear()
        return super().values()

    def copy(self) -> dict[str, Any]:
        return dict(self)

    def __missing__(self, name: str) -> Any:
        raise UnknownParameter(name, self)


class UnknownParameter(KeyError):
    def __init__(self, name: str, known: Mapping[str, Any]):
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(known) or 'none'}"
        super().__init__(f"trial.params has no {name!r}; {hint} (names stand under search: or params:)")

    def __str__(self) -> str:
        return str(self.args[0])
