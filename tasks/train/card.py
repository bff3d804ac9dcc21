"""The model card: what a model is, what it takes and gives, what it was trained on."""

from typing import Any

from storage.features import FeatureSpace
from storage.references import SplitRef

TEMPLATE = """# Model card

| | |
|---|---|
| Takes | pictures (n, height, width, 3), RGB, 0 to 255, any size: it resizes to {side} x {side} |
| Gives | probabilities (n, {count}), columns in the order of classes.json |
| Classes | {classes} |
| Backbone | {backbone}, ImageNet weights `{weights}`, {preprocessing} preprocessing |
| Features for training | {precision}, kept as float16 |
| Trained on | {train} pictures; epochs chosen on {validation} validation pictures |
| Held out | {test} test pictures, never used in training |
| Seeds | {seeds}; this file is the repeat with the lowest validation loss ({published}) |

Load it with nothing but Keras: `keras.saving.load_model("model.keras").predict(pictures)`.
Pictures unlike those it was trained on get confident answers too: look at the report's errors.
"""


def model_card(space: FeatureSpace, split: SplitRef, training: dict[str, Any]) -> str:
    """Markdown; class names are quoted as code, so that they cannot be markup."""
    return TEMPLATE.format(
        side=space.image_size,
        count=len(split.classes),
        classes=", ".join(f"`{_plain(name)}`" for name in split.classes),
        backbone=space.backbone,
        weights=space.weights[:16],
        preprocessing=space.preprocessing,
        precision=space.precision,
        train=split.train,
        validation=split.validation,
        test=split.test,
        seeds=", ".join(map(str, training["seeds"])),
        published=training["seeds"][training["published_repeat"]],
    )


def _plain(name: str) -> str:
    return name.replace("`", "'").replace("|", "/").replace("\n", " ")
