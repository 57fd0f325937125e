"""What the servers of a dashboard refuse."""

import pytest

from gansearch.cli.guarded import guarded

FOREIGN = ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "", "192.0.2.2:80", "[::2]", "[", "0.0.0.0:1"]


def ask(method="GET", host="127.0.0.1:8080", origin=None, read_only=False):
    """The status of the answer."""
    said = []

    def app(environ, start):
        start("200 OK", [])
        return [b"text"]

    environ = {"REQUEST_METHOD": method, "HTTP_HOST": host, **({"HTTP_ORIGIN": origin} if origin is not None else {})}
    list(guarded(app, read_only)(environ, lambda status, headers: said.append(status)))
    return int(said[0][:3])


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:9000", "localhost", "[::1]:80"])
def test_its_own_pages_are_answered(host):
    assert ask(host=host) == 200
    assert ask("POST", host, f"http://{host}") == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_another_name_is_refused(host):
    assert ask(host=host) == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8080", ""]
)
def test_pages_of_others_are_refused(origin):
    assert ask("POST", origin=origin) == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_study_is_for_reading(method):
    assert ask(method, read_only=True) == 403
    assert ask("HEAD", read_only=True) == 200
