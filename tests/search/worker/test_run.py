"""What a worker does beside training."""

from types import SimpleNamespace

from gansearch.search.worker import run


def test_a_checkpoint_that_cannot_be_written_costs_nothing(monkeypatch):
    def full(*given):
        raise RuntimeError("PytorchStreamWriter failed writing file: No space left on device")

    monkeypatch.setattr(run.torch, "save", full)
    assert not run._saved(SimpleNamespace(state=dict, checkpoint_required=False), {"rows": []})
