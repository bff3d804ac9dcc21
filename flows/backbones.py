"""The backbones that there are, and how each was trained to be shown pixels.

No step imports this table: an experiment's parameters tell `extract` the mode of their backbone,
so that one more row reruns nothing.
"""

from tasks.features.parameters import Preprocessing
from tasks.pictures.parameters import Mode

# EfficientNet-Lite, by the side that each was trained at.
LITE = {"EfficientNetLite0": 224, "EfficientNetLite1": 240, "EfficientNetLite2": 260}
# Those whose weights may be a file that the user has.
WITH_WEIGHTS = frozenset({"VGG16", *LITE})

# How each network of keras.applications was trained (its `preprocess_input`). "none": the network
# holds its own rescaling.
MODES: dict[str, Mode] = {
    **dict.fromkeys(("VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152"), "caffe"),
    **dict.fromkeys(
        ("Xception", "InceptionV3", "InceptionResNetV2", "MobileNet", "MobileNetV2",
         "ResNet50V2", "ResNet101V2", "ResNet152V2", "NASNetMobile", "NASNetLarge"),
        "tf",
    ),
    **dict.fromkeys(("DenseNet121", "DenseNet169", "DenseNet201"), "torch"),
    **dict.fromkeys((f"EfficientNetB{size}" for size in range(8)), "none"),
    **dict.fromkeys((f"EfficientNetV2B{size}" for size in range(4)), "none"),
    **dict.fromkeys((f"EfficientNetV2{size}" for size in "SML"), "none"),
    **dict.fromkeys((f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large")), "none"),
    **dict.fromkeys(("MobileNetV3Small", "MobileNetV3Large"), "none"),
    **dict.fromkeys(LITE, "lite"),
}  # fmt: skip


def mode_of(backbone: str, preprocessing: Preprocessing) -> Mode:
    """How pixels are shown to a backbone; KeyError for one that is not in MODES."""
    return MODES[backbone] if preprocessing == "imagenet" else "rescale"
