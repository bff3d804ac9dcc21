"""Three words for how much time a result may take: what each sets."""

from typing import Any, Literal

from flows.settings import as_setting

Preset = Literal["fast", "good", "best"]

MEANT = {
    "fast": "a linear head on EfficientNetLite0's features.",
    "good": "on those of EfficientNetLite0 and 2 together, twice the time.",
    "best": "XX",
}

CHOSEN = {"kind": "features", "head": {"kind": "linear"}, "precision": "auto"}
FAST: dict[str, Any] = {
    "model": CHOSEN | {"backbone": "EfficientNetLite0"},
    "training.calibration": "temperature",
}
GOOD = FAST | {"model": CHOSEN | {"backbone": ["EfficientNetLite0", "EfficientNetLite2"]}}
PRESETS: dict[str, dict[str, Any]] = {"fast": FAST, "good": GOOD}


def settings_of(preset: str | None) -> list[str]:
    """What comes before the settings that were given; nothing without a preset."""
    return [as_setting(*one) for one in PRESETS[preset].items()] if preset else []
