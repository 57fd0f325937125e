"""Who else reaches the Ray that a sweep starts or joins, and its token."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

_LOG = logging.getLogger(__name__)


def protect_token() -> None:
    """Let nobody but the user read Ray's token, which Ray writes for everybody to read."""
    with suppress(OSError, RuntimeError):  # there may be no home
        (Path.home() / ".ray" / "auth_token").chmod(0o600)


def warn_if_open(nodes: Iterable[Mapping[str, Any]], has_token: bool) -> None:
    """Warn where nodes listen on a network and wanted no token of us: whoever reaches them runs code there."""
    addresses = sorted({str(node["NodeManagerAddress"]) for node in nodes})
    if not has_token and not all(map(_is_loopback, addresses)):
        _LOG.warning(
            "warning: Ray on %s wants no token, so whoever reaches its ports can run code there; start it with "
            "RAY_AUTH_MODE=token",
            ", ".join(addresses[:3]) + (" …" if len(addresses) > 3 else ""),
        )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
