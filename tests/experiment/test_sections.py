from gansearch.experiment.sections import Sampler


def test_replicas_are_a_number_or_a_race(errors, load):
    text = "name: a\ntask: digits\nreplicas: "
    plain, earned = load(text + "3"), load(text + "{least: 2}")
    assert (plain.least_replicas, plain.most_replicas) == (3, 3)
    assert (earned.least_replicas, earned.most_replicas) == (2, 4)
    assert load(earned.to_yaml()) == earned
    assert errors(text + "0") == {"replicas": "must be greater than or equal to 1, not 0"}
    assert errors(text + "{least: 5}") == {"replicas": "least 5 is above most 4"}
    assert errors(text + "{leat: 1}") == {"replicas.leat": 'unknown field; did you mean "least"?'}
    assert errors(text + "{most: few}")["replicas.most"].endswith("not 'few'")


def test_a_trial_has_a_worker_for_each_gpu_by_default(load):
    def processes(resources):
        return load(f"{{name: a, task: digits, resources: {resources}}}").resources.processes

    given = {
        "{}": 1,
        "{gpus: 0.25}": 1,
        "{gpus: 4}": 4,
        "{gpus: auto, workers: 2}": 2,
        "{gpus: fill}": 1,
        "{gpus: 0, workers: 3}": 3,
    }
    assert {resources: processes(resources) for resources in given} == given
    memory = load("{name: a, task: digits, resources: {memory: 4GB}}")
    assert memory.resources.memory == 4_000_000_000
    assert "memory: 4000000000" in memory.to_yaml()


def test_a_sampler_has_options_of_its_own():
    assert Sampler(name="tpe", n_startup_trials=20).options == {"n_startup_trials": 20}


def test_trials_are_a_number_or_auto(errors, load):
    text = "name: a\ntask: digits\ntrials: "
    auto = load(text + "auto")
    assert (auto.trials, auto.most_trials) == ("auto", 1000)
    assert load(auto.to_yaml()) == auto
    assert load(text + "'7'").trials == load(text + "7").most_trials == 7
    assert errors(text + "0") == {"trials": "must be greater than or equal to 1, not 0"}
    population = text + "auto\nsampler: pbt\nsearch: {lr: {low: 1e-4, high: 1e-2}}"
    assert errors(population) == {"trials": "must be a number with sampler: pbt, whose trials train side by side"}
