"""What happens to logs on their way to us."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

WARNINGS = (
    "/usr/lib/python3/site-packages/torch/nn/functional.py:1967: UserWarning: nn.functional.tanh is deprecated.",
    '  warnings.warn("nn.functional.tanh is deprecated. Use torch.tanh instead.")',
    "2024-01-02 10:00:00.123456: I tensorflow/core/platform/cpu_feature_guard.cc:193] oneDNN, AVX2 512",
    "Saving checkpoint to ckpt/0012.pt (12.3 MB)",
    "[W CUDAGuardImpl.h:46] Warning: CUDA warning: out of memory (function uncheckedGetDevice)",
)


def lines_of(text: str) -> list[str]:
    """The lines with their ends."""
    return re.findall(r"[^\n\r]*(?:\r\n|\n|\r|$)", text)


def cut_lines(text: str, rng: random.Random) -> str:
    """Three lines lose their second half."""
    lines = lines_of(text)
    for at in rng.sample(range(2, len(lines) - 2), 3):
        body = lines[at].rstrip("\r\n")
        lines[at] = body[: rng.randrange(len(body) + 1)] + lines[at][len(body) :]
    return "".join(lines)


def glued_lines(text: str, rng: random.Random) -> str:
    """Three lines are cut, and the next follows on the same line."""
    lines = lines_of(text)
    for at in rng.sample(range(len(lines) // 3, len(lines) - 4), 3):
        body = lines[at].rstrip("\r\n")
        lines[at] = body[: rng.randrange(len(body) + 1)]
    return "".join(lines)


def doubled(text: str, rng: random.Random) -> str:
    """Every line twice, as two processes print it."""
    return "".join(line + line for line in lines_of(text))


def warned(text: str, rng: random.Random) -> str:
    """Warnings between the lines."""
    lines = lines_of(text)
    for _ in range(8):
        lines.insert(rng.randrange(1, len(lines) - 1), rng.choice(WARNINGS) + "\n")
    return "".join(lines)


def windows(text: str, rng: random.Random) -> str:
    """Line ends of Windows."""
    return text.replace("\n", "\r\n")


def utf_16(text: str, rng: random.Random) -> bytes:
    """What PowerShell's > writes."""
    return text.encode("utf-16")


def coloured(text: str, rng: random.Random) -> str:
    """Colours around some words, and a cursor that is hidden."""
    return "\x1b[?25l" + re.sub(r"(?m)^(\w+|\[)", "\x1b[1;32m\\1\x1b[0m", text)


def blank(text: str, rng: random.Random) -> str:
    """Empty lines between the lines, and blanks at their ends."""
    return "\n\n" + "".join(line + rng.choice(("", "\n", "  \n\n")) for line in lines_of(text))


def appended(text: str, rng: random.Random) -> str:
    """A shorter run before this one, in the same file."""
    half = lines_of(text)
    return "".join(half[: len(half) * 6 // 10]) + "\n" + text


def truncated(text: str, rng: random.Random) -> bytes:
    """A full disk: the file ends anywhere."""
    data = text.encode()
    return data[: rng.randrange(len(data) // 2, len(data))]


def headless(text: str, rng: random.Random) -> bytes:
    """The end of a longer file, as `tail -c` gives it; a header, if there is one, stays."""
    lines = lines_of(text)
    data = "".join(lines[1:]).encode()
    header = lines[0] if re.match(r"\"?\w+\"?[,;]", lines[0]) else ""
    return header.encode() + data[rng.randrange(1, len(data) // 4) :]


def tabbed(text: str, rng: random.Random) -> str:
    """Tabs for blanks, as a terminal's clipboard gives them."""
    return re.sub(r"(?<=[\w:\]|,]) (?=[A-Za-z\[])", "\t", text)


MUTILATIONS: tuple[Callable[[str, random.Random], str | bytes], ...] = (
    cut_lines,
    glued_lines,
    doubled,
    warned,
    windows,
    utf_16,
    coloured,
    blank,
    appended,
    truncated,
    headless,
    tabbed,
)
