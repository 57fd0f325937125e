"""What the commands print to: whoever looks on never stops what works, by leaving, by a full disk or by ASCII."""

from __future__ import annotations

import codecs
import errno
import io
import json
import logging
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansearch.formatting import shown, shown_json

if TYPE_CHECKING:
    from gansearch.experiment import Experiment

_ALIKE = str.maketrans({"–": "-", "—": "-", "−": "-", "…": "~", "→": ">", "·": ".", "×": "x", "√": "v", "≤": "<"})
"""Characters of ours that ASCII lacks, and those that come near, each as wide."""
_ERRORS = "gansearch"


def open_streams() -> None:
    """Make stdout and stderr streams that never fail. One that was closed is no stream of anything else's later."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one
    sys.stdout, sys.stderr = Stream(sys.stdout, 1), Stream(sys.stderr, 2)


class Stream(io.TextIOWrapper):
    """A standard stream to which one can always write.

    What its encoding lacks is replaced. Once it cannot be written any more, the rest goes nowhere, and `lost` says why.
    """

    def __init__(self, stream: Any, descriptor: int):
        """Write to where `stream` does, which is None where the process has none."""
        self.lost: OSError | None = None
        self._descriptor = descriptor
        codecs.register_error(_ERRORS, _printable)
        super().__init__(
            stream.buffer if stream else Path(os.devnull).open("wb"),  # noqa: SIM115
            encoding=stream.encoding if stream else "utf-8",
            errors=_ERRORS,
            line_buffering=bool(stream) and stream.line_buffering,
            write_through=bool(stream) and stream.write_through,
        )

    def write(self, text: str) -> int:
        """Write text, or drop it."""
        try:
            return super().write(text)
        except OSError as error:
            self._lose(error)
            return len(text)

    def flush(self) -> None:
        """Write what waits, or drop it."""
        try:
            super().flush()
        except OSError as error:
            self._lose(error)

    def write_document(self, text: str) -> None:
        """Write what programs read, whatever a terminal has: UTF-8."""
        self.flush()
        try:
            self.buffer.write(text.encode(errors="backslashreplace"))
        except OSError as error:
            self._lose(error)

    @property
    def trouble(self) -> str:
        """Why the stream was lost; empty where it was not, or where its reader has merely seen enough."""
        gone = (errno.EPIPE, errno.EIO, errno.ENXIO, errno.ECONNRESET)
        return "" if self.lost is None or self.lost.errno in gone else str(self.lost.strerror or self.lost)

    def _lose(self, error: OSError) -> None:
        """Let all that is written from now on, and what still waits, go nowhere."""
        self.lost = self.lost or error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._descriptor)
        os.close(nowhere)
        with suppress(OSError):
            super().flush()


def say(text: str = "", **options: Any) -> None:
    """Print a text for people, as `print` does: escapes are displayed, not obeyed, and passwords are masked."""
    print(_fit(text), **options)


class _Fit(logging.Formatter):
    """The same for what is logged."""

    def format(self, record: logging.LogRecord) -> str:
        return _fit(super().format(record))


def show_logs() -> None:
    """Print warnings, where nobody has set up logging, as `say` prints."""
    if logging.lastResort:
        logging.lastResort.setFormatter(_Fit())


def _fit(text: str) -> str:
    from gansearch.experiment import masked  # takes longer than --help should

    return masked(shown(text))


def print_document(text: str) -> None:
    """Print what programs read to stdout."""
    getattr(sys.stdout, "write_document", sys.stdout.write)(text)


@contextmanager
def stdout_apart(as_json: bool) -> Iterator[None]:
    """Inside, what users' code prints goes to stderr where stdout is for JSON, that of their processes too."""
    if not as_json:
        yield
        return
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


def print_json(data: Any) -> None:
    """Print JSON without passwords, and with escapes for what a terminal obeys or lacks: they are JSON, too."""
    from gansearch.experiment import masked_data

    data = masked_data(data)
    text = shown_json(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(data, indent=2, allow_nan=False)
    print(text)


def print_code(experiment: Experiment) -> None:
    """Say on stderr whose code an experiment runs, before it does: a file that somebody has sent may name any."""
    from gansearch.store.folder import as_typed

    if isinstance(experiment.task, str):
        where, colon, _ = experiment.task.rpartition(":")
    else:
        where, colon = str(experiment.task.script or shlex.join(experiment.task.command)), ":"
    if colon:
        path = as_typed(Path(where))
        is_below = where.endswith(".py") and isinstance(path, Path) and not path.is_absolute()
        say(f"runs {f'./{path}' if is_below else where}", file=sys.stderr)


def is_lost() -> bool:
    """Whether nobody can read stdout any more."""
    return getattr(sys.stdout, "lost", None) is not None


def _printable(error: UnicodeError) -> tuple[str, int]:
    """Return what is printed for characters that the encoding lacks: some that come near, else question marks.

    A lone surrogate stands for a byte of a name that is no text, and is printed as that byte's number.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_ALIKE)
    return "".join(_shown(character) for character in text), error.end


def _shown(character: str) -> str:
    if "\ud800" <= character <= "\udfff":
        byte = ord(character) - 0xDC00
        return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else f"\\u{ord(character):x}"
    return character if character.isascii() else "?"
