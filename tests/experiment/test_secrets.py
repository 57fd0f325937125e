"""Passwords in URLs and under names that say so, which nothing that is written or displayed holds."""

import pytest

from gansearch.experiment import Experiment, ExperimentError, masked, masked_data
from gansearch.experiment.secrets import left_out

HIDDEN = "hunter2"
TEXTS = {
    f"http://me:{HIDDEN}@host:5000/a": "http://***@host:5000/a",
    f"postgresql+psycopg2://me:{HIDDEN}@host/db?sslmode=require": "postgresql+psycopg2://***@host/db?sslmode=require",
    f"https://{HIDDEN}@github.com/a.git": "https://***@github.com/a.git",
    f"mysql://me:p@{HIDDEN}@host/db": "mysql://***@host/db",
    f"s3://bucket/a?endpoint_override=http%3A%2F%2Fme%3A{HIDDEN}%40host&region=x": (
        "s3://bucket/a?endpoint_override=http%3A%2F%2F***@host&region=x"
    ),
    f"s3://bucket/a?endpoint_override=http://me:{HIDDEN}@host": "s3://bucket/a?endpoint_override=http://***@host",
    f"https://host/a?X-Amz-Signature={HIDDEN}&b=c": "https://host/a?X-Amz-Signature=***&b=c",
    f"https://host/a?b=c&access_token={HIDDEN}": "https://host/a?b=c&access_token=***",
    f"https://account.blob.core/a?sv=1&sig={HIDDEN}": "https://account.blob.core/a?sv=1&sig=***",
    f"host=db user=me password={HIDDEN} port=5": "host=db user=me password=*** port=5",
    f"--set task_options.api_key={HIDDEN} --quiet": "--set task_options.api_key=*** --quiet",
    f"error at 'redis://:{HIDDEN}@host:6379/0': refused": "error at 'redis://***@host:6379/0': refused",
}
KEPT = [
    *("s3://bucket/a?region=x", "http://host/@user", "me@host.org", "sqlite:///a@b.db", "user@host:/path", "lr=0.1"),
    *("task: ./my_gan.py:Mine", "keyword=1", "tokens=512", "/data/a=b", "hf:name", "key: value"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_secrets_in_texts_are_masked(text):
    assert masked(text) == TEXTS[text]
    assert masked(masked(text)) == TEXTS[text]


@pytest.mark.parametrize("text", KEPT)
def test_other_texts_are_kept(text):
    assert masked(text) == text


def test_names_say_what_is_a_secret():
    data = {"password": HIDDEN, "db": {"api_key": [HIDDEN], "url": f"http://a:{HIDDEN}@b"}, "token": "<pad>", "n": 5}
    masked = masked_data(data)
    assert masked == {"password": "***", "db": {"api_key": ["***"], "url": "http://***@b"}, "token": "<pad>", "n": 5}
    assert sorted(left_out(masked)) == ["db.api_key[0]", "db.url", "password"]
    assert [*left_out({"a": "**", "b": 3, "c": None, "d": "http://host"})] == []


def test_an_experiment_is_written_without_them_and_asks_for_them_again():
    fields = {
        "name": "a",
        "task": "./mine.py:Mine",
        "task_options": {"url": f"http://a:{HIDDEN}@b", "password": HIDDEN},
    }
    fields["trackers"] = {"mlflow": {"tracking_uri": f"http://a:{HIDDEN}@b"}}
    experiment = Experiment.parse(fields)
    experiment.check_secrets()
    assert HIDDEN not in experiment.to_yaml()
    assert experiment.to_yaml(secrets=True).count(HIDDEN) == 3
    from gansearch.experiment import load_yaml

    again = Experiment.parse(load_yaml(experiment.to_yaml()))
    with pytest.raises(ExperimentError) as error:
        again.check_secrets()
    assert set(error.value.errors) == {"task_options.url", "task_options.password", "trackers.mlflow.tracking_uri"}
    assert "--set task_options.url=" in str(error.value)
