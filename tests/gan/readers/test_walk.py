import os
import time

import pytest

from gansearch.formatting import printable
from gansearch.gan.readers.walk import is_file, listed, walk


def fill(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def names(folder):
    return [str(file.relative_to(folder)) for file in walk(folder).files]


def test_hidden_files_and_folders_are_counted_and_left_out(tmp_path):
    fill(tmp_path, "a.png", ".ipynb_checkpoints/a-checkpoint.png", ".b.png", "in/._a.png", "__MACOSX/in/a.png")
    fill(tmp_path, ".git/objects/x", "@eaDir/a.png/thumb.png", "Thumbs.db", "in/a.png")
    assert names(tmp_path) == ["Thumbs.db", "a.png", "in/a.png"]
    assert walk(tmp_path).passed_over(tmp_path, (".png",)) == [
        "5 hidden files are left out: .b.png, .ipynb_checkpoints/a-checkpoint.png, @eaDir/a.png/thumb.png, …"
    ]


def test_a_folder_that_is_hidden_itself_is_read(tmp_path):
    fill(tmp_path / ".data", "a.png")
    assert names(tmp_path / ".data") == ["a.png"]


def test_no_folder_is_read_twice_whatever_links_lead_to_it(tmp_path):
    pictures = tmp_path / "pictures"
    fill(pictures, "a.png", "in/b.png")
    fill(tmp_path / "others", "c.png")
    fill(tmp_path, "beside.png")
    for link, target in {"self": ".", "up": "..", "in/up": "..", "first": "in", "other": "../others"}.items():
        (pictures / link).symlink_to(target)
    (tmp_path / "others" / "back").symlink_to(pictures)
    assert names(pictures) == ["a.png", "in/b.png", "other/c.png"]
    (told,) = walk(pictures).passed_over(pictures, (".png",))
    assert told == ("5 links to folders that are read anyway, or hold this one, are not followed: first, self, up, …")


def test_a_hundred_links_to_a_parent_cost_no_time(tmp_path):
    for number in range(100):
        fill(tmp_path, f"{number}/a.png")
        (tmp_path / f"{number}" / "up").symlink_to("..")
    started = time.monotonic()
    assert len(names(tmp_path)) == 100
    assert time.monotonic() - started < 5


def test_hidden_links_are_not_followed(tmp_path):
    fill(tmp_path / "cache", "a.png")
    fill(tmp_path / "pictures", "b.png")
    (tmp_path / "pictures" / ".cache").symlink_to(tmp_path / "cache")
    (tmp_path / "pictures" / "cache").symlink_to(tmp_path / "cache")
    assert names(tmp_path / "pictures") == ["b.png", "cache/a.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_told(tmp_path):
    fill(tmp_path, "a.png", "closed/b.png")
    (tmp_path / "closed").chmod(0)
    assert walk(tmp_path).passed_over(tmp_path, (".png",)) == [
        "1 folder cannot be read and is left out: closed (Permission denied)"
    ]


def test_files_of_the_same_kind_that_are_not_read_are_told(tmp_path):
    fill(tmp_path, "a.png", "b.svg", "c.SVG", "d.psd", "labels.txt")
    assert walk(tmp_path).passed_over(tmp_path, (".png",)) == ["2 kinds of files are not read: 2 .svg, 1 .psd"]
    assert walk(tmp_path).passed_over(tmp_path, (".npy",)) == []


def test_links_to_nowhere_are_no_files(tmp_path):
    fill(tmp_path, "a")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "c").symlink_to("nowhere")
    (tmp_path / "d").symlink_to("d")
    os.mkfifo(tmp_path / "e")
    assert [is_file(tmp_path / name) for name in "abcdef"] == [True, True, False, False, False, False]


def test_names_are_listed_without_what_a_terminal_obeys():
    assert listed(["a", "b\x1b[2J", "c\n", "d"]) == "a, b\\x1b[2J, c\\n, …"
    assert printable("caf\udce9 é 春") == "caf\\udce9 é 春"
