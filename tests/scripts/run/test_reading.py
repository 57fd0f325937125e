import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gansearch.experiment import ScriptTask
from gansearch.scripts.run.output import Stream
from gansearch.scripts.run.reading import Look, Reading


class Streams:
    """The output of a script that is played."""

    def __init__(self) -> None:
        self.stdout, self.stderr = Stream(), Stream()
        self.streams = (("stdout", self.stdout), ("stderr", self.stderr))


def read(stdout: str = "", stderr: str = "", **task: Any) -> Look:
    output = Streams()
    output.stdout.put(stdout.encode())
    output.stderr.put(stderr.encode())
    reading = Reading(ScriptTask(command=["x"], **task), "", output, time.time())  # type: ignore[arg-type]
    reading.finish()
    return reading.look()


def test_dcgan_counts_epochs_and_their_sixteenths() -> None:
    look = read(
        "".join(
            f"[{e}/2][{i}/16] Loss_D: 1.{i:02}{e} Loss_G: 0.8{i:02} D(x): 0.6 D(G(z)): 0.4 / 0.3\n"
            for e in range(2)
            for i in range(16)
        )
    )
    assert look.log is not None
    assert look.log.time[[0, 1, 16, 31]].tolist() == [0, 1 / 16, 1, 1 + 15 / 16]


def test_the_first_epoch_alone_is_known_by_its_total() -> None:
    look = read("".join(f"[0/1][{i}/16] Loss_D: 1.{i:02} Loss_G: 0.8{i:02}\n" for i in range(4)))
    assert look.time == 3 / 16


def test_iterations_that_begin_anew_are_parts_of_epochs() -> None:
    lines = [
        f"(epoch: {e}, iters: {i}, time: 0.043) G_GAN: 0.8{i}{e} G_L1: 57.{i}{e} D_real: 0.7{i} D_fake: 0.6{i}\n"
        for e in (1, 2)
        for i in (4, 8)
    ]
    look = read("".join(lines), distance="G_L1")
    assert look.log is not None
    assert look.log.time.tolist() == [0.5, 1, 1.5, 2]
    assert look.distances == (57.41, 57.81, 57.42, 57.82)
    assert look.game is not None
    assert set(look.game.columns) >= {"d_loss_real", "d_loss_fake", "g_loss", "reconstruction"}
    assert read(lines[0]).time == 0, "how long the first epoch is nobody knows"


def test_a_global_step_is_the_time() -> None:
    look = read(
        "".join(f"INFO: Step: {s}  Batch: {s % 4}  D_Loss: 5.{s:02}  G_Loss: 4.{s:02}\n" for s in range(2, 12, 2))
    )
    assert look.time == 10


def test_a_bar_on_stderr_is_read_and_begins_with_zeros() -> None:
    states = ["Gen. (+00.00) | Discrim. (-00.00):   0%|          | 0/3 [00:00<?, ?it/s]"]
    states += [
        f"Gen. (+01.1{i}) | Discrim. (-00.1{i}):  33%|███       | {i}/3 [00:01<00:02,  1.1it/s]" for i in (1, 2, 3)
    ]
    look = read(stderr="\r".join(states) + "\n")
    assert (look.name, look.time) == ("stderr", 3)
    assert look.game is not None
    assert np.isnan(look.game.values["d_loss"][0])
    assert look.game.values["d_loss"][1:].tolist() == [-0.11, -0.12, -0.13]


def test_rows_of_a_keras_bar_are_its_epochs_and_regressions_are_none() -> None:
    def bar(names: str, first: int) -> str:
        return (
            "".join(f"\b\b\b\r{i}/8 ━━━ 11s 2s/step - " + names.format(v=f"0.{first}{i}") for i in range(1, 9)) + "\n"
        )

    look = read(
        bar("loss: {v} - mae: {v}", 1) + bar("d_loss: {v} - g_loss: {v}1", 6) + bar("d_loss: {v} - g_loss: {v}1", 7)
    )
    assert look.game is not None
    assert look.game.values["d_loss"].tolist() == [0.68, 0.78]
    assert look.time == 2
    assert "reconstruction" not in look.game.columns


def test_what_was_carried_forward_is_no_row_and_a_clamp_is_one() -> None:
    lines = "step,d_loss,g_loss,fid\n" + "".join(
        f"{i},{[1.1, 1.2][i // 2 % 2]},{0.5 + i / 100},{[30, 20][i // 4 % 2]}\n" for i in range(8)
    )
    look = read(lines, distance="fid")
    assert look.game is not None
    assert np.isnan(look.game.values["d_loss"]).tolist() == [False, True] * 4
    assert look.distances == (30, 20)
    frozen = read("".join(f"step {i} d_loss 100.0 g_loss 0.{i}1\n" for i in range(9)))
    assert frozen.game is not None
    assert np.isfinite(frozen.game.values["d_loss"]).all()


def test_seven_lines_of_a_step_are_one_row_and_settings_are_no_metric() -> None:
    names = ("mel_loss", "generator_loss", "adversarial_loss", "discriminator_loss", "spectral_loss")
    text = "INFO: lambda_aux = 45.0\n" + "".join(
        f"INFO: (Steps: {s}) train/{name} = {3 + s / 10:.4f}.\n" for s in (2, 4, 6) for name in names
    )
    look = read(text + "INFO: (Steps: 6) eval/mel_loss = 3.1000.\n", distance="eval/mel_loss")
    assert look.log is not None
    assert (look.log.records, look.time, look.distances) == (3, 6, (3.1,))


def test_hp_metric_is_no_distance() -> None:
    look = read(
        "".join(f"step {i} d_loss 1.{i} g_loss 0.{i}1 hp_metric -1.0\n" for i in range(5)), distance="hp_metric"
    )
    assert look.distances == ()


def test_files_that_come_late_are_read_and_older_ones_are_not(tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("step,d_loss,g_loss\n1,1,1\n")
    reading = Reading(ScriptTask(command=["x"]), str(tmp_path / "*.csv"), Streams(), time.time() + 60)  # type: ignore[arg-type]
    assert not reading.read()
    assert "no file" in reading.why_nothing()
    reading = Reading(ScriptTask(command=["x"]), str(tmp_path / "new*.csv"), Streams(), time.time() - 60)  # type: ignore[arg-type]
    reading.read()
    (tmp_path / "new.csv").write_text("step,d_loss,g_loss\n1,1.5,1\n2,1.4,")
    assert reading.read()
    assert reading.look().time == 1
    with (tmp_path / "new.csv").open("a") as file:
        file.write("0.9\n3,1.3,0.8\n")
    reading.finish()
    assert reading.look().time == 3


def test_a_document_that_is_removed_keeps_what_was_read_and_its_next_is_read(tmp_path: Path) -> None:
    rows = '[{"d_loss": 1.5, "g_loss": 0.5}, {"d_loss": 1.25, "g_loss": 0.75}]'
    reading = Reading(ScriptTask(command=["x"]), str(tmp_path / "*/state.json"), Streams(), time.time() - 60)  # type: ignore[arg-type]
    for name in ("checkpoint-1", "checkpoint-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.json").write_text(rows)
        assert reading.read()
        assert reading.look().time == 2
        (tmp_path / name / "state.json").unlink()
        assert not reading.read()
        assert reading.look().time == 2


def test_probes_are_means_over_parts_of_the_time() -> None:
    look = read("".join(f"step {i} d_loss {i}.0 g_loss {i}.5\n" for i in range(1, 11)), distance="fid")
    assert [(one.update, one.loss_d) for one in look.probes(0, 5)] == [(5, 3.0), (10, 8.0)]
    assert [one.update for one in look.probes(5, 5)] == [10]
    assert look.probes(10, 5) == []


def test_the_distance_is_that_of_the_probe_after_it() -> None:
    text = "".join(
        f"step {i} d_loss 1.{i} g_loss 0.{i}1\n" + (f"fid {50 - i}\n" if i % 4 == 0 else "") for i in range(1, 9)
    )
    found = [one.distance for one in read(text, distance="fid").probes(0, 4)]
    assert found == [46, 42]
    assert [math.isnan(one.distance) for one in read(text, distance="fid").probes(0, 2)] == [True, False, True, False]


def test_a_distance_alone_is_enough() -> None:
    look = read("epoch 1 quality 3.5\nepoch 2 quality 2.5\n", distance="quality")
    assert (look.distances, look.time, look.game) == ((3.5, 2.5), 2, None)
    assert [one.distance for one in look.probes(0, 0.1)] == [3.5, 2.5]


@pytest.mark.parametrize("text", ["", "hello\n", "loss 0.1\nloss 0.2\n", "lr = 1.0\n"])
def test_other_output_has_no_numbers(text: str) -> None:
    assert not read(text, distance="fid").has_numbers
