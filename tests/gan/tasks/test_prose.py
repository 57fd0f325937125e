import sysconfig
from pathlib import Path

import pytest
import torch

from gansearch.experiment import Training
from gansearch.gan import TaskError, Trainer, check_task, load_task
from gansearch.gan.readers.text import OTHER, read_windows

LICENCE = next(Path(sysconfig.get_path("stdlib")).glob("LICENSE*"))


@pytest.fixture
def licence(tmp_path):
    (tmp_path / "licence.txt").write_text(LICENCE.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def test_the_licence_of_python_is_read_trained_on_and_shown(licence):
    task = load_task("prose", {"path": str(licence), "width": 8, "blocks": 1, "length": 16})
    check_task(task)
    trainer = Trainer(task, Training(updates=10, batch_size=8))
    for _ in trainer.run():
        pass
    result = trainer.result()
    assert result.status == "complete"
    assert 0 < result.quality["distance"] <= 1
    assert 0 <= result.quality["unseen_words"] <= 1
    shown = task.shown(result.samples[:3])
    assert shown["kind"] == "text"
    assert [len(text) for text in shown["texts"]] == [16] * 3


def test_reals_are_the_text_window_by_window(licence):
    task = load_task("prose", {"path": str(licence), "characters": 256})
    text = " ".join(LICENCE.read_text(encoding="utf-8").split())
    shown = task.shown(task.real()[:20].numpy())["texts"]
    assert "".join(shown) == text[: 20 * 32]
    assert torch.equal(task.real().sum(1), torch.ones(len(text) // 32, 32))
    assert task.warnings() == []


def test_fakes_are_one_hot_and_have_gradients(licence):
    task = load_task("prose", {"path": str(licence), "width": 8})
    generator = task.generator()
    fake = generator(torch.randn(4, 64))
    assert torch.allclose(fake.max(1).values, torch.ones(4, 32))
    assert torch.allclose(fake.sum(1), torch.ones(4, 32))
    task.discriminator()(fake).sum().backward()
    assert float(generator[0].weight.grad.abs().sum()) > 0


def test_quality_knows_text_from_its_letters_shuffled(licence):
    task = load_task("prose", {"path": str(licence)})
    real = task.real()
    same = task.quality(real[::2], real[1::2])
    shuffled = real[1::2].transpose(1, 2).reshape(-1, real.shape[1])
    shuffled = shuffled[torch.randperm(len(shuffled), generator=torch.Generator().manual_seed(0))]
    worse = task.quality(real[::2], shuffled.view(-1, 32, real.shape[1]).transpose(1, 2))
    assert worse["distance"] > 1.3 * same["distance"]
    assert same["unseen_words"] < 0.02  # a window cuts the words at its ends, which are not counted
    assert worse["unseen_words"] > 0.5


def test_rare_characters_are_mapped_to_one_and_told(tmp_path):
    (tmp_path / "a.txt").write_text("ab " * 1_000 + "xyz", encoding="utf-8")
    windows = read_windows(str(tmp_path), 8, 4, False)
    assert windows.alphabet == " ab" + OTHER
    assert windows.warnings == [
        f"3 characters are rarer than the 3 that are learned; {OTHER} stands for them (0.10% of the text)"
    ]


def test_upper_case_may_be_taken_as_lower(tmp_path):
    (tmp_path / "a.txt").write_text("AbaB " * 200, encoding="utf-8")
    assert read_windows(str(tmp_path), 8, 64, True).alphabet == " ab"
    assert read_windows(str(tmp_path), 8, 64, False).alphabet == " ABab"


def test_more_text_than_memory_allows_is_used_in_part(tmp_path, monkeypatch):
    monkeypatch.setattr("gansearch.gan.readers.text.MOST_NUMBERS", 60 * 8 * 3)
    (tmp_path / "a.txt").write_text("ab " * 1_000, encoding="utf-8")
    windows = read_windows(str(tmp_path), 8, 64, False)
    assert len(windows.codes) == 60
    assert "of 374 windows 60" in windows.warnings[0]


def test_a_file_that_is_no_text_is_skipped_and_told(licence):
    (licence / "picture.txt").write_bytes(b"\xff\xd8\xff\xe0")
    task = load_task("prose", {"path": str(licence)})
    check_task(task)
    assert task.warnings()[0].startswith("1 of 2 files cannot be read and is left out, first ")
    assert task.warnings()[0].endswith("picture.txt: is not UTF-8 (byte 0)")


@pytest.mark.parametrize(
    ("text", "part"),
    [(" \n ", "holds no text"), ("short", "0 windows of 32 characters in 5 characters of text, but at least 50")],
)
def test_too_little_text_is_told(tmp_path, text, part):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(TaskError, match=r"task_options\.path: .*" + part):
        check_task(load_task("prose", {"path": str(tmp_path)}))


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"length": 4}, "length: must be at least 8"),
        ({"characters": 1}, "characters: must be 2 to 256"),
        ({"temperature": 0}, "temperature: must be a number above 0, not 0"),
        ({"lowercas": True}, 'did you mean "lowercase"'),
    ],
)
def test_options_that_cannot_be_are_told(options, part):
    with pytest.raises(TaskError, match=part):
        load_task("prose", options)
