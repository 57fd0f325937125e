"""The servers of `gansearch dashboard`, each in a process of its own, which answer pages of this machine alone.

    python -m gansearch.cli.guarded NAME PATH PORT

A page of another site could otherwise ask them through the user's browser, also under a name of its own that leads
to 127.0.0.1 (DNS rebinding).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HOST = "127.0.0.1"
_NAMES = (HOST, "localhost", "::1")
_READING = ("GET", "HEAD")
_READS_ANY_FILE = "projector"
"""A plugin of TensorBoard that opens whatever paths a log folder names."""


def guarded(app: Callable[..., Iterable[bytes]], read_only: bool = False) -> Callable[..., Iterable[bytes]]:
    """Return a WSGI application that answers as `app` does, but refuses what is not from its own pages."""

    def answer(environ: Mapping[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        why = refusal(environ, read_only)
        if not why:
            return app(environ, start)
        start("403 Forbidden", [("Content-Type", "text/plain")])
        return [why.encode()]

    return answer


def refusal(environ: Mapping[str, Any], read_only: bool) -> str:
    """Return why a request is refused; empty where it is not."""
    host, origin = environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN")
    try:
        name, own = urlsplit(f"//{host}").hostname, origin is None or urlsplit(origin).netloc == host
    except ValueError:
        name, own = None, False
    if name not in _NAMES:
        return "this server has another name"
    if not own:
        return "this server answers its own pages alone"
    if read_only and environ.get("REQUEST_METHOD") not in _READING:
        return "the study is a copy, for reading"
    return ""


def serve_study(journal: Path, port: int) -> None:
    """Serve the study of a journal with optuna-dashboard, for reading, until the process ends."""
    from optuna_dashboard import wsgi
    from werkzeug.serving import run_simple

    from gansearch.search.sampling.journal import open_journal

    run_simple(HOST, port, guarded(wsgi(open_journal(journal)), read_only=True), threaded=True)


def serve_logs(logs: Path, port: int) -> None:
    """Serve a folder of logs with TensorBoard until the process ends."""
    from tensorboard import default, program

    plugins = [plugin for plugin in default.get_plugins() if _READS_ANY_FILE not in repr(plugin)]
    board = program.TensorBoard(plugins, server_class=lambda app, flags: program.WerkzeugServer(guarded(app), flags))
    board.configure(argv=["tensorboard", "--logdir", str(logs), "--host", HOST, "--port", str(port)])
    board.main()


SERVERS = {"optuna-dashboard": serve_study, "TensorBoard": serve_logs}
"""By the names that people know."""


if __name__ == "__main__":
    SERVERS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
