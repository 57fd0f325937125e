"""What is kept of a script's run: no key, token, secret or password of its environment, and no link out of it."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from gansearch.experiment import ScriptTask, masked
from gansearch.experiment.secrets import MASK, VARIABLE
from gansearch.scripts.prepare.prepare import Prepared
from gansearch.scripts.run.output import Output

LINES = 150
"""The last of each stream that are kept."""
_SHORTEST = 6
"""Characters of a secret that is looked for; shorter ones are parts of words."""


def secret_values(environment: Mapping[str, str]) -> list[str]:
    """Return the values of an environment that nobody should read, the longest first."""
    found = {value for name, value in environment.items() if VARIABLE.search(name) and len(value) >= _SHORTEST}
    return sorted(found, key=len, reverse=True)


def mask(text: str, values: Iterable[str]) -> str:
    """Return a text without these values, and without what is named as a secret."""
    for value in values:
        text = text.replace(value, MASK)
    return masked(text)


def kept(script: ScriptTask, prepared: Prepared, output: Output, secrets: Iterable[str]) -> dict[str, str]:
    """Return what is kept of a run, by file name: its command, its changes, its settings, its last lines."""
    found = {"command.txt": f"{shlex.join(prepared.words)}\n", "changes.diff": prepared.diff}
    for target in script.files:
        path = Path(prepared.cwd, target.replace("{out}", str(prepared.out)))
        with suppress(OSError):  # its name may hold a value
            found[path.name] = path.read_text(errors="replace")
    for name, stream in output.streams:
        lines = stream.last_lines(LINES)
        found[f"{name}.txt"] = "\n".join(lines) + ("\n" if lines else "")
    return {name: mask(text, secrets) for name, text in found.items() if text}


def copy_out(out: Path | None, folder: Path) -> None:
    """Copy what a script left in its `out`, if anything, into a new folder.

    Links to files in there are copied as files, others are left out.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if out is None or not out.is_dir():
        return
    root = out.resolve()

    def outward(place: str, names: list[str]) -> list[str]:
        links = [path for name in names if (path := Path(place, name)).is_symlink()]
        return [path.name for path in links if not (path.is_file() and path.resolve().is_relative_to(root))]

    shutil.copytree(out, folder, dirs_exist_ok=True, ignore=outward)
