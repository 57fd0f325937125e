"""What a worker does beside training."""

from types import SimpleNamespace

import pytest

from gansearch.search.worker import run


def test_a_checkpoint_that_cannot_be_written_costs_nothing(monkeypatch):
    def full(*given):
        raise RuntimeError("PytorchStreamWriter failed writing file: No space left on device")

    monkeypatch.setattr(run.torch, "save", full)
    assert not run._saved(SimpleNamespace(state=dict, checkpoint_required=False), None, {"rows": []})


def test_a_full_disk_that_tune_meets_ends_only_what_needs_its_checkpoints():
    def link(name, news, folder):
        assert (name, news) == ("report", {"rows": b""})
        return "No space left on device"

    assert not run._saved(SimpleNamespace(state=dict, checkpoint_required=False), link, {"rows": b""})
    with pytest.raises(RuntimeError, match="No space left"):
        run._saved(SimpleNamespace(state=dict, checkpoint_required=True), link, {"rows": b""})
