"""A log that is still being written: what it says is renewed as lines come."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Mapping
from typing import IO

from gansearch.diagnosis.diagnosis import Diagnosis, split_loss, with_halves
from gansearch.diagnosis.reading import LogError, LogReader
from gansearch.diagnosis.roles.assembly import check_role
from gansearch.diagnosis.roles.losses import checked
from gansearch.diagnosis.text import begin
from gansearch.diagnosis.training_log import Halves
from gansearch.formatting import many, words

SECONDS = 2.0
"""Between two judgements while lines come, at least."""
SHARE = 0.1
"""Of the time that judging may take, so that a fast log is read rather than judged."""
CHUNK = 1 << 18


def follow(
    stream: IO[bytes],
    columns: Mapping[str, str] | None = None,
    loss: str | None = None,
    say: Callable[[str], None] | None = None,
    seconds: float = SECONDS,
) -> Diagnosis:
    """Read a pipe to its end, or Ctrl-C, and return the diagnosis of all of it.

    A line is said whenever what is found is no longer the same.

    Raises:
        LogError: There is no such loss or role, before anything is read; or there was nothing to read in it.
    """
    family, halves = split_loss(loss)
    checked(family)
    for role in columns or {}:
        check_role(role)
    reader = LogReader("-", dict(columns or {}), family)
    known: tuple[str, ...] | None = None
    due, pending = time.monotonic() + seconds, False
    try:
        while True:
            data = _available(stream, seconds if pending else None)
            if data == b"":
                break
            if data:
                reader.feed(data)
                pending = True
            if say and pending and time.monotonic() >= due:
                began = time.monotonic()
                known = _renewed(reader, halves, known, say)
                pending = False
                due = time.monotonic() + max(seconds, (time.monotonic() - began) / SHARE)
    except KeyboardInterrupt:
        pass  # the training was ended: what it has printed is judged
    reader.close()
    return Diagnosis.of(with_halves(reader.log(), halves))


def _available(stream: IO[bytes], timeout: float | None) -> bytes | None:
    """The bytes that are there; None if there are none within the time, nothing at the end."""
    try:
        number = stream.fileno()
    except OSError:  # no file behind it, as in tests
        return stream.read(CHUNK)
    if timeout is not None and not select.select([number], [], [], timeout)[0]:
        return None
    return os.read(number, CHUNK)


def _renewed(
    reader: LogReader, halves: Halves | None, known: tuple[str, ...] | None, say: Callable[[str], None]
) -> tuple[str, ...] | None:
    """Say what is found now, if it is not what was known; returns it."""
    try:
        diagnosis = Diagnosis.of(with_halves(reader.log(), halves))
    except LogError:
        return known  # nothing to judge yet
    wrong = [finding for finding in diagnosis.findings if finding.is_verdict]
    now = tuple(f"{finding.game} {finding.kind} {finding.grade}" for finding in wrong)
    if now != known:
        found = "; ".join(f"{words(one.kind)} ({one.grade}) {begin(one, diagnosis.log)}" for one in wrong)
        say(f"{many(diagnosis.records, 'record')}: {found or 'nothing that this log can show is wrong'}")
    return now
