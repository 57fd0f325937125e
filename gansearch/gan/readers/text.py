"""Windows of characters out of a user's text files."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gansearch.gan.readers.files import files_of, need, skipped
from gansearch.gan.task import TaskError

ENDINGS = (".txt", ".md")
OTHER = "\ufffd"
"""Stands for every character that is too rare to be learned."""
MOST_NUMBERS = 2**26
"""Of all windows together: 256 MiB."""


class Windows(NamedTuple):
    codes: Tensor
    """(N, length) uint8, places in the alphabet."""
    alphabet: str
    words: frozenset[str]
    """All words of the text, where `OTHER` parts words."""
    warnings: list[str]

    def one_hot(self) -> Tensor:
        """(N, characters, length) float32."""
        return F.one_hot(self.codes.long(), len(self.alphabet)).transpose(1, 2).float()


def read_windows(path: str, length: int, characters: int, lowercase: bool) -> Windows:
    """All files' text, runs of white space taken as one space, cut into windows of `length` characters.

    The alphabet is the text's `characters` most frequent characters; where it has more, `OTHER` stands for the rest.
    Raises TaskError.
    """
    text, told = _read(path, lowercase)
    counts = Counter(text)
    if len(counts) > characters:
        rare = counts.most_common()[characters - 1 :]
        share = sum(count for _, count in rare) / len(text)
        told.append(
            f"{len(rare)} characters are rarer than the {characters - 1} that are learned; {OTHER} stands for them "
            f"({share:.2%} of the text)"
        )
        text = text.translate({ord(character): OTHER for character, _ in rare})
    alphabet = "".join(sorted(set(text)))
    count = len(text) // length
    need(count, f"windows of {length} characters in {len(text)} characters of text", "give more text")
    place = {character: code for code, character in enumerate(alphabet)}
    codes = np.fromiter((place[character] for character in text[: count * length]), np.uint8, count * length)
    windows = torch.from_numpy(codes).view(count, length)
    most = MOST_NUMBERS // (length * len(alphabet))
    if count > most:
        windows = windows[torch.linspace(0, count - 1, most).long()]
        told.append(f"of {count} windows {most}, evenly spread over the text, are used")
    return Windows(windows, alphabet, frozenset(words(text)), told)


def words(text: str) -> list[str]:
    """Runs of letters, in lower case."""
    return re.findall(r"[^\W\d_]+", text.lower())


def _read(path: str, lowercase: bool) -> tuple[str, list[str]]:
    files = files_of(path, ENDINGS)
    broken: dict[Path, str] = {}
    texts = []
    for file in files:
        try:
            texts.append(file.read_text(encoding="utf-8-sig"))
        except OSError as error:
            broken[file] = error.strerror or str(error)
        except UnicodeDecodeError as error:
            broken[file] = f"is not UTF-8 (byte {error.start})"
    told = skipped(broken, files)
    text = " ".join(" ".join(texts).split())
    if not text:
        raise TaskError(f"task_options.path: {path} holds no text: {len(files)} files with nothing but white space")
    return (text.lower() if lowercase else text), told
