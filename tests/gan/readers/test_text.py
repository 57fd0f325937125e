import codecs

import numpy as np
import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers.text import OTHER, read_windows


def test_rare_characters_are_replaced_with_a_warning(tmp_path):
    (tmp_path / "a.txt").write_text("ab " * 1_000 + "xyz", encoding="utf-8")
    windows = read_windows(str(tmp_path), 8, 4, False)
    assert windows.alphabet == " ab" + OTHER
    assert windows.warnings == [
        f"3 characters are rarer than the 3 that are learned; {OTHER} replaces them (0.10% of the text)"
    ]


def test_upper_case_can_be_read_as_lower_case(tmp_path):
    (tmp_path / "a.txt").write_text("AbaB " * 200, encoding="utf-8")
    assert read_windows(str(tmp_path), 8, 64, True).alphabet == " ab"
    assert read_windows(str(tmp_path), 8, 64, False).alphabet == " ABab"


def test_more_text_than_memory_allows_is_used_in_part(tmp_path, monkeypatch):
    monkeypatch.setattr("gansearch.gan.readers.text.MOST_NUMBERS", 60 * 8 * 3)
    (tmp_path / "a.txt").write_text("ab " * 1_000, encoding="utf-8")
    windows = read_windows(str(tmp_path), 8, 64, False)
    assert len(windows.codes) == 60
    assert "of 374 windows 60" in windows.warnings[0]


def test_a_file_that_is_no_text_is_left_out_with_a_warning(tmp_path):
    (tmp_path / "a.txt").write_text("ab " * 1_000)
    (tmp_path / "picture.txt").write_bytes(b"\xff\xd8\xff\xe0")
    (warning,) = read_windows(str(tmp_path), 8, 64, False).warnings
    assert warning.startswith("1 of 2 files cannot be read and is left out: ")
    assert warning.endswith("picture.txt (not UTF-8 at byte 0)")


@pytest.mark.parametrize(
    ("text", "part"),
    [(" \n ", "holds no text"), ("short", "0 windows of 32 characters in 5 characters of text, but at least 50")],
)
def test_too_little_text_is_an_error(tmp_path, text, part):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(TaskError, match=r"task_options\.path: .*" + part):
        read_windows(str(tmp_path), 32, 64, False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_at_the_start_says_the_encoding(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes(("春 é\r\n" * 200).encode(encoding))
    windows = read_windows(str(tmp_path), 8, 64, False)
    assert windows.alphabet == " é春"
    assert windows.warnings == []


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_shows_by_its_zeros(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes(("Es war é einmal " * 99).encode(encoding))
    assert read_windows(str(tmp_path), 8, 64, False).alphabet == " Eaeilmnrswé"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_western_texts_are_read_and_counted(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes(
        ("Über allen Gipfeln ist Ruh’, "[: -3 if encoding == "latin-1" else None] * 99).encode(encoding)
    )
    (tmp_path / "b.txt").write_text("In allen Wipfeln", encoding="utf-8")
    windows = read_windows(str(tmp_path), 8, 64, False)
    assert "Ü" in windows.alphabet
    assert windows.warnings == ["1 of 2 files are not in UTF-8 and are read as Windows-1252"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("é".encode("latin-1"), "not UTF-8 at byte 0"),
        ("Жил-был кот. ".encode("cp1251") * 9, "not UTF-8 at byte 0"),
        ("春眠不覺曉".encode("gb18030") * 9, "not UTF-8 at byte 0"),
        (b"PDF and more words \x01\x02\xff" * 9, "not UTF-8 at byte 21"),
        (b"ab" * 99 + b"\0", "null characters; it is no text"),
        (codecs.BOM_UTF16_LE + b"a", "not UTF-16-LE at byte 0"),
    ],
)
def test_other_encodings_are_left_out_with_a_warning(tmp_path, content, why):
    (tmp_path / "a.txt").write_text("ab " * 200)
    (tmp_path / "b.txt").write_bytes(content)
    (warning,) = read_windows(str(tmp_path), 8, 64, False).warnings
    assert warning == f"1 of 2 files cannot be read and is left out: {tmp_path}/b.txt ({why})"


def test_a_script_of_thousands_of_characters_is_learned_where_the_alphabet_is_as_large(tmp_path):
    rng = np.random.default_rng(0)
    text = "".join(chr(0x4E00 + min(int(z), 2_999)) for z in rng.zipf(1.15, 20_000))
    (tmp_path / "诗.txt").write_text(text, encoding="utf-8")
    (warning,) = read_windows(str(tmp_path), 16, 64, False).warnings
    enough = int(warning.split("task_options.characters: ")[1].split()[0])
    assert warning.endswith(f"write task_options.characters: {enough} to learn 99% of it")
    windows = read_windows(str(tmp_path), 16, enough, False)
    other = windows.alphabet.index(OTHER)
    assert 0.005 < float((windows.codes == other).float().mean()) < 0.011
    every = read_windows(str(tmp_path), 16, 3_000, False)
    assert every.warnings == []
    assert "".join(every.alphabet[code] for code in every.codes.flatten()) == text


def test_copies_of_a_file_are_read_once(tmp_path):
    for name, end in (("a", "\n"), ("b", "\r\n"), ("c", "\n")):
        text = (f"{'ab' if name == 'c' else 'xy'} " * 500 + end) * 2
        (tmp_path / f"{name}.txt").write_bytes(text.encode())
    (tmp_path / "empty.txt").touch()
    (tmp_path / "empty too.txt").touch()
    windows = read_windows(str(tmp_path), 8, 64, False)
    assert windows.warnings == ["1 of 5 files are copies of others and are left out"]
    every = read_windows(str(tmp_path), 8, 64, False, once=False)
    assert (len(windows.codes), len(every.codes), every.warnings) == (749, 1_124, [])


def test_a_file_that_is_too_large_is_left_out_with_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr("gansearch.gan.readers.text.MOST_BYTES", 1_000)
    (tmp_path / "a.txt").write_text("ab " * 300)
    (tmp_path / "b.txt").write_text("ab " * 400)
    (warning,) = read_windows(str(tmp_path), 8, 64, False).warnings
    assert warning.endswith("b.txt (more than 1,000 bytes; give it in parts)")
