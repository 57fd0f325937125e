"""Features from networks of Hugging Face's transformers: CLIP and DINOv2 of pictures, CLAP of sounds, GPT-2 of texts.

Their weights are what the user has downloaded, and safetensors: nothing is unpickled, and nothing downloaded here.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gansearch.gan.options import option_error
from gansearch.gan.readers.datasets import package
from gansearch.gan.readers.files import reason

_AT_ONCE = 50
"""Samples in a batch."""
_CLAP_RATE = 48_000
CLAP_SECONDS = 10.0
"""Of a longer sound the library's companion takes a part, at a place that it draws."""
_LONGEST = 512
"""Tokens of a text that count."""


@dataclass(frozen=True)
class _Source:
    model: str
    """The class in transformers."""
    name: str
    """Of the weights, on the Hub."""
    output: str
    """Of what the network gives."""
    companion: str = ""
    """The class that prepares its inputs, where that is not done here."""
    side: int = 0
    """Pixels of a picture; 0 for what the network was trained with."""
    mean: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()


_SOURCES = {
    "clip": _Source(  # as CMMD has it (Jayasumana et al. 2024, section 4)
        *("CLIPVisionModelWithProjection", "openai/clip-vit-large-patch14-336", "image_embeds"),
        mean=(0.48145466, 0.4578275, 0.40821073),
        spread=(0.26862954, 0.26130258, 0.27577711),
    ),
    "dinov2": _Source(  # as Stein et al. 2023 have it (arXiv 2306.04675)
        *("Dinov2Model", "facebook/dinov2-large", "pooler_output"),
        side=224,
        mean=(0.485, 0.456, 0.406),
        spread=(0.229, 0.224, 0.225),
    ),
    "clap": _Source(
        *("ClapAudioModelWithProjection", "laion/clap-htsat-unfused", "audio_embeds"), companion="ClapFeatureExtractor"
    ),
    "gpt2": _Source("AutoModel", "openai-community/gpt2-large", "last_hidden_state", companion="AutoTokenizer"),
}


@dataclass(frozen=True, eq=False)
class Network:
    """A network with what prepares its inputs."""

    source: _Source
    model: Any
    companion: Any

    @property
    def width(self) -> int:
        """Of its features."""
        return int(getattr(self.model.config, "projection_dim", self.model.config.hidden_size))

    def __call__(self, **inputs: Tensor) -> Tensor:
        """Returns what the network gives for a batch, float32 on the CPU; it computes on a GPU where there is one."""
        device = "cuda" if torch.cuda.is_available() else "cpu"  # not when it is loaded: a process that forks cannot
        self.model.to(device)
        moved = {name: tensor.to(device) for name, tensor in inputs.items()}
        with torch.no_grad():
            found: Tensor = getattr(self.model(**moved), self.source.output).float().cpu()
        return found


@functools.cache
def network(name: str, weights: str = "") -> Network:
    """Returns a network, on the CPU. transformers says no more than errors from then on.

    `weights` is a folder as `save_pretrained` writes it, or `hf:NAME` for other weights of the cache. Raises TaskError
    where the package or the weights are missing.
    """
    source = _SOURCES[name]
    transformers = package("transformers", "features", f"features: {name} needs a package")
    if weights and not weights.startswith("hf:") and not Path(weights).is_dir():
        raise option_error("weights", f"{weights} is not a folder of weights as save_pretrained writes it")
    where = weights.removeprefix("hf:") or source.name
    options = {"local_files_only": True, "use_safetensors": True, "output_loading_info": True}
    transformers.utils.logging.disable_progress_bar()  # which would start a thread, and processes are forked
    transformers.utils.logging.set_verbosity_error()
    try:
        model, found = getattr(transformers, source.model).from_pretrained(where, **options)
        if found["missing_keys"]:  # they are drawn at random
            raise ValueError(f"they are of another network, without {min(found['missing_keys'])}")
        companion = source.companion and getattr(transformers, source.companion)
        companion = companion and companion.from_pretrained(where, local_files_only=True)
    except Exception as error:  # noqa: BLE001 (files of the user's that are none, or cut short, raise anything)
        remedy = f"hf download {source.name} gets those of the literature, and weights: FOLDER names others"
        raise option_error("weights", f"those of {name} cannot be had ({reason(error)}); {remedy}") from None
    return Network(source, model.float().eval(), companion)


def picture_features(images: Tensor, network: Network) -> Tensor:
    """Returns (N, width) features of (N, 1 | 3, H, W) images in [-1, 1], which are rounded to bytes as in a file."""
    side = network.source.side or network.model.config.image_size
    mean, spread = (torch.tensor(values)[:, None, None] for values in (network.source.mean, network.source.spread))

    def prepared(part: Tensor) -> Tensor:
        bytes_of = ((part + 1) * 127.5).round().clamp(0, 255).expand(-1, 3, -1, -1) / 255
        resized = F.interpolate(bytes_of, (side, side), mode="bicubic", antialias=True).clamp(0, 1)
        return (resized - mean) / spread

    return torch.cat([network(pixel_values=prepared(part)) for part in images.split(_AT_ONCE)])


def sound_features(sounds: Tensor, network: Network, rate: int) -> Tensor:
    """Returns (N, width) features of (N, 1, T) sounds in [-1, 1] at `rate` samples a second."""
    from scipy.signal import resample_poly

    common = gcd(_CLAP_RATE, rate)

    def features(part: Tensor) -> Tensor:
        resampled = resample_poly(part[:, 0].double().numpy(), _CLAP_RATE // common, rate // common, axis=1)
        prepared = network.companion(list(resampled), sampling_rate=_CLAP_RATE, return_tensors="pt")
        return network(input_features=prepared["input_features"].float(), is_longer=prepared["is_longer"])

    return torch.cat([features(part) for part in sounds.split(_AT_ONCE)])


def text_features(texts: Sequence[str], weights: str = "") -> Tensor:
    """Returns (N, width) states of GPT-2 behind the last token of each text, as MAUVE has them."""
    gpt2 = network("gpt2", weights)
    tokens = [gpt2.companion(text or " ", truncation=True, max_length=_LONGEST)["input_ids"] for text in texts]
    found = []
    for start in range(0, len(tokens), _AT_ONCE):
        part = [torch.tensor(ids) for ids in tokens[start : start + _AT_ONCE]]
        padded = torch.nn.utils.rnn.pad_sequence(part, batch_first=True)
        last = torch.tensor([len(ids) - 1 for ids in part])
        mask = torch.arange(padded.shape[1]) <= last[:, None]
        found.append(gpt2(input_ids=padded, attention_mask=mask.long())[torch.arange(len(part)), last])
    return torch.cat(found)
