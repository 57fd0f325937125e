"""What of a script's run may be written down: no key, token, secret or password of its environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gansearch.experiment import masked
from gansearch.experiment.secrets import MASK

_NAMES = re.compile(r"(?i)key|token|secret|passw|credential")
_SHORTEST = 6
"""Characters of a secret that is looked for; shorter ones are parts of words."""


def secret_values(environment: Mapping[str, str]) -> list[str]:
    """Return the values of an environment that nobody should read, the longest first."""
    found = {value for name, value in environment.items() if _NAMES.search(name) and len(value) >= _SHORTEST}
    return sorted(found, key=len, reverse=True)


def mask(text: str, values: Iterable[str]) -> str:
    """Return a text without these values, and without what is named as a secret."""
    for value in values:
        text = text.replace(value, MASK)
    return masked(text)
