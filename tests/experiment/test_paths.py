from gansearch.experiment.paths import data_path


def test_paths_are_relative_to_the_file(load, tmp_path):
    experiment = load("{name: a, task: './my_gan.py:Mine', task_options: {path: data}}")
    assert experiment.task == f"{tmp_path / 'my_gan.py'}:Mine"
    assert experiment.task_options["path"] == str(tmp_path / "data")


def test_names_of_data_sets_are_no_paths(load):
    assert data_path({"path": "hf:mnist"}) is data_path({"path": 3}) is data_path({}) is None
    assert load("{name: a, task: images, task_options: {path: 'hf:mnist'}}").task_options == {"path": "hf:mnist"}


def test_start_points_and_earlier_sweeps_are_relative_to_the_file(load, tmp_path):
    experiment = load("{name: a, task: ring, warm_start: old, start_from: [dcgan, best.yaml, {lr: 1e-3}]}")
    assert experiment.warm_start == str(tmp_path / "old")
    assert experiment.start_from == ["dcgan", str(tmp_path / "best.yaml"), {"lr": 1e-3}]


def test_weights_are_relative_to_the_file_too(load, tmp_path):
    options = load("{name: a, task: images, task_options: {path: a, weights: b/c}}").task_options
    assert options["weights"] == str(tmp_path / "b/c")
    assert load("{name: a, task: images, task_options: {weights: 'hf:a/b'}}").task_options == {"weights": "hf:a/b"}
