import bz2
import gzip
import io
import lzma
import zipfile

import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers import contents
from gansearch.gan.readers.contents import decode, is_parquet, read_bytes

TEXT = "name;price\nMüller;1,50 €\n" * 60


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return stream.getvalue()


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, bz2.compress, lzma.compress, lambda _: zipped("a/x.csv", "__MACOSX/x")]
)
def test_a_file_is_unpacked_whatever_its_name(tmp_path, pack):
    (tmp_path / "a.csv").write_bytes(pack(TEXT.encode()))
    assert read_bytes(tmp_path / "a.csv") == TEXT.encode()


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (zipped("a.csv", "b.csv"), r"holds 2 files \(a.csv, b.csv\); give one of them alone"),
        (zipped("[Content_Types].xml", "xl/sheet1.xml"), "holds an Excel workbook; save its sheet as CSV"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "holds an Excel workbook"),
        (b"\n<!DOCTYPE html><html>", "holds a web page; download the file itself"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "holds a pointer of Git LFS .*git lfs pull fetches it"),
        (b'{"a": [1, 2]}', "holds JSON"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path, data, part):
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(TaskError, match=r"task_options\.path: .*a\.csv " + part):
        read_bytes(tmp_path / "a.csv")


def test_no_more_than_the_bound_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "MOST_BYTES", 1_000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"1,2\n" * 10_000))
    with pytest.raises(TaskError, match="has more than 1,000 bytes of text"):
        read_bytes(tmp_path / "a.csv.gz")


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "cp1250", "koi8-r"]
)
def test_a_text_is_written_in_the_encoding_it_has(codec):
    data = TEXT.encode(codec, "ignore")
    text, encoding = decode(data)
    assert encoding.bytes_of(text) == data
    if codec not in ("cp1250", "koi8-r"):  # other letters, of the same bytes
        assert text == TEXT


def test_bytes_of_a_parquet_file_are_known():
    assert is_parquet(b"PAR1....")
    assert not is_parquet(b"a,b")
