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

_LAYER = "2048"
"""The last pooling, as FID has it (Heusel et al. 2017)."""
_AT_ONCE = 50
"""Images in a batch."""


@functools.cache
def network() -> Any:
    """Returns torch-fidelity's port of TensorFlow's network, on a GPU where there is one.

    Its weights, some 90 MB, are downloaded once into torch's cache. Raises TaskError where the package or the weights
    are missing.
    """
    module = package(
        "torch_fidelity.feature_extractor_inceptionv3", "inception", "task_options.features: inception needs a package"
    )
    try:
        extractor = module.FeatureExtractorInceptionV3("inception-v3-compat", [_LAYER])
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:  # no network, no space, a file cut short
        raise option_error(
            "features",
            f"the weights of inception cannot be had ({reason(error)}); download them where there is a network and "
            "copy torch's cache (~/.cache/torch/hub) to this machine, or write features: random",
        ) from None
    return extractor.to("cuda" if torch.cuda.is_available() else "cpu")


def inception_features(images: Tensor) -> Tensor:
    """Returns (N, 2048) features of (N, 1 | 3, H, W) images in [-1, 1] on the CPU. Raises TaskError as `network`."""
    pixels = ((images + 1) * 127.5).round().clamp(0, 255).byte().expand(-1, 3, -1, -1)
    device = next(network().parameters()).device
    with torch.no_grad():
        return torch.cat([network()(part.to(device))[0].cpu() for part in pixels.split(_AT_ONCE)])
