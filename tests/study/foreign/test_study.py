"""A study of somebody else, opened: table, best trial, page and command."""

import optuna
import pytest

import gansearch
from gansearch.store.folder import StudyError
from gansearch.study.foreign.study import ForeignStudy, is_foreign, open_foreign
from tests.study.foreign.studies import filled, journal, judged, sqlite


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A study that recorded values alone."""
    path = tmp_path_factory.mktemp("plain") / "study.db"
    filled(sqlite(path))
    return path


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A study with the monitor's attributes."""
    path = tmp_path_factory.mktemp("watched") / "study.log"
    filled(journal(path), train=judged, trials=30)
    return path


def test_a_study_of_values_alone_has_its_best_trial_and_says_what_is_missing(plain):
    study = gansearch.load_study(plain)
    assert isinstance(study, ForeignStudy)
    best = optuna.load_study(study_name=None, storage=sqlite(plain)).best_trial
    assert study.best.number == best.number
    assert study.best.params == best.params
    assert study.counts == {"total": 24, "complete": 19, "pruned": 4, "failed": 1}
    assert study.verdicts == {}
    assert study.trials["stability"].isna().all()
    assert [text.split(":")[0].split(",")[0] for text in study.remarks] == [
        "No trial has a verdict",
        "No trial has a stability",
    ]
    assert set(study.importance) == {"value"}


def test_where_trials_have_verdicts_the_best_one_is_balanced_and_keeps_its_constraints(watched):
    study = open_foreign(watched)
    row = study.trials.set_index("number").loc[study.best.number]
    assert (row["verdict"], row["feasible"]) == ("balanced", True)
    assert study.verdicts.keys() == {"balanced", "collapsed"}
    assert any("break a constraint" in text for text in study.remarks)
    assert set(study.importance) == {"value", "stability"}


def test_where_none_is_balanced_there_is_no_best_but_what_came_closest(tmp_path):
    storage = journal(tmp_path / "log")
    study = filled(storage, trials=0)
    for value in (3.0, 2.0):
        trial = study.ask()
        trial.set_user_attr("verdict", "collapsed")
        study.tell(trial, value)
    opened = open_foreign(tmp_path / "log")
    assert opened.best is None
    assert opened.choice.number == 1
    assert opened.summary()["closest"]["value"] == 2.0
    assert opened.summary()["best"] is None


def test_a_maximised_objective_has_the_largest_value(tmp_path):
    filled(journal(tmp_path / "log"), direction="maximize")
    study = open_foreign(tmp_path / "log")
    assert (
        study.trials.set_index("number").loc[study.best.number, "value"]
        == study.trials.query("status == 'complete'")["value"].max()
    )


@pytest.mark.parametrize("name", ["plain", "watched"])
def test_the_page_shows_what_was_recorded_and_nothing_else(name, request, tmp_path):
    study = open_foreign(request.getfixturevalue(name))
    text = study.report(tmp_path / "page.html").read_text()
    assert ("Stability map" in text or 'id="stability-map"' in text) == (name == "watched")
    assert "nan" not in text.partition("<script>")[0].lower().replace("dominan", "")
    assert "<script>alert" not in text
    for remark in study.remarks:
        assert remark.split("(")[0][:40] in text


def test_an_empty_study_has_a_page(tmp_path):
    filled(journal(tmp_path / "log"), trials=0)
    study = open_foreign(tmp_path / "log")
    assert study.choice is None
    assert "No complete trial has a value" in study.report(tmp_path / "page.html").read_text()
    assert study.summary()["trials"]["total"] == 0


def test_names_that_are_ours_or_the_objectives_and_texts_of_a_stranger(tmp_path):
    study = filled(journal(tmp_path / "log"), name="<b>bold</b>\x1b[2J", trials=0)
    for i in range(12):
        trial = study.ask()
        trial.suggest_float("stability", 0, 1)
        trial.suggest_float("value", 0, 1)
        trial.suggest_categorical("<i>", ["</script>", "b"])
        trial.set_user_attr("verdict", ["balanced"])
        trial.set_user_attr("stability", "<b>")
        study.tell(trial, float(i))
    opened = open_foreign(tmp_path / "log")
    assert {"stability (parameter)", "value (parameter)"} <= set(opened.trials)
    text = opened.report(tmp_path / "page.html").read_text()
    assert "<b>bold" not in text
    assert "<i>" not in text.partition("</header>")[2].partition("<script>")[0]


def test_choices_that_are_lists_are_texts(tmp_path):
    study = filled(journal(tmp_path / "log"), trials=0)
    for i in range(8):
        trial = study.ask()
        trial.suggest_categorical("betas", [(0.0, 0.9), (0.5, 0.999)])
        study.tell(trial, float(i))
    opened = open_foreign(tmp_path / "log")
    assert opened.best.params["betas"] in ("[0.0, 0.9]", "[0.5, 0.999]")
    assert opened.report(tmp_path / "page.html").exists()


def test_whole_numbers_of_some_trials_keep_their_digits_and_a_chosen_none_is_one(tmp_path):
    study = filled(journal(tmp_path / "log"), trials=0)
    for i in range(4):
        trial = study.ask()
        trial.suggest_categorical("penalty", [None])
        if i < 3:
            trial.suggest_int("steps", 121_572, 121_572)
        study.tell(trial, float(i))
    opened = open_foreign(tmp_path / "log")
    assert opened.best.params == {"penalty": None, "steps": 121_572}
    assert opened.summary()["best"]["params"] == {"penalty": None, "steps": 121_572}
    text = opened.report(tmp_path / "page.html").read_text().partition("<script")[0]
    assert "121,572" in text
    assert "1.216e+05" not in text


def test_values_that_are_infinite_are_drawn_nowhere(tmp_path):
    study = filled(journal(tmp_path / "log"), trials=12)
    study.tell(study.ask(), float("inf"))
    opened = open_foreign(tmp_path / "log")
    opened.report(tmp_path / "page.html")
    assert opened.summary()["trials"]["total"] == 13


def test_a_sweep_of_ours_is_none_of_somebody_else_and_its_journal_is(finished):
    assert not is_foreign(finished.path)
    assert is_foreign(finished.journal)
    assert not is_foreign("s3://bucket/prefix")


def test_figures_that_need_what_was_not_recorded_say_so(plain):
    study = open_foreign(plain)
    for plot, part in [(study.plot_pareto, "stability"), (study.plot_curves, "trial")]:
        with pytest.raises(StudyError, match=part):
            plot()
    for call in (study.export, study.compare):
        with pytest.raises(StudyError, match="is no sweep of gansearch"):
            call()
    for plot in (study.plot_bands, study.plot_seeds):
        with pytest.raises(StudyError, match="no "):
            plot()
    assert study.default is None
    assert study.changes() == []
    assert "No samples" in study.show_samples()._repr_html_()
    assert "celeba" in study._repr_html_()
    with pytest.raises(StudyError, match="not one of value, stability"):
        study.plot_slices("fid")
    assert study.plot_slices().data
    assert study.plot_progress().data
    assert study.plot_parallel().data
    assert "celeba" in repr(study)
