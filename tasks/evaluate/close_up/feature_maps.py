"""What the channels of one layer make of one picture."""

from typing import Any, NamedTuple

import numpy as np

from storage.errors import ParameterError
from tasks.evaluate.close_up.layer_outputs import layers_with_maps, watched
from tasks.evaluate.shrinking import shrunk
from tasks.running.tensorflow import load_keras

MOST_CHANNELS = 32
MOST_SIDE = 128


class FeatureMaps(NamedTuple):
    """Some channels of a layer's output on one picture.

    `shape` is that of the whole output, `pixels` (channels, height, width) uint8: each channel
    from its lowest value to its highest, no longer than MOST_SIDE.
    """

    layer: str
    shape: tuple[int, int, int]
    channels: list[int]
    pixels: np.ndarray


def feature_maps(model: Any, layer: str | None, pixels: np.ndarray) -> FeatureMaps | None:
    """The MOST_CHANNELS channels with most variance, of `layer` or of the first convolution.

    `pixels` is one picture (height, width, 3) as `model` takes it. None if no layer is asked for
    and the model has no convolution; ParameterError if it has no such layer.
    """
    chosen = _layer(model, layer)
    if chosen is None:
        return None
    outputs: list[Any] = []
    with watched(chosen, outputs.append):
        _one_sided(model)(pixels[None].astype("float32"), training=False)
    return _most_varied(chosen.name, outputs[-1])


def _one_sided(model: Any) -> Any:
    """Of a model that takes the mean over a picture and its mirror image, the picture's side."""
    keras = load_keras()
    means = (one for one in model.layers if isinstance(one, keras.layers.Average))
    mean = next(means, None)
    return model if mean is None else keras.Model(model.input, mean.input[0])


def _layer(model: Any, name: str | None) -> Any:
    layers = layers_with_maps(model)
    if name is None:
        return next((one for one in layers if _looks_around(one)), None)
    found = next((one for one in layers if one.name == name), None)
    if found is None:
        raise ParameterError(
            f"look.layer: expected a layer with feature maps, found {name!r}; there are "
            f"{', '.join(one.name for one in layers)}"
        )
    return found


def _looks_around(layer: Any) -> bool:
    """Whether it is a convolution, and not only one of channels (as the grey of a picture is)."""
    layers = load_keras().layers
    kinds = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
    return isinstance(layer, kinds) and max(layer.kernel_size) > 1


def _most_varied(name: str, output: Any) -> FeatureMaps:
    # bfloat16, which a network may compute in, is no type of NumPy's.
    whole = np.asarray(load_keras().ops.cast(output[0], "float32"))
    order = np.argsort(-whole.var(axis=(0, 1)), kind="stable")[:MOST_CHANNELS]
    pixels = np.stack([_as_bytes(whole[:, :, channel]) for channel in order])
    height, width, depth = whole.shape
    return FeatureMaps(name, (height, width, depth), [int(one) for one in order], pixels)


def _as_bytes(channel: np.ndarray) -> np.ndarray:
    channel = shrunk(channel, MOST_SIDE)
    span = float(np.ptp(channel))
    return np.round((channel - channel.min()) * (255 / span if span else 0)).astype(np.uint8)
