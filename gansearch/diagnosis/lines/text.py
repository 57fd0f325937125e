"""Bytes of a log in any encoding as the lines that a terminal would have shown, chunk by chunk."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

ANSI = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_()][0-9A-Z]?)")
"""Escape sequences of terminals: colours, movements of the cursor, titles."""
BACKSPACES = re.compile("\x08+")
LONGEST_LINE = 1 << 24
"""Characters after which a line without an end is taken as it is, so that memory stays bounded."""


class Lines:
    """Cuts text into lines: what overwrites itself by carriage returns or backspaces becomes several."""

    def __init__(self) -> None:
        self._bytes = b""
        self._text = ""
        self._wide: codecs.IncrementalDecoder | None = None
        self._begun = False
        self._number = 1
        self._returns: bool | None = None

    def feed(self, data: bytes | str) -> tuple[list[str], Sequence[int]]:
        """The lines that are complete now, each with its number from 1.

        Numbers count line feeds, as editors do, in a file without any the carriage returns.
        """
        self._text += self._decoded(data) if isinstance(data, bytes) else data
        # A return at the very end may be the first half of a line's end.
        cut = max(self._text.rfind("\n"), self._text.rfind("\r", 0, -1)) + 1
        if not cut and len(self._text) > LONGEST_LINE:
            cut = len(self._text)
        body, self._text = self._text[:cut], self._text[cut:]
        return self._split(body) if body else ([], [])

    def finish(self) -> tuple[list[str], Sequence[int], str]:
        """The same at the end of the text, and the last line if it has no end."""
        self._text += self._decoded(b"", last=True)
        cut = max(self._text.rfind("\n"), self._text.rfind("\r")) + 1
        body, tail = self._text[:cut], self._text[cut:]
        self._text = ""
        lines, numbers = self._split(body) if body else ([], [])
        return lines, numbers, BACKSPACES.sub("\r", ANSI.sub("", tail)).rpartition("\r")[2]

    @property
    def number(self) -> int:
        """The number of the line that has no end yet."""
        return self._number

    def _split(self, body: str) -> tuple[list[str], Sequence[int]]:
        if "\x1b" in body:
            body = ANSI.sub("", body)
        if "\b" in body:
            body = BACKSPACES.sub("\r", body)
        if "\r" in body:
            body = re.sub("\r+\n", "\n", body)
        if self._returns is None:
            self._returns = "\n" not in body
            body = body.lstrip("\r")
        if self._returns:
            body = body.replace("\r", "\n")
        lines = body.removesuffix("\n").split("\n")
        first, self._number = self._number, self._number + body.count("\n")
        if "\r" not in body:
            return lines, range(first, first + len(lines))
        pairs = [(part, first + i) for i, line in enumerate(lines) for part in line.split("\r") if part]
        return [part for part, _ in pairs], [number for _, number in pairs]

    def _decoded(self, data: bytes, last: bool = False) -> str:
        """Text of bytes: UTF-8, UTF-16 by its mark or its zeros, else Windows' Latin-1, a chunk at a time."""
        if not self._begun:
            data = self._bytes + data
            if len(data) < 4 and not last:
                self._bytes = data
                return ""
            self._begun, self._bytes = not last, b""
            encoding = wide_encoding(data)
            self._wide = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        if self._wide is not None:
            return self._wide.decode(data, last).removeprefix("\ufeff")
        data = self._bytes + data
        cut = len(data) if last else max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if len(data) - cut > LONGEST_LINE:
            cut = len(data)
        self._bytes = data[cut:]
        try:
            return data[:cut].decode("utf-8-sig")
        except UnicodeDecodeError:
            return data[:cut].decode("cp1252", "replace")


def wide_encoding(data: bytes) -> str | None:
    """UTF-16's or UTF-32's name where the first bytes are in it, else None."""
    marks = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    for mark, name in marks:
        if data.startswith(mark):
            return name
    sample = data[:1000]
    if len(sample) < 4:
        return None
    if sample[1::2].count(0) > 0.8 * len(sample[1::2]) and not sample[::2].count(0):
        return "utf-16-le"
    if sample[::2].count(0) > 0.8 * len(sample[::2]) and not sample[1::2].count(0):
        return "utf-16-be"
    return None
