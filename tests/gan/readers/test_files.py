import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers.files import files_of, need, skipped


def test_a_file_a_folder_and_its_subfolders(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("b.TXT", "in/a.txt", "c.md", ".hidden.txt", "d.pdf"):
        (tmp_path / name).write_text("x")
    assert [f.name for f in files_of(str(tmp_path), (".txt",))] == ["b.TXT", "a.txt"]
    assert files_of(str(tmp_path / "c.md"), (".txt", ".md")) == [tmp_path / "c.md"]


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("", "is missing; name a .wav, .flac or .ogg file"),
        ("note", 'there is no .*note; did you mean "notes"'),
        ("empty", "holds no .wav, .flac or .ogg files; it is empty"),
        ("notes", "files, but 2 .mp3"),
        ("notes/a.mp3", "is no .wav, .flac or .ogg file"),
    ],
)
def test_a_path_that_leads_nowhere_is_told(tmp_path, path, part):
    for name in ("notes", "empty"):
        (tmp_path / name).mkdir()
    for name in "ab":
        (tmp_path / "notes" / f"{name}.mp3").write_text("x")
    with pytest.raises(TaskError, match=r"task_options\.path.*" + part):
        files_of(str(tmp_path / path) if path else "", (".wav", ".flac", ".ogg"))


def test_some_broken_files_are_told_and_all_broken_are_an_error(tmp_path):
    files = [tmp_path / name for name in "abc"]
    assert skipped({}, files) == []
    (told,) = skipped({files[1]: "no sound"}, files)
    assert told.startswith("1 of 3 files cannot be read")
    assert told.endswith("b: no sound")
    with pytest.raises(TaskError, match=r"path: none of 1 files can be read; .*a: no sound"):
        skipped({files[0]: "no sound"}, files[:1])


def test_too_little_is_told_with_what_helps():
    need(50, "notes", "play more")
    with pytest.raises(TaskError, match="49 notes, but at least 50 are needed; play more"):
        need(49, "notes", "play more")
