"""Results at a URL: an object store such as s3://bucket/prefix or gs://bucket/prefix, through pyarrow or fsspec.

A study at a URL is read from a copy in the user's cache, which is updated each time.
"""

from __future__ import annotations

import io
import json
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from pyarrow import PythonFile, fs

from gansearch.experiment import folder_name
from gansearch.store.archive import is_result
from gansearch.store.cache import URL, cache, url_of
from gansearch.store.containment import FILE_BYTES, SETTINGS_BYTES, Refused, check_amount, inside
from gansearch.store.folder import StudyError, write_whole
from gansearch.store.nan_json import read_json

_LOG = logging.getLogger(__name__)
_DOWNLOADS = 16
"""Files that are downloaded at the same time."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
"""Seconds between two attempts."""
_PIECE = 2**20
"""Bytes that are read at once."""
_MAX_REASON = 200
"""Characters of a storage's own message."""
MANIFEST = ".copied.json"
"""In a copy: {name: [size, time]} of the files as they were at the URL."""
LOCK = "lock.json"
"""The sweep that writes to the URL."""
_SECRETS = {"access_key", "secret_key", "session_token", "password", "token"}

T = TypeVar("T")
State = tuple[int, int]
"""A file's size in bytes and its time in nanoseconds."""


def is_url(path: str | Path | None) -> bool:
    """Whether results are at a URL. One that begins with file:// is a folder."""
    return isinstance(path, str) and "://" in path and not path.startswith("file://")


def path_or_url(text: str) -> str | Path:
    """What a user gave as a results folder: a URL as text, anything else as a path."""
    return text if is_url(text) else Path(text.removeprefix("file://"))


def _retried(name: str) -> Callable[..., Any]:
    """A method that is the file system's own of that name, repeated while it fails."""
    return lambda self, *arguments: self.retried(lambda: getattr(self.fs, name)(*arguments))


_FAULTS = (NotImplementedError, TypeError, AttributeError, NameError)
"""Errors of code, which no patience mends."""


class Storage(fs.FileSystemHandler):
    """The objects below a URL. Each is there whole or not at all.

    An operation that fails is repeated for `patience` seconds and then raises OSError; meanwhile `trouble` says so.

    As `fs.PyFileSystem(storage)` it lends this patience to Ray Tune, which gives up at the first error. That takes the
    paths of the file system, and sends a file when it is closed, from memory, so that it can be sent again.
    """

    __hash__ = None  # type: ignore[assignment]
    get_file_info, get_file_info_selector = _retried("get_file_info"), _retried("get_file_info")
    open_input_stream, open_input_file = _retried("open_input_stream"), _retried("open_input_file")
    delete_dir, delete_file = _retried("delete_dir"), _retried("delete_file")
    move, copy_file = _retried("move"), _retried("copy_file")

    def __init__(self, url: str, patience: float = 0.0):
        """Find the file system of a URL. Raises StudyError where there is none, or the URL holds a secret."""
        _check_secrets(url)
        self.url, self.patience, self.trouble = url, patience, ""
        self.fs, path = _filesystem(url)
        self.path = path.rstrip("/")

    def __reduce__(self) -> Any:
        """Pickle the URL, at which another process connects itself."""
        return Storage, (self.url, self.patience)

    def __eq__(self, other: object) -> bool:
        """Whether the other is a storage at the same URL."""
        return isinstance(other, Storage) and other.url == self.url

    def files(self, below: str = "") -> dict[str, State]:
        """All objects by their names below the URL."""
        start = f"{self.path}/{below}".rstrip("/")
        selector = fs.FileSelector(start, recursive=True, allow_not_found=True)
        return {
            info.path.removeprefix(f"{self.path}/"): (info.size or 0, info.mtime_ns or 0)
            for info in self.get_file_info_selector(selector)
            if info.type is fs.FileType.File
        }

    def read(self, name: str = "", most: int = FILE_BYTES) -> bytes:
        """An object's bytes, of the URL itself without a name. Raises FileNotFoundError, and Refused above `most`."""
        content = io.BytesIO()
        self._copy(name, content, most)
        return content.getvalue()

    def save(self, name: str, file: Path) -> None:
        """Write an object's bytes into a file, piece by piece. Raises FileNotFoundError, and Refused above 1 GB."""
        with file.open("wb") as content:
            self._copy(name, content, FILE_BYTES)

    def _copy(self, name: str, content: BinaryIO, most: int) -> None:
        def once() -> None:
            content.seek(0)
            content.truncate()
            with self.fs.open_input_stream(f"{self.path}/{name}".rstrip("/")) as stream:
                while piece := stream.read(_PIECE):
                    if content.tell() + len(piece) > most:
                        raise Refused(f"{self.url}: {name or 'it'} is larger than {most / 1e6:,.0f} MB")
                    content.write(piece)

        self.retried(once)

    def write(self, name: str, data: bytes) -> None:
        """Write an object."""
        self.write_path(f"{self.path}/{name}", data)

    def write_path(self, path: str, data: bytes) -> None:
        """Write an object by its path in the file system."""

        def once() -> None:
            with self.fs.open_output_stream(path) as stream:
                stream.write(data)

        self.retried(once)

    def delete(self, name: str) -> None:
        """Delete an object; one that is gone already is ignored."""
        with suppress(FileNotFoundError):
            self.delete_file(f"{self.path}/{name}")

    def retried(self, operation: Callable[[], T]) -> T:
        """The result of an operation, which is repeated while it fails."""
        deadline, pause = time.monotonic() + self.patience, _FIRST_PAUSE
        while True:
            try:
                result = operation()
            except (FileNotFoundError, Refused):
                raise
            except Exception as raised:  # noqa: BLE001 (packages of fsspec have errors of their own)
                error = self._as_os_error(raised)
                if time.monotonic() + pause > deadline:
                    raise error from None
                if not self.trouble:
                    self.trouble = f"{self.url} does not answer and is tried again: {reason(error)}"
                    _LOG.warning(self.trouble)
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                if self.trouble:
                    self.trouble = ""
                    _LOG.warning("%s answers again", self.url)
                return result

    def _as_os_error(self, error: Exception) -> OSError:
        """Return the error; one of a package's own, for a file system of fsspec's, as OSError. Raises any other."""
        if isinstance(error, OSError):
            return error
        if not isinstance(self.fs, fs.PyFileSystem) or isinstance(error, _FAULTS):
            raise error
        return OSError(f"{type(error).__name__}: {error}")

    def get_type_name(self) -> str:
        """The name of the file system, for pyarrow."""
        return f"patient {self.fs.type_name}"

    def normalize_path(self, path: str) -> str:
        """The path as the file system writes it."""
        return str(self.fs.normalize_path(path))

    def create_dir(self, path: str, recursive: bool) -> None:
        """Does nothing: an object store has no folders."""

    def open_output_stream(self, path: str, metadata: Any) -> PythonFile:
        """A file that is sent when it is closed."""
        return PythonFile(_Whole(self, path), mode="w")

    def _refused(self, *arguments: Any) -> None:
        raise NotImplementedError("nothing of ours deletes a whole store, and objects are written whole")

    open_append_stream = delete_root_dir_contents = delete_dir_contents = _refused


class _Whole(io.BytesIO):
    """A file that is sent when it is closed."""

    def __init__(self, storage: Storage, path: str):
        super().__init__()
        self._storage, self._path = storage, path

    def close(self) -> None:
        if not self.closed:
            self._storage.write_path(self._path, self.getvalue())
        super().close()


def local_folder(path: str | Path) -> Path:
    """A results folder on this machine: a copy where the results are at a URL. Raises StudyError."""
    place = path_or_url(str(path))
    return place if isinstance(place, Path) else copy_folder(place)


def copy_folder(url: str) -> Path:
    """A copy of the results at a URL. Raises StudyError where there are none or they cannot be read."""
    storage, folder = connect(url), cache("copies", url)
    try:
        download(storage, folder)
        write_whole(folder / URL, url)
    except OSError as error:
        raise StudyError(f"{url}: cannot be read ({reason(error)})") from None
    return folder


def copy_file(url: str) -> Path:
    """A copy of a single file at a URL. Raises StudyError where it cannot be read."""
    path = cache("files", url) / folder_name(url.partition("?")[0].rpartition("/")[2])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, connect(url).read(most=SETTINGS_BYTES))
    except OSError as error:
        raise StudyError(f"{url}: cannot be read ({reason(error)})") from None
    return path


def is_copy(folder: Path) -> bool:
    """Whether a folder is a copy, for reading, of what is at a URL."""
    return (folder / MANIFEST).is_file() and url_of(folder) is not None


def connect(url: str) -> Storage:
    """The storage at a URL, which answers. Raises StudyError where it does not."""
    try:
        storage = Storage(url)
        storage.fs.get_file_info(storage.path)
        return storage
    except StudyError:
        raise
    except ImportError as error:
        raise StudyError(f"{url}: needs another package, which pip installs: {error}") from None
    except (OSError, ValueError) as error:
        raise StudyError(f"{url}: cannot be reached ({reason(error)})") from None


def download(storage: Storage, folder: Path) -> State:
    """Make a folder equal to what is at the URL. Returns the number of files that were downloaded, and their bytes.

    Files that have not changed since the last download are kept, if the storage knows their times. Raises StudyError
    where there is nothing at the URL, and Refused where names there lead out of the folder, or all is larger than a
    results folder can be.
    """
    remote = {name: state for name, state in storage.files().items() if is_result(name) and name != LOCK}
    if not remote:
        raise StudyError(f"{storage.url}: no such results folder")
    check_amount([size for size, _ in remote.values()], storage.url)
    paths = {name: inside(folder, name) for name in remote}
    known = _manifest(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name for name, state in remote.items() if state[1] and known.get(name) == state and paths[name].is_file()}
    changed = [name for name in remote if name not in kept]

    def one(name: str) -> None:
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        write_whole(paths[name], lambda file: storage.save(name, file))

    with ThreadPoolExecutor(_DOWNLOADS) as pool:
        list(pool.map(one, changed))
    for name in known.keys() - remote.keys():
        inside(folder, name).unlink(missing_ok=True)
    write_whole(folder / MANIFEST, json.dumps(remote))
    return len(changed), sum(paths[name].stat().st_size for name in changed)


def _manifest(folder: Path) -> dict[str, State]:
    """The files of the last download; {} where that is not known."""
    known = read_json(folder / MANIFEST, {})
    if not isinstance(known, dict):
        return {}
    return {name: tuple(state) for name, state in known.items() if is_result(name) and isinstance(state, list)}


def join(url: str, name: str) -> str:
    """The URL of a name below another URL."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def reason(error: Exception) -> str:
    """An error of a storage in one line."""
    text = " ".join(str(error).split())
    text = text[max(0, text.find("AWS Error")) :]
    return re.sub(r" \(Request ID.*|; Details:.*", "", text)[:_MAX_REASON]


def _filesystem(url: str) -> tuple[Any, str]:
    """The file system of pyarrow or fsspec for a URL, and the path in it. Raises ValueError or ImportError."""
    try:
        filesystem, path = fs.FileSystem.from_uri(url)
        return _in_this_thread(filesystem), path
    except ValueError:
        import fsspec  # takes long, and S3 and GCS do without

        try:
            inner, path = fsspec.core.url_to_fs(url)
        except ValueError:
            raise StudyError(f"{url}: there is no storage {urlsplit(url).scheme}://, such as s3:// or gs://") from None
        return fs.PyFileSystem(fs.FSSpecHandler(inner)), path


def _in_this_thread(filesystem: fs.FileSystem) -> fs.FileSystem:
    """S3 that writes in the calling thread, and a small object in one request instead of three.

    By default S3FileSystem hands writes to pyarrow's threads and waits. Where all of these wait, as when Ray Tune
    uploads a folder of many files through a FileSystemHandler of ours, none is left to write.
    """
    if not isinstance(filesystem, fs.S3FileSystem):
        return filesystem
    _, (settings,) = filesystem.__reduce__()
    return fs.S3FileSystem(**{**settings, "background_writes": False, "allow_delayed_open": True})


def _check_secrets(url: str) -> None:
    """Raise StudyError, without the secret, where a URL holds one."""
    parts = urlsplit(url)
    options = parse_qsl(parts.query)
    nested = any("@" in urlsplit(value).netloc for _, value in options)  # of an endpoint
    if "@" in parts.netloc or nested or _SECRETS & {name for name, _ in options}:
        bare = urlunsplit((parts.scheme, parts.hostname or "", parts.path, "", ""))
        raise StudyError(f"{bare}: secrets do not belong into an address; set them where the storage's own tools look")
