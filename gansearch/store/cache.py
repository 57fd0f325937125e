"""Copies in the user's cache of what is at a URL, and the URL that such a copy is of."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from gansearch.store.containment import read_text

URL = ".url"
"""In a folder of the cache: the file that holds its URL."""
_URL_BYTES = 4096


def cache(kind: str, url: str) -> Path:
    """The folder in the user's cache for what is at a URL."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    url = url.rstrip("/")
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", url.partition("?")[0])[-60:]
    return home / "gansearch" / kind / f"{readable}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def url_of(folder: Path) -> str | None:
    """The URL of a folder that this user's gansearch has made in the cache; None of any other.

    A folder elsewhere may name a URL too. Nobody asked for that one, and it would be opened with the user's own keys.
    """
    try:
        url = read_text(folder / URL, _URL_BYTES)
    except (OSError, ValueError):
        return None
    return url if folder.absolute() in (cache("copies", url).absolute(), cache("sweeps", url).absolute()) else None
