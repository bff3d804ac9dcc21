"""Which network looks at pictures, and how they are shown to it."""

from pathlib import Path
from typing import Literal

from tasks.pictures.parameters import Averaging, Mode, Resize
from tasks.running.parameters import Parameters

Precision = Literal["float32", "bfloat16"]
Preprocessing = Literal["imagenet", "rescale"]
# What computes it: OpenVINO only looks, TensorFlow trains as well.
Runtime = Literal["tensorflow", "openvino"]


class Extraction(Parameters):
    """All that decides a feature; without a backbone the features are the resized pixels.

    With others `beside` it, features are the averages of all their maps.
    """

    backbone: str | None
    image_size: int
    channels: int = 3
    resize: Resize = "squash"
    preprocessing: Preprocessing | Literal["own"] = "imagenet"  # of a file: inside it
    mode: Mode = "none"
    precision: Precision = "float32"
    runtime: Runtime = "tensorflow"
    layer: str | None = None
    views: int = 0
    averaging: Averaging = "none"
    weights: Path | None = None
    beside: tuple["Extraction", ...] = ()
