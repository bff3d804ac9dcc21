"""Three words for how much time a result may take: what each sets."""

from typing import Any, Literal

from flows.settings import as_setting

Preset = Literal["fast", "good", "best"]

MEANT = {
    "fast": "a linear head on EfficientNetLite0's features.",
    "good": "on those of EfficientNetLite0 and 2 together, three times the time.",
    "best": "on changed views of pictures as well, predicting the mean over a picture and its "
    "mirror image, three times that.",
}

CHOSEN = {"kind": "features", "head": {"kind": "linear"}}
BOTH = CHOSEN | {"backbone": ["EfficientNetLite0", "EfficientNetLite2"]}
# Small shifts and zooms: what is shown stays what it is, whichever way up it has to be.
CHANGES = {"horizontal_flip": True, "zoom": 0.15, "width_shift": 0.1, "height_shift": 0.1}
PRESETS: dict[str, dict[str, Any]] = {
    "fast": {"model": CHOSEN | {"backbone": "EfficientNetLite0"}},
    "good": {"model": BOTH},
    "best": {
        "model": BOTH | {"views": 2, "averaging": "mirror"},
        "training.augmentation": CHANGES,
    },
}


def settings_of(preset: str | None) -> list[str]:
    """What comes before the settings that were given; nothing without a preset."""
    return [as_setting(*one) for one in PRESETS[preset].items()] if preset else []
