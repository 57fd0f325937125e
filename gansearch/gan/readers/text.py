"""Reads text files as windows of characters."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gansearch.gan.options import option_error
from gansearch.gan.readers.contents import decode
from gansearch.gan.readers.files import files_of, need, short_reason, unreadable

ENDINGS = (".txt", ".md")
OTHER = "\ufffd"
"""Replaces every character that is too rare to be learned."""
_ASCII = re.compile(r"[A-Za-z\s]")
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1f\x7f-\x9f]")
_WESTERN = 0.6
"""Share of letters of ASCII, and of white space, from which on a text that is not UTF-8 is in a Western language."""
_LOST = 0.01
"""Share of the text that is replaced from which on a warning says how large an alphabet would be enough."""
MOST_BYTES = 2**31
"""Of a file."""
MOST_CHARACTERS = 8_192
"""The largest alphabet."""
MOST_NUMBERS = 2**26
"""Numbers of all windows together, one-hot: 256 MiB."""


class Windows(NamedTuple):
    """Windows of a text, and what the user should know of it."""

    codes: Tensor
    """(N, length) indices into the alphabet, uint8, or int16 where it has more than 256 characters."""
    alphabet: str
    words: frozenset[str]
    """All words of the text, where `OTHER` separates words."""
    warnings: list[str]

    def one_hot(self) -> Tensor:
        """Returns the windows as (N, characters, length) float32."""
        return F.one_hot(self.codes.long(), len(self.alphabet)).transpose(1, 2).float()


def read_windows(path: str, length: int, characters: int, lowercase: bool, once: bool = True) -> Windows:
    """Reads all files' text, each run of white space as one space, cut into windows of `length` characters.

    The alphabet is the text's `characters` most frequent characters; where it has more, `OTHER` replaces the rest.
    With `once` copies of a file are left out. Raises TaskError where there is too little text.
    """
    text, warnings = _read(path, once)
    text = text.lower() if lowercase else text
    counts = Counter(text)
    if len(counts) > characters:
        rare = dict(counts.most_common()[characters - 1 :])
        share = sum(rare.values()) / len(text)
        warnings.append(
            f"{len(rare)} characters are rarer than the {characters - 1} that are learned; {OTHER} replaces them "
            f"({share:.2%} of the text){_remedy(counts) if share > _LOST else ''}"
        )
        text = text.translate({ord(character): OTHER for character in rare})
    alphabet = "".join(sorted(set(text)))
    count = len(text) // length
    need(count, f"windows of {length} characters in {len(text)} characters of text", "give more text")
    index = {character: code for code, character in enumerate(alphabet)}
    kind = np.uint8 if len(alphabet) <= 256 else np.int16
    codes = np.fromiter((index[character] for character in text[: count * length]), kind, count * length)
    windows = torch.from_numpy(codes).view(count, length)
    most = MOST_NUMBERS // (length * len(alphabet))
    if count > most:
        windows = windows[torch.linspace(0, count - 1, most).long()]
        warnings.append(f"of {count} windows {most}, evenly spread over the text, are used")
    return Windows(windows, alphabet, frozenset(words(text)), warnings)


def _remedy(counts: Counter[str]) -> str:
    """Says which alphabet leaves out no more than `_LOST` of the text."""
    shares = np.cumsum(sorted(counts.values(), reverse=True)) / counts.total()
    enough = min(int(np.searchsorted(shares, 1 - _LOST)) + 2, MOST_CHARACTERS)  # one for `OTHER`
    return f"; write task_options.characters: {enough} to learn {shares[enough - 2]:.0%} of it"


def words(text: str) -> list[str]:
    """Returns the runs of letters, in lower case."""
    return re.findall(r"[^\W\d_]+", text.lower())


def _read(path: str, once: bool) -> tuple[str, list[str]]:
    """The text of all files, and warnings."""
    files, remarks = files_of(path, ENDINGS)
    broken: list[str] = []
    texts = []
    western = 0
    for file in files:
        try:
            text, is_western = _text_of(file)
            texts.append(" ".join(text.split()))
            western += is_western
        except OSError as error:
            broken.append(f"{file} ({short_reason(error)})")
        except UnicodeDecodeError as error:
            broken.append(f"{file} (not {error.encoding.upper()} at byte {error.start})")
        except ValueError as error:
            broken.append(f"{file} ({error})")
    warnings = unreadable(broken, len(files), "files") + remarks
    if western:
        warnings.append(f"{western:,} of {len(files):,} files are not in UTF-8 and are read as Windows-1252")
    texts = list(filter(None, texts))
    if once and (copies := len(texts) - len(set(texts))):
        warnings.append(f"{copies:,} of {len(files):,} files are copies of others and are left out")
        texts = list(dict.fromkeys(texts))
    text = " ".join(texts)
    if not text:
        raise option_error("path", f"{path} holds no text: {len(files)} files with nothing but white space")
    return text, warnings


def _text_of(file: Path) -> tuple[str, bool]:
    """The text of a file, and whether it is read as Windows-1252. Raises ValueError where it is no text.

    It is UTF-8, what the mark at its start says, UTF-16 that shows by its zeros, or Western: mostly letters of ASCII.
    """
    if file.stat().st_size > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES:,} bytes; give it in parts")
    content = file.read_bytes()
    text, encoding = decode(content)
    if "\0" in text:
        raise ValueError("null characters; it is no text")
    is_western = encoding.codec in ("cp1252", "latin-1")
    if is_western and (_CONTROL.search(text) or len(_ASCII.findall(text)) < _WESTERN * len(text)):
        content.decode("utf-8")  # raises the error that says where it is not
    return text, is_western
