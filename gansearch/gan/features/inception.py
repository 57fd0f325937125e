"""Features of photographs: Inception v3's, by which the Fréchet distance is the FID of the literature."""

from __future__ import annotations

import functools
import pickle
from typing import Any

import torch
from torch import Tensor

from gansearch.gan.options import option_error
from gansearch.gan.readers.datasets import package
from gansearch.gan.readers.files import reason

WIDTH = 2048
_LAYER = "2048"
"""The last pooling, as FID has it (Heusel et al. 2017)."""
_AT_ONCE = 50
"""Images in a batch."""
_REMEDY = (
    "download them where there is a network and copy torch's cache (~/.cache/torch/hub) to this machine, give a file, "
    "weights: PATH, or write features: random"
)


@functools.cache
def network(weights: str = "") -> Any:
    """Returns torch-fidelity's port of TensorFlow's network, on the CPU.

    `weights` is a file of them. Without it, some 90 MB are downloaded once into torch's cache. Raises TaskError where
    the package or the weights are missing.
    """
    module = package("torch_fidelity.feature_extractor_inceptionv3", "inception", "features: inception needs a package")
    try:
        # The package unpickles what it loads: what is loaded here before, the same file, holds nothing but tensors.
        if weights:
            torch.load(weights, map_location="cpu", weights_only=True)
        else:
            torch.hub.load_state_dict_from_url(module.URL_INCEPTION_V3, map_location="cpu", weights_only=True)
        extractor = module.FeatureExtractorInceptionV3(
            "inception-v3-compat", [_LAYER], feature_extractor_weights_path=weights or None
        )
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:  # no network, no space, a file cut short
        which = f"{weights or 'the weights of inception'} cannot be had ({reason(error)})"
        raise option_error("weights", f"{which}; {_REMEDY}") from None
    return extractor


def inception_features(images: Tensor, weights: str = "") -> Tensor:
    """Returns (N, 2048) features of (N, 1 | 3, H, W) images in [-1, 1] on the CPU. Raises TaskError as `network`.

    They are computed on a GPU where there is one.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    extractor = network(weights).to(device)
    pixels = ((images + 1) * 127.5).round().clamp(0, 255).byte().expand(-1, 3, -1, -1)
    with torch.no_grad():
        return torch.cat([extractor(part.to(device))[0].cpu() for part in pixels.split(_AT_ONCE)])
