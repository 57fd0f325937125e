import shutil
import subprocess

import pytest

from gansearch.experiment import ScriptTask
from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare import workplace
from gansearch.scripts.prepare.workplace import code_files, make_workplace

KEPT = ["train.py", "lib/nets.py", "conf/a.yaml", "a b/[x].txt"]
LEFT = [
    *(".git/config", ".env", "server.pem", "venv/a.py", "__pycache__/a.pyc", "results/a/report.html", "big.ckpt"),
    *("lib/out/x.png", "old/format.json", "old/experiment.yaml", "old/trials/a.py", "own/pyvenv.cfg", "own/lib/a.py"),
]


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "mine"
    for name in (*KEPT, *LEFT):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    (root / ".gitignore").write_text("*.ckpt\n")
    (root / "lib/.rayignore").write_text("out/\n")
    return root


def task(here, **fields):
    return ScriptTask.model_validate({"command": "python train.py", "here": str(here), **fields})


def test_code_is_copied_by_the_rules_of_what_is_sent_to_a_cluster(root):
    assert sorted(path.relative_to(root).as_posix() for path in code_files(root)) == sorted(KEPT)
    made = make_workplace(task(root), root / "runs/1")
    again = make_workplace(task(root), root / "runs/1/more")
    for place in (made, again):
        copied = [path.relative_to(place.code).as_posix() for path in place.code.rglob("*") if path.is_file()]
        assert sorted(one for one in copied if not one.startswith("runs/1/code/")) == sorted(KEPT)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_what_git_ignores_is_left_out(root):
    shutil.rmtree(root / ".git")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / ".git/info/exclude").write_text("conf\n")
    assert "conf/a.yaml" not in [path.relative_to(root).as_posix() for path in code_files(root)]


def test_links_stand_in_the_place_of_what_they_lead_to(root, tmp_path):
    (root / "lib/data").mkdir()
    (tmp_path / "pictures").mkdir()
    (root / "gan").mkdir()
    links = ["../lib/data", str(tmp_path / "pictures"), "../conf/a.yaml"]
    made = make_workplace(task(root / "gan", root="..", link=links), tmp_path / "run")
    assert made.cwd == made.code / "gan"
    assert (made.code / "lib/data").resolve() == root / "lib/data"
    assert (made.cwd / "pictures").resolve() == tmp_path / "pictures"
    assert (made.code / "conf/a.yaml").is_symlink()


@pytest.mark.parametrize(
    ("link", "part"),
    [
        ("lib", "lib holds Python files"),
        ("none", "there is no"),
        ("../other", "raise task.root, or give its whole path"),
    ],
)
def test_what_cannot_be_linked_is_an_error(root, link, part):
    (root.parent / "other").mkdir()
    with pytest.raises(ScriptError, match=part):
        make_workplace(task(root, link=[link]), root.parent / "run")


def test_much_is_not_copied_for_each_run(root, monkeypatch):
    monkeypatch.setattr(workplace, "MOST_FILES", 3)
    with pytest.raises(ScriptError, match=r"more than the 3 files or 50 MB .* link data \(task\.link: \["):
        make_workplace(task(root), root.parent / "run")
    made = make_workplace(task(root, link=["conf"]), root.parent / "linked")
    assert (made.code / "conf/a.yaml").is_file()


def test_what_leads_out_of_the_copy_is_an_error(root):
    made = make_workplace(task(root, link=["conf"]), root.parent / "run")
    assert made.inside("files", "conf2/../a.yaml") == made.code / "a.yaml"
    assert made.inside("files", str(made.out / "a.yaml")) == made.out / "a.yaml"
    for text in ("../a.yaml", "/etc/passwd", "conf/a.yaml"):
        with pytest.raises(ScriptError, match=r"task\.files: .* is neither in the copy of the code nor in {out}"):
            made.inside("files", text)
