"""From RGB pixels in [0, 255] to what a backbone expects, as Keras layers that can be saved."""

from typing import Any

from storage.errors import ParameterError
from tasks.pictures.parameters import Mode
from tasks.running.tensorflow import load_keras

# Mean pixel of ImageNet in BGR, subtracted when VGG was trained (Simonyan and Zisserman 2014, 2.1).
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
# EfficientNet-Lite's, the same for each channel, so that it can be computed in 8 bits.
LITE_MEAN, LITE_DEVIATION = 127.0, 128.0
TORCH_MEAN_RGB = (0.485, 0.456, 0.406)
TORCH_DEVIATION_RGB = (0.229, 0.224, 0.225)


def preprocess(pixels: Any, mode: Mode) -> Any:
    """Symbolic (n, height, width, 3) RGB in [0, 255] to the input of a network of this mode."""
    layers = load_keras().layers
    if mode == "rescale":
        return layers.Rescaling(1 / 255, dtype="float32")(pixels)
    if mode == "tf":
        return layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32")(pixels)
    if mode == "lite":
        middle = -LITE_MEAN / LITE_DEVIATION
        return layers.Rescaling(1 / LITE_DEVIATION, offset=middle, dtype="float32")(pixels)
    if mode == "torch":
        scaled = layers.Rescaling(1 / 255, dtype="float32")(pixels)
        variance = [deviation**2 for deviation in TORCH_DEVIATION_RGB]
        return layers.Normalization(mean=list(TORCH_MEAN_RGB), variance=variance, dtype="float32")(
            scaled
        )
    if mode == "caffe":
        # VGG16 was trained on BGR means, not on [0, 1]: rescaling costs 7 points of accuracy.
        bgr = load_keras().ops.flip(pixels, axis=-1)
        offset = [-mean for mean in CAFFE_MEAN_BGR]
        return layers.Rescaling(1.0, offset=offset, dtype="float32")(bgr)
    if mode == "none":
        return pixels
    raise ParameterError(f"expected a way to show pixels to a network, found {mode!r}")
