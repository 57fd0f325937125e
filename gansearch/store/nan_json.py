"""JSON that keeps NaN and infinities, as strings."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from gansearch.formatting import fit
from gansearch.store.containment import read_text
from gansearch.store.folder import StudyError

_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def to_json(data: Any) -> str:
    """JSON text; NaN and infinities become the strings that `from_json` turns back, times ISO text."""
    return json.dumps(fit(_plain(data)), indent=1, allow_nan=False)


def from_json(text: str) -> Any:
    """The data of `to_json`. Times stay text. Raises ValueError for anything but JSON."""
    try:
        data = json.loads(text, object_hook=_with_numbers)
        return fit(data) if _SURROGATE.search(text) else data
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_json(path: Path, otherwise: Any = None) -> Any:
    """The data of a file that holds the text of `to_json`; `otherwise` where there is none, or a damaged one.

    Raises StudyError where it cannot be read: whoever took it for none would do again, and overwrite, what it holds.
    """
    try:
        return from_json(read_text(path))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return otherwise
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror or error})") from None


def _with_numbers(data: dict[str, Any]) -> dict[str, Any]:
    return {key: _NUMBERS.get(value, value) if isinstance(value, str) else value for key, value in data.items()}


def _plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    if isinstance(data, datetime):
        return data.isoformat()
    if isinstance(data, float | np.floating) and not math.isfinite(data):
        return "NaN" if math.isnan(data) else "Infinity" if data > 0 else "-Infinity"
    return data.item() if isinstance(data, np.generic) else data
