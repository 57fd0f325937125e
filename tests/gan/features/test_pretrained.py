"""Networks of transformers, small ones with random weights: the code that loads the large ones loads them."""

import math
import sys

import pytest
import torch

from gansearch import distances
from gansearch.gan import check_task, load_task
from gansearch.gan.data import data_of
from gansearch.gan.features.named import features_named
from gansearch.gan.features.pretrained import network, text_features
from gansearch.gan.task import TaskError
from tests.gan.pictures import fill


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A folder of weights for each network."""
    t = pytest.importorskip("transformers", reason="pip install 'gansearch[features]'")
    tokenizers = pytest.importorskip("tokenizers")
    folder = tmp_path_factory.mktemp("weights")
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    clip = t.CLIPVisionConfig(**small, intermediate_size=16, image_size=32, patch_size=8, projection_dim=12)
    clap = t.ClapAudioConfig(
        **{"hidden_size": 16, "projection_dim": 12, "patch_embeds_hidden_size": 8, "enable_fusion": False},
        **{"depths": [1, 1], "num_attention_heads": [1, 2]},
    )
    words = tokenizers.models.WordLevel({"[UNK]": 0, "a": 1, "b": 2, "c": 3}, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(words)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    gpt2 = t.GPT2Config(vocab_size=4, n_embd=16, n_layer=1, n_head=2, n_positions=64, bos_token_id=0, eos_token_id=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parts = {
            "clip": [t.CLIPVisionModelWithProjection(clip)],
            "dinov2": [t.Dinov2Model(t.Dinov2Config(**small, image_size=28, patch_size=14))],
            "clap": [t.ClapAudioModelWithProjection(clap), t.ClapFeatureExtractor(truncation="rand_trunc")],
            "gpt2": [t.GPT2Model(gpt2), t.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]")],
        }
    for name, some in parts.items():
        for part in some:
            part.save_pretrained(folder / name)
    return folder


PICTURES = torch.rand(120, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize(("name", "width"), [("clip", 12), ("dinov2", 16)])
def test_pictures_have_features(weights, name, width):
    features = features_named(name, str(weights / name))
    assert features.width == width
    found = features(PICTURES)
    assert found.shape == (120, width)
    assert found.isfinite().all()
    assert torch.allclose(found[50:60], features(PICTURES[50:60]), atol=1e-5)  # whatever the batch
    assert torch.allclose(features(PICTURES.expand(-1, 3, -1, -1)), found, atol=1e-5)  # grey or in colour
    assert not torch.allclose(found[:1], found[1:2], atol=1e-5)


def test_distances_of_pictures(weights):
    real, fake = PICTURES[:60], PICTURES[60:]
    near, far = (distances.cmmd(real, some, weights=str(weights / "clip")) for some in (fake, fake * 0.1 + 0.8))
    assert 0 < near["distance"] < far["distance"]
    assert far["distance"] == pytest.approx(far["cmmd"], rel=0.1)
    assert "fd_dinov2_infinity" in distances.fd_dinov2(real, fake, weights=str(weights / "dinov2"))
    with pytest.raises(TaskError, match="fd_dinov2 of 30 held-out samples"):
        distances.fd_dinov2(real[:30], fake[:30], weights=str(weights / "dinov2"))


def test_sounds_have_a_frechet_audio_distance(weights):
    seconds = torch.arange(2_000) / 8_000
    pitches = 200 + 400 * torch.rand(40, 1, 1, generator=torch.Generator().manual_seed(0))
    tones, noise = (2 * math.pi * pitches * seconds).sin(), torch.rand(40, 1, 2_000) - 0.5
    near, far = (
        distances.fad(tones[:20].repeat(2, 1, 1), some, 8_000, str(weights / "clap")) for some in (tones, noise)
    )
    assert 0 < near["distance"] < far["distance"]


def test_texts_have_the_state_behind_their_last_token(weights):
    found = text_features(["abc", "a", "", "abcabcabc"], str(weights / "gpt2"))
    assert found.shape == (4, 16)
    alone = torch.cat([text_features([text], str(weights / "gpt2")) for text in ("abc", "a", "", "abcabcabc")])
    assert torch.allclose(found, alone, atol=1e-5)  # what others in the batch are padded with makes no difference
    texts = ["abc", "cab", "b", "aa"] * 15
    same, other = (distances.mauve(texts, some, str(weights / "gpt2")) for some in (texts, ["ccc", "b"] * 30))
    assert same["distance"] < other["distance"]


def test_a_task_measures_by_them(weights, tmp_path):
    fill(tmp_path, 60)
    task = load_task(
        "images", {"path": str(tmp_path), "size": 16, "distance": "cmmd", "weights": str(weights / "clip")}
    )
    check_task(task)
    held_out = data_of(task, torch.device("cpu")).held_out
    assert set(task.quality(held_out, -held_out)) == {"distance", "cmmd", "cmmd_error", "coverage"}
    assert "cmmd on 12 features (clip) of 12 held-out samples" in task.described()[0]
    assert not [line for line in task.warnings() if "distance" in line]


def test_weights_of_another_network_are_refused(weights):
    with pytest.raises(TaskError, match=r"weights: those of dinov2 cannot be had \(ValueError: they are of another"):
        network("dinov2", str(weights / "clip"))


def test_pickled_weights_are_not_loaded(weights, tmp_path):
    torch.save(network("clip", str(weights / "clip")).model.state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_bytes((weights / "clip" / "config.json").read_bytes())
    with pytest.raises(TaskError, match=r"no file named model\.safetensors"):
        network("clip", str(tmp_path))


def test_missing_weights_say_how_to_get_them(weights, tmp_path, monkeypatch):
    with pytest.raises(TaskError, match="weights: nowhere is not a folder of weights"):
        network("clip", "nowhere")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(TaskError, match=r"cannot be had .*hf download openai/clip-vit-large-patch14-336 gets"):
        network("clip", "hf:nobody/nothing")


def test_without_transformers_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(TaskError, match=r"features: clip needs a package .*pip install 'gansearch\[features\]'"):
        network("clip", "/none")
