"""What Ray is told for a sweep is taken back when it ends."""

import os
import signal

import pytest

from gansearch.search.cluster.ray_settings import SETTINGS, ray_settings
from gansearch.search.sweep import sweep

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def ground():
    return dict(os.environ), [signal.getsignal(number) for number in SIGNALS]


def test_settings_are_restored_whatever_ends_their_use(monkeypatch):
    monkeypatch.setenv("TUNE_GLOBAL_CHECKPOINT_S", "7")
    before = ground()

    def interrupted():
        with ray_settings():
            assert SETTINGS.items() <= os.environ.items()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ground() == before


def test_a_sweep_leaves_the_process_as_it_was(ray_session, tiny, tmp_path):
    before = ground()
    sweep(tiny(trials=1), tmp_path / "out")
    assert ground() == before
