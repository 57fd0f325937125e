"""Reads text files as windows of characters."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gansearch.gan.options import option_error
from gansearch.gan.readers.files import files_of, need, unreadable

ENDINGS = (".txt", ".md")
OTHER = "\ufffd"
"""Replaces every character that is too rare to be learned."""
MOST_NUMBERS = 2**26
"""Numbers of all windows together, one-hot: 256 MiB."""


class Windows(NamedTuple):
    """Windows of a text, and what the user should know of it."""

    codes: Tensor
    """(N, length) uint8 indices into the alphabet."""
    alphabet: str
    words: frozenset[str]
    """All words of the text, where `OTHER` separates words."""
    warnings: list[str]

    def one_hot(self) -> Tensor:
        """Returns the windows as (N, characters, length) float32."""
        return F.one_hot(self.codes.long(), len(self.alphabet)).transpose(1, 2).float()


def read_windows(path: str, length: int, characters: int, lowercase: bool) -> Windows:
    """Reads all files' text, each run of white space as one space, cut into windows of `length` characters.

    The alphabet is the text's `characters` most frequent characters; where it has more, `OTHER` replaces the rest.
    Raises TaskError where there is too little text.
    """
    text, warnings = _read(path)
    text = text.lower() if lowercase else text
    counts = Counter(text)
    if len(counts) > characters:
        rare = dict(counts.most_common()[characters - 1 :])
        share = sum(rare.values()) / len(text)
        warnings.append(
            f"{len(rare)} characters are rarer than the {characters - 1} that are learned; {OTHER} replaces them "
            f"({share:.2%} of the text)"
        )
        text = text.translate({ord(character): OTHER for character in rare})
    alphabet = "".join(sorted(set(text)))
    count = len(text) // length
    need(count, f"windows of {length} characters in {len(text)} characters of text", "give more text")
    index = {character: code for code, character in enumerate(alphabet)}
    codes = np.fromiter((index[character] for character in text[: count * length]), np.uint8, count * length)
    windows = torch.from_numpy(codes).view(count, length)
    most = MOST_NUMBERS // (length * len(alphabet))
    if count > most:
        windows = windows[torch.linspace(0, count - 1, most).long()]
        warnings.append(f"of {count} windows {most}, evenly spread over the text, are used")
    return Windows(windows, alphabet, frozenset(words(text)), warnings)


def words(text: str) -> list[str]:
    """Returns the runs of letters, in lower case."""
    return re.findall(r"[^\W\d_]+", text.lower())


def _read(path: str) -> tuple[str, list[str]]:
    """The text of all files, and a warning of those that cannot be read."""
    files = files_of(path, ENDINGS)
    broken: list[str] = []
    texts = []
    for file in files:
        try:
            texts.append(file.read_text(encoding="utf-8-sig"))
        except OSError as error:
            broken.append(f"{file} ({error.strerror or error})")
        except UnicodeDecodeError as error:
            broken.append(f"{file} (not UTF-8 at byte {error.start})")
    warnings = unreadable(broken, len(files), "files")
    text = " ".join(" ".join(texts).split())
    if not text:
        raise option_error("path", f"{path} holds no text: {len(files)} files with nothing but white space")
    return text, warnings
