"""What TensorBoard itself reads back from the log of a sweep."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, metadata

from gansearch.search.callbacks.tensorboard import TAGS, TensorBoardLog
from gansearch.store.folder import Folder
from gansearch.store.record import TrialRecord
from gansearch.store.trial_files import read_record
from tests.synthetic import a_record, curve, draw, experiment, seed_result

RNG = np.random.default_rng(0)
PARAMS = {**draw(RNG), "lr": 1e-3, "lr_ratio": 1.0, "update_ratio": 1.0}


def record(number: int, seeds: int = 1, **changes: Any) -> TrialRecord:
    return a_record(number, seeds=tuple(replace(seed_result(PARAMS, seed, RNG), **changes) for seed in range(seeds)))


def probes(number: int, record: TrialRecord) -> list[dict[str, Any]]:
    return [row for seed in record.seeds for row in curve(number, PARAMS, seed, RNG)]


def read(path: Path) -> EventAccumulator:
    return EventAccumulator(str(path), size_guidance={"scalars": 0}).Reload()


def hparams(path: Path, tag: str) -> Any:
    """A parsed entry of the HPARAMS plugin."""
    content = read(path).summary_metadata[tag].plugin_data.content
    return getattr(metadata, f"parse_{tag.rsplit('/', 1)[-1]}_plugin_data")(content)


def steps(path: Path, tag: str) -> list[int]:
    return [event.step for event in read(path).Scalars(tag)]


def begun(folder: Folder) -> TensorBoardLog:
    log = TensorBoardLog()
    log.begin(experiment(), folder, slots=2, done=0)
    return log


@pytest.fixture
def log(tmp_path: Path) -> TensorBoardLog:
    return begun(Folder(tmp_path))


def test_a_trial_leaves_scalars_under_steady_tags_and_its_score(log: TensorBoardLog, tmp_path: Path) -> None:
    left = record(12, seeds=2)
    rows = probes(12, left)
    log.started(12, PARAMS)
    log.probes(12, rows[:5])
    log.probes(12, rows[5:])
    log.ended(left, "")
    for seed in (0, 1):
        path = tmp_path / f"tensorboard/trial-00012/seed-{seed}"
        tags = read(path).Tags()["scalars"]
        unmeasured = {"augmentation/r_t", "augmentation/p", "discriminator/held_out_gap", "quality/reconstruction"}
        assert set(tags) == {*TAGS.values(), "stability/score"} - unmeasured
        mine = [row for row in rows if row["seed"] == seed]
        assert steps(path, "discriminator/p_real") == [row["update"] for row in mine]
        written = [event.value for event in read(path).Scalars("loss/d")]
        assert written == pytest.approx([row["loss_d"] for row in mine])
        (score,) = read(path).Scalars("stability/score")
        assert score.value == pytest.approx(left.seeds[seed].stability)
        assert score.step == 4000


def test_the_hparams_tab_has_a_group_per_configuration(log: TensorBoardLog, tmp_path: Path) -> None:
    for number in (0, 1):
        left = record(number, seeds=2, status="failed" if number else "complete")
        log.started(number, {**PARAMS, "betas": [0.5, 0.9], "spectral_norm": True, "loss": "hinge"})
        log.probes(number, probes(number, left))
        log.ended(left, "")
    root = tmp_path / "tensorboard"
    columns = hparams(root, metadata.EXPERIMENT_TAG)
    kinds = {info.name: info.type for info in columns.hparam_infos}
    assert (kinds["lr"], kinds["loss"]) == (api_pb2.DATA_TYPE_FLOAT64, api_pb2.DATA_TYPE_STRING)
    assert set(kinds) == {*PARAMS, "betas", "spectral_norm", "loss"}
    assert [info.name.tag for info in columns.metric_infos] == ["stability/score", "quality/distance"]
    begins = {
        (number, seed): hparams(root / f"trial-{number:05d}/seed-{seed}", metadata.SESSION_START_INFO_TAG)
        for number in (0, 1)
        for seed in (0, 1)
    }
    assert begins[0, 0].group_name == begins[0, 1].group_name != begins[1, 0].group_name
    assert begins[0, 0].hparams["lr"].number_value == 1e-3
    assert begins[0, 0].hparams["betas"].string_value == "[0.5, 0.9]"
    assert begins[0, 0].hparams["spectral_norm"].string_value == "True"
    statuses = [hparams(root / f"trial-0000{n}/seed-0", metadata.SESSION_END_INFO_TAG).status for n in (0, 1)]
    assert statuses == [1, 2]  # success, failure


def test_tensorboard_s_own_backend_serves_the_groups(log: TensorBoardLog, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.context import RequestContext
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.hparams.backend_context import Context
    from tensorboard.plugins.hparams.list_session_groups import Handler

    for number in (0, 1):
        left = record(number, seeds=2)
        log.started(number, PARAMS)
        log.probes(number, probes(number, left))
        log.ended(left, "")
    multiplexer = EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(tmp_path / "tensorboard")).Reload()
    provider = MultiplexerDataProvider(multiplexer, str(tmp_path / "tensorboard"))
    context = Context(TBContext(data_provider=provider, multiplexer=multiplexer))
    request = api_pb2.ListSessionGroupsRequest(
        slice_size=10,
        allowed_statuses=[api_pb2.STATUS_SUCCESS],
        aggregation_type=api_pb2.AGGREGATION_AVG,
    )
    loaded = Handler(RequestContext(), context, "", request).run()
    assert [group.name for group in loaded.session_groups] == ["trial-00000", "trial-00001"]
    for group in loaded.session_groups:
        assert len(group.sessions) == 2
        assert {value.name.tag for value in group.metric_values} == {"stability/score", "quality/distance"}


def test_images_are_logged(folder: Folder) -> None:
    left = read_record(folder, 4)
    assert left is not None
    log = begun(folder)
    log.started(4, PARAMS)
    log.ended(left, "")
    (image,) = read(folder.tensorboard / "trial-00004/seed-0").Images("samples")
    assert (image.width, image.height) == (71, 71)


def test_the_outputs_of_d_are_histograms(log: TensorBoardLog, tmp_path: Path) -> None:
    left = record(5)
    rows = probes(5, left)
    counts = {"real": [0] * 15 + [1, 2, 3, 4, 5], "fake": [7] + [0] * 19}
    log.started(5, PARAMS)
    log.probes(5, [rows[0], {**rows[1], "outputs": counts}, {**rows[2], "outputs": None}])
    log.close()
    loaded = EventAccumulator(str(tmp_path / "tensorboard/trial-00005/seed-0"), {"histograms": 0}).Reload()
    assert loaded.Tags()["histograms"] == ["discriminator/outputs_real", "discriminator/outputs_fake"]
    (event,) = loaded.Histograms("discriminator/outputs_real")
    value = event.histogram_value
    assert (event.step, value.num, value.min, value.max) == (rows[1]["update"], 15, 0, 1)
    assert value.bucket == counts["real"]
    assert value.bucket_limit == pytest.approx([(part + 1) / 20 for part in range(20)])
    assert value.sum == pytest.approx(1 * 0.775 + 2 * 0.825 + 3 * 0.875 + 4 * 0.925 + 5 * 0.975)


def test_nan_is_left_out_and_a_trial_without_a_seed_is_no_error(log: TensorBoardLog, tmp_path: Path) -> None:
    left = record(3, distance=math.nan, stability=math.nan)
    rows = [{**row, "distance": math.nan} for row in probes(3, left)]
    log.started(3, PARAMS)
    log.probes(3, rows)
    log.ended(left, "")
    tags = read(tmp_path / "tensorboard/trial-00003/seed-0").Tags()["scalars"]
    assert not {"stability/score", "quality/distance"} & set(tags)
    log.started(4, PARAMS)
    log.ended(a_record(4), "")


def test_a_resumed_trial_hides_the_steps_that_it_repeats(tmp_path: Path) -> None:
    left = record(0)
    rows = probes(0, left)
    first = begun(Folder(tmp_path))
    first.started(0, PARAMS)
    first.probes(0, [{**row, "p_real": 0.0} for row in rows[:8]])
    first.close()
    again = begun(Folder(tmp_path))
    again.started(0, PARAMS)
    again.probes(0, rows[5:])
    again.ended(left, "")
    path = tmp_path / "tensorboard/trial-00000/seed-0"
    events = read(path).Scalars("discriminator/p_real")
    assert [event.step for event in events] == [row["update"] for row in rows]
    assert [event.value for event in events[:5]] == [0.0] * 5
    assert all(event.value > 0 for event in events[5:])
    assert len(list((tmp_path / "tensorboard").glob("events.*"))) == 1


def test_files_are_closed_when_a_trial_ends(log: TensorBoardLog) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("open files are counted in /proc")
    before = len(list(descriptors.iterdir()))
    for number in range(10):
        left = record(number)
        log.started(number, PARAMS)
        log.probes(number, probes(number, left)[:2])
        log.ended(left, "")
    assert len(list(descriptors.iterdir())) <= before
