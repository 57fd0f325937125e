import difflib
import shutil
import subprocess

import pytest

from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare.patch import apply_patch

BEFORE = "".join(f"line {n}\n" for n in range(1, 31))
AFTER = (
    BEFORE.replace("line 3\n", "line three\n--- odd\n+++ odd\n++ x\n")
    .replace("line 20\n", "")
    .replace("line 29\n", "line 29\n\n")
)


def diff(before=BEFORE, after=AFTER, name="pkg/train.py"):
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return "".join(lines)


def patched(tmp_path, text, content=BEFORE, name="pkg/train.py"):
    code = tmp_path / "code"
    (code / "pkg").mkdir(parents=True, exist_ok=True)
    (code / name).write_text(content)
    (tmp_path / "fix.diff").write_text(text)
    return apply_patch(tmp_path / "fix.diff", [code]), (code / name).read_text() if (code / name).exists() else None


def test_a_diff_changes_the_files_of_a_folder(tmp_path):
    mail = f"From: a\n---\n pkg/train.py | 2 +-\n\n{diff()}-- \n2.39.0\n"
    for text in (diff(), mail, diff().replace("\n \n", "\n\n")):
        assert patched(tmp_path, text) == ([tmp_path / "code/pkg/train.py"], AFTER)
    assert patched(tmp_path, diff(AFTER, BEFORE), AFTER)[1] == BEFORE


def test_lines_that_have_moved_are_found(tmp_path):
    assert patched(tmp_path, diff(), "new\n" * 5 + BEFORE)[1] == "new\n" * 5 + AFTER


def test_of_lines_that_are_there_twice_the_nearest_are_changed(tmp_path):
    before = "x\ny\nz\n" * 10
    after = before[:36] + before[36:].replace("y", "Y", 1)
    assert patched(tmp_path, diff(before, after), before)[1] == after


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_what_git_writes_is_read(tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    (code / "gone.py").write_text("gone\n")
    (code / "win.py").write_bytes(b"a\r\nb\r\nc\r\n")
    (code / "end.py").write_text("no newline")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], cwd=code, check=True)
    (code / "gone.py").unlink()
    (code / "win.py").write_bytes(b"a\r\nB\r\nc\r\n")
    (code / "end.py").write_text("no newline\nat all")
    (code / "sub").mkdir()
    (code / "sub/new.py").write_text("new\n")
    subprocess.run([*git, "add", "."], cwd=code, check=True)
    made = subprocess.run([*git, "diff", "--cached"], cwd=code, check=True, capture_output=True).stdout
    (tmp_path / "fix.diff").write_bytes(made)
    subprocess.run([*git, "reset", "-q", "--hard"], cwd=code, check=True)
    apply_patch(tmp_path / "fix.diff", [code])
    assert not (code / "gone.py").exists()
    assert (code / "win.py").read_bytes() == b"a\r\nB\r\nc\r\n"
    assert (code / "sub/new.py").read_text() == "new\n"
    assert (code / "end.py").read_text() == "no newline\nat all"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("hello", "is no unified diff"),
        (diff(name="../train.py"), "which is not in the copy of the code"),
        (diff(name="/etc/passwd"), "which is not in the copy of the code"),
        (diff(name="other.py"), "fix.diff changes other.py, which is no text file of the code"),
        (
            diff(BEFORE.replace("line 4", "line four"), AFTER),
            "does not fit pkg/train.py: the lines that it changes at 1",
        ),
    ],
)
def test_a_diff_that_does_not_fit_is_an_error(tmp_path, text, part):
    with pytest.raises(ScriptError) as caught:
        patched(tmp_path, text)
    assert part in str(caught.value)


def test_a_diff_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ScriptError, match="No such file"):
        apply_patch(tmp_path / "none.diff", [tmp_path])


def test_lines_are_added_behind_the_line_that_a_hunk_without_context_names(tmp_path):
    lines = BEFORE.splitlines(keepends=True)
    for place in range(len(lines) + 1):
        after = "".join([*lines[:place], "new\n", *lines[place:]])
        changed = difflib.unified_diff(lines, after.splitlines(keepends=True), "a/pkg/train.py", "b/pkg/train.py", n=0)
        text = "".join(changed)
        assert patched(tmp_path / str(place), text)[1] == after
