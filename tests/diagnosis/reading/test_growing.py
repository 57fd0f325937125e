"""Logs that are read while they are written."""

from pathlib import Path

import pytest

from gansearch.diagnosis.reading import LogError
from gansearch.diagnosis.reading.growing import Growing, GrowingText, Wanted, growing
from tests.diagnosis.reading.test_wandb_run import framed


def only(path: Path, wanted: Wanted) -> Growing:
    known: dict[Path, Growing] = {}
    growing([path], known, wanted)
    return next(iter(known.values()))


def test_a_line_that_is_not_finished_waits(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("step 1 d_loss 1.25 g_loss 0.75\nstep 2 d_loss 1.5")
    log = only(path, Wanted())
    assert log.read()
    assert log.log().records == 1
    with path.open("a") as file:
        file.write("5 g_loss 0.85\n")
    assert log.read()
    assert log.log().games[0].values["d_loss"].tolist() == [1.25, 1.55]
    assert not log.read()


@pytest.mark.parametrize("anew", ["smaller", "replaced", "header"])
def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path, anew: str) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,d_loss,g_loss\n" + "".join(f"{i},1.{i},0.{i}\n" for i in range(1, 9)))
    log = only(path, Wanted())
    log.read()
    if anew == "replaced":
        path.rename(tmp_path / "before")  # its number stays taken
    more = "step,d_loss,g_loss,fid\n" + "".join(f"{i},2.{i},0.{i},9\n" for i in range(1, 12))
    path.write_text("step,d_loss,g_loss\n1,2.1,0.1\n" if anew == "smaller" else more)
    assert log.read()
    assert log.log().games[0].values["d_loss"][0] == 2.1


def test_a_line_that_is_no_row_for_its_length_is_left_out_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("x" * 3_000_000 + "\n" + "".join(f"step {i} d_loss 1.{i} g_loss 0.{i}\n" for i in range(1, 9)))
    log = only(path, Wanted())
    log.read()
    assert log.log().records == 8


def test_columns_that_were_named_may_come_later(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1, "first": 0.5, "g_loss": 1.5}\n')
    log = only(path, Wanted({"d_loss": "second"}))
    log.read()
    assert "d_loss" not in log.log().games[0].columns
    with path.open("a") as file:
        file.write('{"step": 2, "second": 0.25, "g_loss": 1.25}\n')
    log.read()
    assert log.log().games[0].columns["d_loss"] == "second"


def test_event_files_go_on_where_they_stopped(tmp_path: Path) -> None:
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    writer = tensorboard.SummaryWriter(tmp_path)
    for step in range(3):
        writer.add_scalar("d_loss", 1.0 + step, step)
        writer.add_scalar("g_loss", 2.0 + step, step)
    writer.flush()
    log = only(tmp_path, Wanted(metric="val/mel"))
    assert log.read()
    assert log.log().records == 3
    writer.add_scalar("d_loss", 4.0, 3)
    writer.add_scalar("val/mel", 0.5, 3)
    writer.close()
    assert log.read()
    assert log.log().games[0].values["d_loss"].tolist() == [1, 2, 3, 4]
    assert log.log().metrics["val/mel"][-1] == 0.5


def test_runs_of_weights_and_biases_go_on_where_they_stopped(tmp_path: Path) -> None:
    proto = pytest.importorskip("wandb.proto.wandb_internal_pb2")

    def record(step: int) -> bytes:
        one = proto.Record()
        for name, value in (("_step", step), ("d_loss", 1.5 + step), ("g_loss", 0.5)):
            item = one.history.item.add()
            item.key, item.value_json = name, str(value)
        return bytes(one.SerializeToString())

    path = tmp_path / "run-1.wandb"
    whole = framed([record(step) for step in range(2000)])
    path.write_bytes(whole[:40_000])
    log = only(path, Wanted())
    assert log.read()
    before = log.log().records
    path.write_bytes(whole)
    assert log.read()
    assert 0 < before < log.log().records == 2000
    assert log.log().games[0].values["d_loss"][-1] == 2000.5


def test_documents_are_read_whole_whenever_they_change(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text('[{"d_loss": 1.5, "g_loss": 0.5}, {"d_loss": 1.25, "g_loss": 0.75}]')
    log = only(path, Wanted())
    assert log.read()
    assert not log.read()
    assert log.log().records == 2
    path.unlink()
    assert not log.read()


def test_an_empty_file_is_no_log_yet(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.touch()
    log = GrowingText(path, Wanted())
    assert not log.read()
    with pytest.raises(LogError):
        log.log()
