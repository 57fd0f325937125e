"""A training loop of the user's own: called, watched, stopped, gone on with, and told politely what is wrong."""

import io
import threading
import time

import numpy as np
import pytest
import torch

from gansearch.experiment import LoopTraining
from gansearch.gan import LoopTrainer, TaskError
from gansearch.gan.loop.task import Loop
from gansearch.gan.user_code import user_traceback


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def probed(trial, step, shift=0.5, name=None, n=64, **report):
    """A discriminator that tells real from fake a little, and a report."""
    monitor = trial.monitor if name is None else trial.monitors[name]
    monitor.update(torch.randn(n) + shift, torch.randn(n) - shift)
    if report.pop("now", True):
        trial.report(step=step, **report)


def plain(trial):
    """Every 10th of 200 updates; what it knows is in its folder."""
    saved = trial.checkpoint_dir / "deep" / "last.pt"
    state = torch.load(saved) if saved.exists() else {"step": 0, "sum": torch.zeros(3)}
    for step in range(state["step"] + 10, trial.updates + 1, 10):
        draws = torch.Generator().manual_seed(trial.seed * 1000 + step)
        state = {"step": step, "sum": state["sum"] + torch.randn(3, generator=draws)}
        real, fake = torch.randn(80, generator=draws) + 0.4, torch.randn(80, generator=draws)
        trial.monitor.update(real, fake)
        loss = torch.tensor(0.5, requires_grad=True)
        trial.report(step=step, distance=abs(float(state["sum"][0])), fid=step, loss_d=loss)
        saved.parent.mkdir(exist_ok=True)
        torch.save(state, saved)
        if trial.should_stop():
            return


def trainer(function, updates=200, params=None, prune=False, seed=0, options=None):
    training = LoopTraining(updates=updates, params=params or {})
    return LoopTrainer(Loop("my_loop.py:train", function, options or {}), training, seed, prune=prune)


def finish(one):
    return list(one.run()), one.result()


def test_a_loop_reports_and_is_judged():
    probes, result = finish(one := trainer(plain))
    assert [probe.update for probe in probes] == list(range(10, 201, 10))
    assert (result.status, result.verdict) == ("complete", "balanced")
    assert 0 < result.stability < 1
    assert result.distance == probes[-1].distance == result.quality["distance"]
    assert result.quality["fid"] == 200
    assert (probes[0].loss_d, result.updates, one.share, one.remark()) == (0.5, 200, 1, "")
    assert 0.5 < probes[0].separability < 0.9
    assert np.isnan(probes[0].loss_g)


def test_a_loop_gets_its_parameters_and_random_numbers():
    seen = {}

    def train(trial, size=3):
        seen.update(trial.params, seed=trial.seed, device=trial.device, size=size, first=torch.rand(1).item())
        probed(trial, 5)

    before = torch.get_rng_state()
    finish(trainer(train, updates=5, params={"lr": 1, "mine": None}, seed=7, options={"size": 4}))
    assert {name: seen[name] for name in ("lr", "mine", "seed", "size")} == {
        "lr": 1,
        "mine": None,
        "seed": 7,
        "size": 4,
    }
    assert seen["device"] == torch.device("cpu")
    assert seen["first"] == torch.rand(1, generator=torch.Generator().manual_seed(7)).item()
    assert torch.equal(torch.get_rng_state(), before)


def test_parameters_that_a_loop_never_reads_are_remarked():
    def train(trial):
        assert trial.params["a"] == 1
        plain(trial)

    one = trainer(train, params={"a": 1, "b": 2, "c": None})
    finish(one)
    assert one.unread(["a", "b", "c"]) == ["b"]
    assert one.remark(["a", "b", "c"]) == "train(trial) never reads b from trial.params"
    assert one.remark() == ""


def test_a_loop_continues_from_its_files_as_if_unbroken():
    whole, expected = finish(trainer(plain))
    broken = trainer(plain)
    running = broken.run()
    first = [next(running) for _ in range(7)]
    file = io.BytesIO()
    torch.save(broken.state(), file)  # the loop's own file is of step 60: it will report 70 again
    running.close()
    file.seek(0)
    again = trainer(plain)
    again.load_state(torch.load(file, weights_only=True))
    rest, result = finish(again)
    assert repr(first + rest) == repr(whole)
    assert (result.stability, result.distance, result.sentence) == (
        expected.stability,
        expected.distance,
        expected.sentence,
    )


def test_files_of_a_tampered_checkpoint_stay_in_their_folder(tmp_path):
    state = trainer(plain).state() | {"files": {"../outside": torch.zeros(3, dtype=torch.uint8)}}
    one = trainer(plain)
    one.load_state(state)
    assert not (one.checkpoint_dir.parent / "outside").exists()
    assert list(one.checkpoint_dir.iterdir()) == []


@pytest.mark.parametrize("asks", [True, False])
def test_a_loop_that_is_pruned_is_judged_where_it_was_stopped(asks):
    def train(trial):
        for step in range(1, trial.updates + 1):
            probed(trial, step, shift=0.5 if step <= 8 else 30, distance=step)
            if asks and trial.should_stop():
                return

    one = trainer(train, updates=20)
    for probe in one.run():
        if probe.update == 8:
            one.stopped = "behind the others"
    result = one.result()
    assert (result.status, result.updates, result.distance) == ("pruned", 8, 8)
    assert result.verdict == "balanced"
    assert "Stopped after 8 updates: behind the others." in result.sentence
    assert ("went on for 12 reports" in one.remark()) != asks


def test_a_loop_beyond_hope_is_told_to_stop():
    def train(trial):
        for step in range(1, 101):
            probed(trial, step, shift=30)
            if trial.should_stop():
                return

    probes, result = finish(trainer(train, updates=100, prune=True))
    assert 40 <= len(probes) < 60
    assert (result.status, result.verdict) == ("pruned", "discriminator_saturated")
    assert len(finish(trainer(train, updates=100))[0]) == 100
    spared = trainer(train, updates=100, prune=True)
    for probe in spared.run():
        spared.prune = probe.update < 30 or probe.update > 70  # of it the loop hears before its next report
    assert spared.result().updates == 72


def test_the_budget_ends_a_loop_and_steps_may_be_left_out():
    def counted(trial):
        while not trial.should_stop():
            probed(trial, None)

    def dated(trial):
        for step in range(30, 1000, 30):
            trial.monitor.update(torch.randn(9), torch.randn(9), step)
            trial.report(distance=1)
            if trial.should_stop():
                return

    assert [probe.update for probe in finish(trainer(counted, updates=6))[0]] == [1, 2, 3, 4, 5, 6]
    assert [probe.update for probe in finish(trainer(dated, updates=100))[0]] == [30, 60, 90, 120]


def test_the_first_report_may_be_of_nothing_done():
    def train(trial):
        for step in (0, 1):
            probed(trial, step)

    assert [probe.update for probe in finish(trainer(train, updates=2))[0]] == [0, 1]


def test_several_discriminators_are_judged_by_the_worst():
    def train(trial):
        for step in range(1, 21):
            probed(trial, step, name="A", now=False)
            probed(trial, step, shift=30, name="B")

    probes, result = finish(trainer(train, updates=20))
    assert result.verdicts == {"A": "balanced", "B": "discriminator_saturated"}
    assert result.verdict == "discriminator_saturated"
    assert result.sentence.startswith("A balanced, B discriminator_saturated. B: D is too strong")
    assert probes[0].separability == pytest.approx(0.88, abs=0.08)  # the mean


def test_samples_give_a_distance_a_referee_and_show_collapse():
    def train(trial, collapsed):
        for step in range(1, 6):
            real, fake = torch.randn(200, 2), torch.randn(300, 2).numpy() * (1e-3 if collapsed else 1)
            probed(trial, step, real=real, fake=fake)

    well, ill = (finish(trainer(train, updates=5, options={"collapsed": c}))[1] for c in (False, True))
    assert well.verdict == "balanced"
    assert well.distance < 0.3 < ill.distance
    assert abs(well.referee_gap) < 0.4
    assert well.samples.shape == (300, 2)
    assert ill.verdict == "collapsed"


def test_the_output_of_d_is_set_before_its_first_scores():
    def train(trial, output, late=False):
        if late:
            probed(trial, 1)
        trial.output = output
        trial.monitor.update(torch.rand(50), torch.rand(50))
        trial.report(step=2)

    assert finish(trainer(train, options={"output": "probability"}))[1].saturated_right < 0.2
    for options, part in (({"output": "logits"}, "must be"), ({"output": "score", "late": True}, "before the first")):
        with pytest.raises(ValueError, match=part):
            finish(trainer(train, options=options))


def test_a_loop_that_is_abandoned_ends():
    ended = threading.Event()

    def train(trial):
        try:
            for step in range(1, 1000):
                probed(trial, step)
        finally:
            ended.set()

    running = trainer(train).run()
    next(running)
    running.close()
    assert ended.is_set()


def test_a_report_later_than_patience_raises():
    def train(trial):
        while not trial.should_stop():  # which raises once nobody waits
            time.sleep(0.01)

    with pytest.raises(TimeoutError):
        next(trainer(train).run(patience=0.05))


@pytest.mark.parametrize("what", [{"distance": float("nan")}, {"loss_g": float("inf")}])
def test_what_is_not_finite_has_diverged(what):
    def train(trial):
        for step in range(1, 6):
            probed(trial, step, **({"distance": 1} | (what if step == 3 else {})))
            if trial.should_stop():
                return

    _, result = finish(trainer(train, updates=5))
    assert (result.status, result.verdict, result.updates) == ("failed", "diverged", 3)
    assert f"the reported {next(iter(what))} is no longer a finite number" in result.error
    assert result.stability == 0
    assert np.isnan(result.distance)


def test_scores_that_are_not_finite_have_diverged():
    def train(trial):
        trial.monitor.update(torch.tensor([1.0, torch.nan]), torch.zeros(2))
        trial.report(step=1)

    assert finish(trainer(train))[1].status == "failed"


def never_feeds(trial):
    trial.report(step=1, distance=1)


def never_reports(trial):
    probed(trial, 1, now=False)


def test_a_loop_that_never_reports_is_judged_at_its_end_with_a_remark():
    probes, result = finish(one := trainer(never_reports))
    assert len(probes) == 1
    assert result.status == "complete"
    assert "never called trial.report()" in one.remark()


def test_a_loop_that_never_gives_scores_cannot_be_judged():
    with pytest.raises(TaskError, match=r"without a call of trial.monitor.update\(real, fake\)") as caught:
        finish(trainer(never_feeds))
    trace = caught.value.__traceback__.tb_next.tb_next  # behind this test's own frames
    assert user_traceback(caught.value.with_traceback(trace)) == str(caught.value)


def back(trial):
    probed(trial, 5)
    probed(trial, 3)


MISTAKES = {
    "no 'lrr'; did you mean \"lr\"?": lambda trial: trial.params["lrr"],
    "takes one number, not 'low'": lambda trial: trial.report(distance="low"),
    "takes one number, not a tensor of shape (2,)": lambda trial: trial.report(fid=torch.zeros(2)),
    "comes after step 5": back,
    "real= and fake= samples together": lambda trial: trial.report(real=torch.zeros(30, 2)),
    "not real (30, 2) and fake (30, 3)": lambda trial: trial.report(real=torch.zeros(30, 2), fake=torch.zeros(30, 3)),
    "20 or more samples": lambda trial: trial.report(real=torch.zeros(3, 2), fake=torch.zeros(3, 2)),
    "holds NaN": lambda trial: trial.report(real=torch.full((30, 2), torch.nan), fake=torch.zeros(30, 2)),
    "no such luck": lambda trial: exec("raise RuntimeError('no such luck')"),
    "1": lambda trial: exit(1),
}


@pytest.mark.parametrize("part", MISTAKES)
def test_what_the_loop_raises_is_shown_from_its_own_line(part):
    with pytest.raises(BaseException) as caught:
        finish(trainer(MISTAKES[part], params={"lr": 1}))
    trace = caught.value.__traceback__
    while trace.tb_frame.f_code.co_name != "_call":  # before it are this test's own frames
        trace = trace.tb_next
    text = user_traceback(caught.value.with_traceback(trace))
    assert part in text
    assert "test_trainer.py" in text.splitlines()[0]
    assert "loop_trainer.py" not in text


def test_scores_that_look_like_probabilities_are_remarked():
    def loop(trial):
        for step in range(1, 4):
            trial.monitor.update(torch.rand(50), torch.rand(50))
            trial.report(step=step)

    trainer = LoopTrainer(Loop("./a.py:loop", loop, {}), LoopTraining(updates=3), 0)
    list(trainer.run())
    assert 'set trial.output = "probability"' in trainer.remark()


def test_what_is_no_exception_comes_with_its_line():
    def loop(trial):
        raise KeyboardInterrupt

    trainer = LoopTrainer(Loop("./a.py:loop", loop, {}), LoopTraining(updates=3), 0)
    with pytest.raises(RuntimeError, match="KeyboardInterrupt") as caught:
        list(trainer.run())
    assert "raise KeyboardInterrupt" in user_traceback(caught.value)
