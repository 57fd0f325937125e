"""What of a folder is never sent to a cluster, and the user's word before much of it is."""

from __future__ import annotations

import sys
from pathlib import Path

from gansearch.formatting import many
from gansearch.scripts.prepare.left_out import MOST_BYTES, MOST_FILES, left_out
from gansearch.search.errors import SweepError


def excluded(root: Path) -> list[str]:
    """Return patterns, as in a .gitignore, of what is never sent of a folder, beside what Ray leaves out itself.

    Raises:
        SweepError: The folder is the user's home, or holds it.
    """
    if Path.home().resolve().is_relative_to(root.resolve()):
        raise SweepError(
            f"task: all of {root}, which holds your home, would be sent to the cluster; "
            "put the code into a folder of its own"
        )
    return left_out(root)


def agree(files: int, size: int, root: str | Path) -> None:
    """Say what is sent, and ask whether that is meant where it is much.

    Raises:
        SweepError: The user does not agree, or there is nobody to be asked.
    """
    what = f"{many(files, 'file')} of {root} ({size / 2**20:,.2f} MB)"
    print(f"sending {what} to the cluster", file=sys.stderr, flush=True)
    if files <= MOST_FILES and size <= MOST_BYTES:
        return
    advice = "name what the code does not need in a .rayignore file there, or keep data where every node sees it"
    if not (sys.stdin and sys.stdin.isatty()):
        limits = f"{MOST_FILES:,} files or {MOST_BYTES / 2**20:,.0f} MB"
        raise SweepError(f"task: {what} would be sent; above {limits} a terminal is asked, and there is none: {advice}")
    print("send all of it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise SweepError(f"task: nothing was sent; {advice}")
