"""A script as a process of this one: started below a supervisor, drained, stopped, and known how it ended."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gansearch.scripts.run import supervisor
from gansearch.scripts.run.output import Output

DRAIN_SECONDS = 2.0
"""After the end of a script, in which its pipes are empty."""


@dataclass(frozen=True)
class Ended:
    """How a script ended."""

    code: int | None
    """Its exit status, negative for a signal; None where that is not known."""
    error: str = ""
    """Why it was not started; empty if it was."""
    left: tuple[str, ...] = ()
    """Processes of it that could not be ended."""

    @property
    def is_success(self) -> bool:
        """Whether it ended by itself, with exit status 0."""
        return self.code == 0 and not self.error

    def __str__(self) -> str:
        """How, in some words."""
        if self.error:
            return f"it cannot be started ({self.error})"
        if self.code is None:
            return "its supervisor was killed"
        if self.code >= 0:
            return f"it ended with exit status {self.code}"
        name = {one.value: one.name for one in signal.Signals}.get(-self.code, f"signal {-self.code}")
        return f"it was ended by {name}" + (", as the system does where memory is short" if name == "SIGKILL" else "")


class Process:
    """A script that runs, with all that comes of it. `close` leaves nothing of it."""

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        cwd: Path,
        *,
        token: str,
        stop_signal: int = signal.SIGTERM,
        folder: Path | None = None,
    ):
        """Start it. `folder` is removed if this process dies before `close`."""
        self.output = Output()
        life, self._life = os.pipe()
        self._report, report = os.pipe()
        self.ended: Ended | None = None
        self.started = time.monotonic()
        given = [*self.output.ends, life, report]
        job = {
            "words": list(words),
            "environment": {**environment, supervisor.TOKEN: token},
            "cwd": str(cwd),
            "stop_signal": int(stop_signal),
            "token": token,
            "folder": str(folder) if folder else "",
            **dict(zip(("stdout", "stderr", "life", "report"), given, strict=True)),
        }
        program = [sys.executable, "-I", "-S", supervisor.__file__]
        subprocess.run(program, input=json.dumps(job).encode(), pass_fds=given, check=True)  # it forks, and goes on
        os.close(life)
        os.close(report)
        self.output.begin()

    def wait(self, seconds: float) -> Ended | None:
        """Wait for the end, and for all that comes of it, at most so long; None where it still runs."""
        if self.ended is None and select.select([self._report], [], [], seconds)[0]:
            said = json.loads(os.read(self._report, 1 << 20) or b"{}")
            status = said.get("status")
            code = None if status is None else os.waitstatus_to_exitcode(status)
            self.ended = Ended(code, said.get("error", ""), tuple(said.get("left", ())))
            self.output.finish(DRAIN_SECONDS)
        return self.ended

    def stop(self) -> None:
        """Ask the script to end; after a while all of it is ended."""
        if self.ended is None:
            with suppress(OSError):  # it has just ended
                os.write(self._life, b"s")

    def close(self) -> Ended:
        """Stop it if it runs, and wait until nothing is left of it."""
        self.stop()
        most = supervisor.PATIENCE_SECONDS + supervisor.TERM_SECONDS + supervisor.KILL_SECONDS
        ended = self.wait(2 * most) or Ended(None)
        for number in (self._life, self._report):
            if number >= 0:
                os.close(number)
        self._life = self._report = -1
        return ended


def free_port() -> int:
    """Return a port of this machine that nobody listens to now."""
    with socket.socket() as found:
        found.bind(("", 0))
        return int(found.getsockname()[1])
