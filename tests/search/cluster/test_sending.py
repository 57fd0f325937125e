"""What of a folder is never sent to a cluster, and who is asked."""

import io
import shutil
import subprocess
import sys
import zipfile

import pytest

from gansearch.search.cluster import sending
from gansearch.search.cluster.ray_patches import write_package
from gansearch.search.cluster.sending import agree, excluded
from gansearch.search.errors import SweepError

SENT = ["my_gan.py", "data/points.npy", "data set/a #1.txt", "credentials.py", "tokens.txt", "keys.py", "public.crt"]
NOT_SENT = [
    *(".env", ".env.local", "prod.env", ".git/config", ".aws/credentials", ".ssh/id_ed25519", ".netrc", "sub/.env"),
    *("server.pem", "certs/a.key", "id_rsa", "id_rsa.pub", "deploy/credentials.json", "google-credentials.json"),
    *("service-account-1.json", "secrets.yaml", "secrets.toml", "kaggle.json", "a.kdbx", "aws/credentials"),
    *("myenv/pyvenv.cfg", "myenv/lib/python3/site.py", "conda/conda-meta/history", "conda/bin/python"),
    *("venv/a.py", "__pycache__/a.pyc", "results/x/report.html", "node_modules/a/index.js"),
]


@pytest.fixture
def folder(tmp_path):
    """A user's folder, with what must not leave the machine beside what has to."""
    folder = tmp_path / "mine"
    for name in (*SENT, *NOT_SENT):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")
    return folder


def sent(folder):
    write_package(str(folder), folder.parent / "package.zip", excluded(folder))
    with zipfile.ZipFile(folder.parent / "package.zip") as archive:
        return sorted(name for name in archive.namelist() if not name.endswith("/"))


def test_keys_hidden_files_and_environments_are_not_sent(folder):
    assert sent(folder) == sorted(SENT)


def test_links_out_of_the_folder_are_not_followed(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/secret").write_text("a secret")
    (folder / "out").symlink_to(tmp_path / "elsewhere")
    (folder / "data/file").symlink_to(tmp_path / "elsewhere/secret")
    (folder / "data/round").symlink_to(folder)
    (folder / "harmless.txt").symlink_to(folder / ".env")
    (folder / "same").symlink_to("data")
    (folder / "same.npy").symlink_to("data/points.npy")
    assert sent(folder) == sorted([*SENT, "same.npy"])


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_what_git_ignores_is_not_sent(tmp_path):
    folder = tmp_path / "repository/mine"
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=folder.parent, check=True)
    (folder.parent / ".gitignore").write_text("*.ckpt\nprivate/\n")
    for name in ("a.py", "a.ckpt", "private/a.py", "b [1].ckpt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("text")
    assert sent(folder) == ["a.py"]


def test_a_home_is_not_sent(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home/gan").mkdir(parents=True)
    for folder in (tmp_path / "home", tmp_path):
        with pytest.raises(SweepError, match="holds your home, would be sent to the cluster"):
            excluded(folder)
    assert excluded(tmp_path / "home/gan")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_much_is_sent_only_with_the_users_word(monkeypatch, capsys):
    agree(12, 3 * 2**20, "/mine")
    assert capsys.readouterr().err == "sending 12 files of /mine (3.00 MB) to the cluster\n"
    for answer, refused in (("y\n", False), ("yes\n", False), ("\n", True), ("n\n", True), ("", True)):
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        if refused:
            with pytest.raises(SweepError, match="nothing was sent"):
                agree(sending.MOST_FILES + 1, 0, "/mine")
        else:
            agree(1, sending.MOST_BYTES + 1, "/mine")
    for nobody in (io.StringIO("y\n"), None):
        monkeypatch.setattr(sys, "stdin", nobody)
        with pytest.raises(SweepError, match=r"a terminal is asked, and there is none: .*\.rayignore"):
            agree(1, sending.MOST_BYTES + 1, "/mine")
