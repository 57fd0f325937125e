"""A dashboard that lets nobody in; test_submit.py has a real one."""

from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from gansearch.search.cluster import ray_patches
from gansearch.search.errors import SweepError
from gansearch.search.jobs.client import Jobs, NoAnswer


class Refusing(BaseHTTPRequestHandler):
    """A dashboard that wants a token."""

    def do_GET(self):
        self.send_response(403 if "authorization" in self.headers else 401)
        self.end_headers()

    def log_message(self, *what):
        pass


def test_the_error_of_a_missing_token_says_what_to_set(mine):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with pytest.raises(SweepError, match=f"{url}: the cluster wants a token. Set RAY_AUTH_MODE=token, and "):
        Jobs(url)
    server.shutdown()


def test_the_package_that_jobs_need_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SweepError, match="the jobs of a cluster need aiohttp: pip install aiohttp"):
        Jobs("http://127.0.0.1:1")


class Endless(BaseHTTPRequestHandler):
    """A dashboard whose answer has no end."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(bytes(2**16))

    def log_message(self, *what):
        pass


def test_an_answer_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(ray_patches, "_ANSWER_BYTES", 2**22)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    Thread(target=server.serve_forever, daemon=True).start()
    with pytest.raises(NoAnswer, match="its answer is larger than"):
        Jobs(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
