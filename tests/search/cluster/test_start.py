"""Ray starts where TMPDIR is too long or HOME is nowhere, and says what to set where it does not start."""

import os

import pytest

from gansearch.search.cluster import start
from gansearch.search.errors import RayFailed


@pytest.fixture
def init(monkeypatch, tmp_path):
    """Stands in for `ray.init`: keeps its options and the token; raises what `error` holds."""

    class Init:
        error = None

        def __call__(self, **options):
            self.options, self.token = options, os.environ.get("RAY_AUTH_TOKEN")
            if self.error:
                raise self.error

    for name in ("RAY_TMPDIR", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TMPDIR", "/tmp")
    monkeypatch.setattr("ray.init", init := Init())
    return init


@pytest.fixture
def powerless(monkeypatch):
    """Nothing below these folders can be written; tests run as root, who may do all."""
    locked, access = [], os.access

    def may(path, mode):
        return access(path, mode) and not (mode & os.W_OK and any(str(path).startswith(one) for one in locked))

    monkeypatch.setattr(os, "access", may)
    return locked


def test_ray_is_left_alone_where_all_is_well(init):
    start.start_here()
    assert "_temp_dir" not in init.options
    assert init.token is None


@pytest.mark.parametrize("name", ["TMPDIR", "RAY_TMPDIR"])
def test_a_folder_too_long_for_sockets_is_not_used_and_that_is_said(init, monkeypatch, tmp_path, caplog, name):
    monkeypatch.setenv(name, str(tmp_path / ("x" * 40)))
    start.start_here()
    assert init.options["_temp_dir"] == "/tmp/ray"
    assert "too long for sockets; the files of Ray go to /tmp/ray" in caplog.text


def test_a_folder_that_cannot_be_written_is_not_used(init, monkeypatch, powerless):
    monkeypatch.setenv("TMPDIR", "/opt")
    powerless += ["/opt", "/tmp/ray"]
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    start.start_here()
    assert init.options["_temp_dir"] == "/tmp/ray-4711"


def test_a_machine_without_any_folder_says_what_to_set(init, powerless):
    powerless.append("/tmp")
    with pytest.raises(RayFailed, match=r"TMPDIR: /tmp cannot be written; set TMPDIR \(or RAY_TMPDIR\) to a folder"):
        start.start_here()


def test_a_home_that_cannot_be_written_needs_no_token_of_rays(init, monkeypatch, powerless):
    for home in ("/nowhere", "/nowhere/deep"):
        monkeypatch.setenv("HOME", home)
        powerless.append("/")
        start._give_token()
        first = os.environ.pop("RAY_AUTH_TOKEN")
        assert len(first) == 64


@pytest.mark.parametrize("given", [{"RAY_AUTH_MODE": "disabled"}, {"RAY_AUTH_TOKEN_PATH": "/a"}])
def test_a_token_that_is_not_needed_is_not_made(init, monkeypatch, powerless, given):
    powerless.append("/")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    start._give_token()
    assert "RAY_AUTH_TOKEN" not in os.environ


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError("AF_UNIX path length cannot exceed 107 bytes: /x"), "; set TMPDIR"),
        (OSError(28, "No space left on device", "/tmp/ray"), "; set TMPDIR"),
        (OSError(30, "Read-only file system", "/tmp/ray"), "; set TMPDIR"),
        (PermissionError(13, "Permission denied", "/tmp/ray/session_latest"), "; set TMPDIR"),
        (OSError(28, "No space left on device: /dev/shm/plasma"), "; give it shared memory"),
        (RuntimeError("Could not determine home directory."), "; set HOME"),
        (RuntimeError("RAY_AUTH_MODE is 'x', not disabled or token"), "; set RAY_AUTH_MODE"),
        (Exception("The current node timed out during startup."), "; it may have too much to do"),
        (ValueError("'utf-8' codec can't encode character: surrogates not allowed"), "; a name on the command line"),
        (OSError(24, "Too many open files"), "; raise the limit of open files"),
        (ValueError("something else"), ": something else"),
    ],
)
def test_the_advice_is_about_what_ray_said(init, error, advice):
    init.error = error
    with pytest.raises(RayFailed) as raised:
        start.start_here()
    assert str(raised.value).startswith(f"Ray did not start on this machine{advice}")
    assert "\n" not in str(raised.value)


def test_a_home_is_named(init, tmp_path):
    init.error = PermissionError(13, "Permission denied", str(tmp_path / ".ray"))
    with pytest.raises(RayFailed, match=f"; HOME is {tmp_path}: set it to a folder that you may write to"):
        start.start_here()
