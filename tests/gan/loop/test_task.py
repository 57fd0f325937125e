import pytest

from gansearch.gan import TaskError, load_task


@pytest.mark.parametrize(
    ("code", "name", "options", "part"),
    [
        ("def train(): pass", "train", {}, r"must take the trial: def train\(trial\)"),
        ("def train(*, trial): pass", "train", {}, "must take the trial"),
        ("def train(trial, path): pass", "train", {}, "also needs path"),
        ("def train(trial, path=1): pass", "train", {"paht": 1}, 'task_options.paht.*did you mean "path"'),
        ("def train(trial): pass", "train", {"trial": 1}, "task_options.trial: .* has no such option"),
        ("def train(trial): yield", "train", {}, "plain function"),
        ("train = 3", "train", {}, "is not a function train"),
        ("import gansearch\nclass train(gansearch.Task): pass", "train", {}, "give it a capital"),
        ("def Train(trial): pass", "Train", {}, "a function begins with a small letter"),
        ("def train(trial): pass", "trian", {}, 'did you mean "train"'),
        ("def train(trial: pass", "train", {}, "SyntaxError"),
    ],
)
def test_a_function_that_is_no_loop_is_refused(tmp_path, code, name, options, part):
    path = tmp_path / "my_loop.py"
    path.write_text(code + "\n")
    with pytest.raises(TaskError, match=part):
        load_task(f"{path}:{name}", options)
