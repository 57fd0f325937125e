"""The probes of a monitor in a file: a line of JSON each, written at once and read while it grows."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from torch import Tensor

from gansearch.stability.window import Window

MARK = b'{"gansearch_probe": '
"""How each line begins."""


class ProbeFile:
    """Writes probes. A line that follows for the same probe replaces it; a smaller number begins another run."""

    def __init__(self, path: str | Path):
        """Make the folder of the file. Raises OSError."""
        self._path = Path(path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._last: tuple[int, list[float]] = (0, [])

    def write(self, number: int, row: Tensor) -> None:
        """Write probe `number`, counted from 1: a (fields,) row of sums."""
        self._last = number, row.double().tolist()
        self._append()

    def add(self, first: int, measured: Tensor) -> None:
        """Add (n,) numbers to those of the last probe from field `first` on."""
        number, values = self._last
        for place, value in enumerate(measured.tolist(), first):
            values[place] += value
        self._last = number, values
        self._append()

    def _append(self) -> None:
        number, row = self._last
        window = Window.of(torch.tensor(row, dtype=torch.float64))
        means = {"D(x)": window.mean_p_real, "D(G(z))": window.mean_p_fake, "separability": window.separability}
        line = json.dumps({"gansearch_probe": number, "step": window.step, **means, "row": row})
        with self._path.open("a", encoding="utf-8") as file:  # one write, so that no line is cut by another process
            file.write(f"{line}\n")


class GrowingProbes:
    """Reads such a file from where it stopped; `windows` are the probes of its last run, oldest first."""

    def __init__(self, path: Path):
        """Begin with nothing read."""
        self.windows: list[Window] = []
        self.name = path.stem
        self._path, self._at, self._inode, self._rest, self._number = path, 0, 0, b"", 0

    def read(self) -> bool:
        """Read what was not there the last time; whether there was anything."""
        try:
            with self._path.open("rb") as file:
                found = os.fstat(file.fileno())
                if found.st_ino != self._inode or found.st_size < self._at:
                    self._at, self._inode, self._rest = 0, found.st_ino, b""
                file.seek(self._at)
                data = file.read()
        except OSError:  # it is being replaced
            return False
        self._at += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line)
        return bool(lines)

    def _take(self, line: bytes) -> None:
        try:
            found = json.loads(line)
            number, row = int(found["gansearch_probe"]), found["row"]
            window = Window.of(torch.tensor(row, dtype=torch.float64))
        except (ValueError, TypeError, KeyError, RuntimeError):  # of another version, or cut off
            return
        if number == self._number:
            self.windows.pop()
        elif number < self._number:
            self.windows.clear()
        self._number = number
        self.windows.append(window)
