import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers.files import files_of, need, one_file, path_errors, reason, unreadable


def test_a_file_a_folder_and_its_subfolders(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("b.TXT", "in/a.txt", "c.md", ".hidden.txt", "d.pdf"):
        (tmp_path / name).write_text("x")
    assert [f.name for f in files_of(str(tmp_path), (".txt",)).paths] == ["b.TXT", "a.txt"]
    assert files_of(str(tmp_path / "c.md"), (".txt", ".md")).paths == [tmp_path / "c.md"]


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
def test_a_path_without_files_is_an_error(tmp_path, path, part):
    for name in ("notes", "empty"):
        (tmp_path / name).mkdir()
    for name in "ab":
        (tmp_path / "notes" / f"{name}.mp3").write_text("x")
    with pytest.raises(TaskError, match=r"task_options\.path.*" + part):
        files_of(str(tmp_path / path) if path else "", (".wav", ".flac", ".ogg"))


def test_links_that_lead_nowhere_are_told_and_all_of_them_an_error(tmp_path):
    (tmp_path / "lost.txt").symlink_to(tmp_path / "nowhere")
    with pytest.raises(
        TaskError, match=r"none of 1 files below .* can be read; the first: lost\.txt \(a link that leads"
    ):
        files_of(str(tmp_path), (".txt",))
    with pytest.raises(TaskError, match=r"path: .*lost\.txt is a link that leads nowhere, to .*nowhere$"):
        files_of(str(tmp_path / "lost.txt"), (".txt",))
    (tmp_path / "a.txt").touch()
    files, (warning,) = files_of(str(tmp_path), (".txt",))
    assert files == [tmp_path / "a.txt"]
    assert warning.startswith(f"1 of 2 files below {tmp_path} cannot be read and is left out: lost.txt (")


def test_a_path_that_cannot_be_asked_for_is_one_line(tmp_path):
    for path in (f"{tmp_path}/{'x' * 300}", f"{tmp_path}/a\0b", "~nobody-of-that-name/x", "/dev/null"):
        with pytest.raises(TaskError, match=r"^task_options\.path: .+$"):
            files_of(path, (".txt",))


def test_a_folder_with_hidden_files_alone_says_so(tmp_path):
    (tmp_path / ".a.txt").touch()
    with pytest.raises(TaskError, match=r"holds no \.txt files; 1 hidden file is left out: \.a\.txt$"):
        files_of(str(tmp_path), (".txt",))


def test_a_folder_with_one_file_is_that_file(tmp_path):
    (tmp_path / "a.csv").touch()
    assert one_file(str(tmp_path), (".csv",)) == tmp_path / "a.csv"
    (tmp_path / "b.csv").touch()
    with pytest.raises(TaskError, match=r"path: .* holds 2 files; name one of them, such as .*a\.csv"):
        one_file(str(tmp_path), (".csv",))


def test_some_unreadable_files_are_a_warning_and_all_an_error():
    assert unreadable([], 3, "files") == []
    assert unreadable(["b (empty)"], 3, "files") == ["1 of 3 files cannot be read and is left out: b (empty)"]
    assert unreadable(list("abcd"), 1_000, "files") == ["4 of 1,000 files cannot be read and are left out: a, b, c, …"]
    with pytest.raises(TaskError, match=r"path: none of 1 files can be read; the first: a \(empty\)"):
        unreadable(["a (empty)"], 1, "files")


def test_errors_of_other_packages_name_the_path():
    failure = "a.csv cannot be read"
    with (
        pytest.raises(TaskError, match=rf"^task_options\.path: {failure} \(ValueError: no table\)$"),
        path_errors(failure),
    ):
        raise ValueError("no table\nat all")
    with pytest.raises(TaskError, match=r"^ours$"), path_errors(failure):
        raise TaskError("ours")
    assert reason(KeyError()) == "KeyError"


def test_too_few_samples_are_an_error_with_a_remedy():
    need(50, "notes", "play more")
    with pytest.raises(TaskError, match="49 notes, but at least 50 are needed; play more"):
        need(49, "notes", "play more")
