"""What a script prints: drained at once, kept at its beginning and its end, handed on to be read."""

from __future__ import annotations

import fcntl
import os
import re
import selectors
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

from gansearch.diagnosis.lines.text import ANSI, BACKSPACES

FIRST, LAST = 1 << 20, 10 << 20
"""Bytes that are kept of a stream."""
WAITING = 16 << 20
"""Bytes that may wait to be read for numbers; beyond them lines are left out, so that a script is never held up."""
AT_ONCE = 1 << 20
"""Bytes of a pipe, and of one reading of it."""
_NUMBER = re.compile(
    r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|(?<![a-z])(?:nan|inf(?:inity)?)(?![a-z]))", re.IGNORECASE
)
_SET_SIZE = 1031
"""Of fcntl: F_SETPIPE_SZ of Linux."""


class Stream:
    """One of the two streams of a script. It is filled by one thread and read by another."""

    def __init__(self) -> None:
        """Begin empty."""
        self.total = 0
        """Bytes so far."""
        self.left_out = 0
        """Bytes that were not handed on."""
        self._first = bytearray()
        self._last: deque[bytes] = deque()
        self._kept = self._waits = 0
        self._waiting: deque[bytes] = deque()
        self._gap = False
        self._lock = threading.Lock()

    def put(self, data: bytes) -> None:
        """Take what was printed."""
        with self._lock:
            self.total += len(data)
            head = data[: FIRST - len(self._first)]
            self._first += head
            if rest := data[len(head) :]:
                self._last.append(rest)
                self._kept += len(rest)
                while self._kept - len(self._last[0]) >= LAST:
                    self._kept -= len(self._last.popleft())
            self._wait(data)

    def _wait(self, data: bytes) -> None:
        """Hand on whole lines alone around what is left out."""
        if self._waits + len(data) > WAITING:
            if not self._gap and self._waiting:
                cut = self._waiting[-1].rfind(b"\n") + 1
                self._waits -= len(self._waiting[-1]) - cut
                self._waiting[-1] = self._waiting[-1][:cut]
            self._gap = True
        if self._gap and self._waits <= WAITING // 2 and b"\n" in data:
            cut = data.find(b"\n") + 1
            self.left_out += cut
            data, self._gap = data[cut:], False
        if self._gap:
            self.left_out += len(data)
        else:
            self._waiting.append(data)
            self._waits += len(data)

    def take(self) -> bytes:
        """Return what came since the last time, to be read; a part of it where that is much."""
        with self._lock:
            taken = bytearray()
            while self._waiting and len(taken) < 4 * AT_ONCE:
                taken += self._waiting[0]
                self._waits -= len(self._waiting.popleft())
            return bytes(taken)

    def kept(self) -> bytes:
        """Return its first megabyte, what was left out in numbers, and its last ten."""
        with self._lock:
            last = b"".join(self._last)[-LAST:]
            gone = self.total - len(self._first) - len(last)
            middle = f"\n[... {gone:,} bytes ...]\n".encode() if gone else b""
            return bytes(self._first) + middle + last

    def last_lines(self, count: int, most: int = 20_000) -> list[str]:
        """Return its last lines as a terminal leaves them: without colours, of a bar its last state."""
        with self._lock:
            chunks, missing = [], most
            for chunk in reversed(self._last):
                chunks.append(chunk)
                missing -= len(chunk)
                if missing <= 0:
                    break
            else:  # nothing lies between both
                chunks.append(bytes(self._first[-missing:]))
            end = b"".join(reversed(chunks))[-most:]
        text = BACKSPACES.sub("\r", ANSI.sub("", end.decode("utf-8", "replace")))
        lines = (line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n"))
        return [line for line in lines if line][-count:]

    def last_number(self) -> float | None:
        """Return the last number of its last line; None where there is none."""
        found = [number for line in self.last_lines(1) for number in _NUMBER.findall(line)]
        return float(found[-1]) if found else None


class Output:
    """The two streams of a script, drained by a thread until both are closed."""

    def __init__(self) -> None:
        """Open two pipes; `ends` are those that the script writes to."""
        self.stdout, self.stderr = Stream(), Stream()
        pipes = [os.pipe(), os.pipe()]
        self.ends = tuple(write for _, write in pipes)
        self._reads = dict(zip((read for read, _ in pipes), (self.stdout, self.stderr), strict=True))
        for read in self._reads:
            with suppress(OSError):  # another system, or its limit
                fcntl.fcntl(read, _SET_SIZE, AT_ONCE)
        self._thread = threading.Thread(target=self._drain, daemon=True)

    def begin(self) -> None:
        """Drain, once the script has its ends."""
        for end in self.ends:
            os.close(end)
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Wait for the end of both; a process that could not be ended may keep them open."""
        self._thread.join(seconds)

    def last_lines(self, count: int) -> list[str]:
        """Return the last lines of stderr, where errors are, else of stdout."""
        return self.stderr.last_lines(count) or self.stdout.last_lines(count)

    @property
    def streams(self) -> Iterable[tuple[str, Stream]]:
        """Each with its name."""
        return (("stdout", self.stdout), ("stderr", self.stderr))

    def _drain(self) -> None:
        with selectors.DefaultSelector() as selector:
            for read, stream in self._reads.items():
                selector.register(read, selectors.EVENT_READ, stream)
            while selector.get_map():
                for key, _ in selector.select():
                    data = os.read(key.fd, AT_ONCE)
                    if data:
                        key.data.put(data)
                    else:
                        selector.unregister(key.fd)
                        os.close(key.fd)
