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
