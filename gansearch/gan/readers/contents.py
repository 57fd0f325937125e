"""What a table's file holds, whatever its name says: unpacked bytes of a text or of a parquet file."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO

from gansearch.gan.options import option_error

MOST_BYTES = 2_000_000_000
"""Of a text, unpacked."""
_HEAD = 512
"""Bytes by which a file is known."""
_OTHERS = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook; save its sheet as CSV",
    b"{\\rtf": "a document; save its table as CSV",
    b"%PDF": "a PDF; save its table as CSV",
    b"SQLite format 3": "a database; export its table as CSV",
    b"\x89HDF": "an HDF5 file; write its table with DataFrame.to_parquet",
    b"ARROW1": "an Arrow file; write its table with DataFrame.to_parquet",
    b"FEA1": "a Feather file; write its table with DataFrame.to_parquet",
    b"ORC": "an ORC file; write its table with DataFrame.to_parquet",
    b"\x80\x04": "a pickle; write its table with DataFrame.to_parquet",
    b"\x80\x05": "a pickle; write its table with DataFrame.to_parquet",
    b"\x93NUMPY": "an array; the task points reads it",
    b"version https://git-lfs": "a pointer of Git LFS in place of the file; git lfs pull fetches it",
    b"<!doctype html": "a web page; download the file itself",
    b"<html": "a web page; download the file itself",
    b"<?xml": "XML; save its table as CSV",
    b"{": "JSON; write its table with DataFrame.to_csv",
    b"[{": "JSON; write its table with DataFrame.to_csv",
}
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32-le", codecs.BOM_UTF32_BE: "utf-32-be"}
_BOMS |= {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}  # those of UTF-32 begin like these


@dataclass(frozen=True)
class Encoding:
    """How a text is written in bytes."""

    codec: str
    marked: bool
    """Whether the text begins with a byte order mark."""

    def bytes_of(self, text: str) -> bytes:
        """A text in this encoding."""
        return ("\ufeff" * self.marked + text).encode(self.codec, "replace")


def is_parquet(data: bytes) -> bool:
    """Whether bytes, or the first of them, are a parquet file's."""
    return data.startswith(b"PAR1")


def read_bytes(file: Path) -> bytes:
    """The bytes of a text or parquet file, unpacked if it is compressed. Raises TaskError for anything else."""
    if file.stat().st_size > MOST_BYTES:
        raise _too_large(file)
    data = file.read_bytes()
    for _ in range(2):  # a zip archive of a .csv.gz
        unpack = next((unpack for magic, unpack in _PACKED.items() if data.startswith(magic)), None)
        if unpack is None:
            break
        data = unpack(io.BytesIO(data), file)
        if len(data) > MOST_BYTES:
            raise _too_large(file)
    start = data[:_HEAD].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for magic, what in _OTHERS.items():
        if start.startswith(magic.lower()):
            raise option_error("path", f"{file} holds {what}")
    return data


def decode(data: bytes) -> tuple[str, Encoding]:
    """The text of bytes, and its encoding: that of the mark, UTF-8, UTF-16 without a mark, or a Western one.

    Western encodings have a byte for each letter. So a text is written as it was read also where it is another one
    of these. Raises UnicodeDecodeError where a text has a mark and is not so.
    """
    for bom, codec in _BOMS.items():
        if data.startswith(bom):
            return data[len(bom) :].decode(codec), Encoding(codec, True)
    head = data[: 2 * _HEAD]
    zeros = head[::2].count(0), head[1::2].count(0)
    codecs_ = ["utf-16-le"] * (zeros[1] > len(head) / 5) + ["utf-16-be"] * (zeros[0] > len(head) / 5)
    for codec in (*codecs_, "utf-8", "cp1252"):
        try:
            return data.decode(codec), Encoding(codec, False)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), Encoding("latin-1", False)


def _too_large(file: Path) -> Exception:
    return option_error(
        "path",
        f"{file} has more than {MOST_BYTES:,} bytes of text; learn from some of its rows, or write it as parquet",
    )


def _unzipped(stream: IO[bytes], file: Path) -> bytes:
    """The only file in a zip archive."""
    with zipfile.ZipFile(stream) as archive:
        names = archive.namelist()
        if "[Content_Types].xml" in names or "mimetype" in names:
            raise option_error("path", f"{file} holds {_OTHERS[bytes.fromhex('d0cf11e0')]}")
        names = [name for name in names if not name.endswith("/") and not name.startswith(("__MACOSX/", "."))]
        if len(names) != 1:
            listed = ", ".join(names[:5]) or "nothing"
            raise option_error("path", f"{file} holds {len(names)} files ({listed}); give one of them alone")
        with archive.open(names[0]) as member:
            return member.read(MOST_BYTES + 1)


def _zstd(stream: IO[bytes], file: Path) -> bytes:
    import pyarrow

    data: bytes = pyarrow.CompressedInputStream(stream, "zstd").read(MOST_BYTES + 1)
    return data


def _unpacked_by(module: ModuleType) -> Callable[[IO[bytes], Path], bytes]:
    """What unpacks a file that one of Python's modules reads."""

    def unpack(stream: IO[bytes], file: Path) -> bytes:
        with module.open(stream) as unpacking:
            data: bytes = unpacking.read(MOST_BYTES + 1)
        return data

    return unpack


_PACKED: dict[bytes, Callable[[IO[bytes], Path], bytes]] = {
    b"PK\x03\x04": _unzipped,
    b"\x1f\x8b": _unpacked_by(gzip),
    b"BZh": _unpacked_by(bz2),
    b"\xfd7zXZ": _unpacked_by(lzma),
    b"\x28\xb5\x2f\xfd": _zstd,
}
"""By a file's first bytes, what unpacks it, to at most a byte more than is allowed."""
