"""A pretrained network at work in OpenVINO: from RGB pixels to features, without TensorFlow.

With tasks/pictures this is all that decides a feature's value there: its code is part of the name
of every feature space that OpenVINO computes.
"""

from pathlib import Path
from typing import Any

import numpy as np

from storage.errors import ParameterError
from tasks.features import efficientnet_lite
from tasks.features.openvino_layers import OpenVinoLayers
from tasks.pictures.parameters import Mode
from tasks.pictures.preprocessing import LITE_DEVIATION, LITE_MEAN
from tasks.running.openvino import load_openvino

# EfficientNet-Lite sees pixels times the first, plus the second.
SCALES = {
    "lite": (1 / LITE_DEVIATION, -LITE_MEAN / LITE_DEVIATION),
    "rescale": (1 / 255, 0.0),
}
CHANNELS_FIRST, CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def lite(name: str, side: int, mode: Mode, layer: str | None, weights: Path | None) -> Any:
    """An OpenVINO model from (1, side, side, 3) RGB in [0, 255] to EfficientNet-Lite's features.

    They are those of the Keras model that efficientnet_lite.py builds, layers have the same names;
    ParameterError for a layer that is none. WeightsMissing, WeightsDamaged.
    """
    make = OpenVinoLayers(iter(efficientnet_lite.arrays_of(name, weights)))
    operations = make.operations
    pixels = operations.parameter([1, side, side, 3], np.float32, name="pixels")
    scale, offset = (np.array(value, np.float32) for value in SCALES[mode])
    x = operations.add(operations.multiply(pixels, scale), offset)
    x = operations.transpose(x, np.array(CHANNELS_FIRST))
    last = efficientnet_lite.chained(make, name, x)
    if layer is not None and layer not in make.nodes:
        raise ParameterError(
            f"{name} has no layer {layer!r}: expected one of {', '.join(make.nodes)}"
        )
    cut = last if layer is None else make.nodes[layer]
    features = operations.transpose(cut, np.array(CHANNELS_LAST))
    return load_openvino().Model([features], [pixels], name)
