"""Programs of the operating system that some tests need."""

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

PACKAGES = {"c++": "g++", "chromium": "chromium", "chromedriver": "chromium-driver", "shellcheck": "shellcheck"}
"""Debian's package for each program."""
_REASON = re.compile(r"Skipped: needs the program (\S+)$")


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip tests where a program is missing."""
    missing = next((program for program in programs if shutil.which(program) is None), None)
    return pytest.mark.skipif(missing is not None, reason=f"needs the program {missing}")


def missing_programs(reasons: Iterable[str]) -> Iterator[tuple[str, str, int]]:
    """Each (program, package, skipped tests), given why tests were skipped."""
    found = (_REASON.search(reason) for reason in reasons)
    for program, count in Counter(match[1] for match in found if match).items():
        yield program, PACKAGES[program], count
