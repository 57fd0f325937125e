"""A real S3 server for tests, on loopback, that can be stopped for a while."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from moto.server import ThreadedMotoServer


class Objects:
    """A server with one bucket, whose content a restart does not change."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._port = 0
        self._start()
        self._endpoint = f"http://127.0.0.1:{self._port}"
        self.environment = {
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "a secret",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        """Variables with which s3:// means this server."""
        self.reset()

    def reset(self) -> None:
        """Make the bucket, or empty it."""
        requests.post(f"{self._endpoint}/moto-api/reset", timeout=10)
        requests.put(f"{self._endpoint}/bucket", timeout=10)

    def _start(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()
        self._port = self._server.get_host_and_port()[1]

    @contextmanager
    def away(self) -> Iterator[None]:
        self._server.stop()
        try:
            yield
        finally:
            self._start()

    def stop(self) -> None:
        self._server.stop()
