"""The model card: what a model is, what it takes and gives, what it was trained on."""

from typing import Any

from storage.features import PIXELS, FeatureSpace, computed_in
from storage.names import visible
from storage.references import SplitRef
from tasks.features import keras_file
from tasks.train.parts import backbone_of

TEMPLATE = """# Model card

| | |
|---|---|
| Takes | pictures (n, height, width, 3), RGB, 0 to 255, any size, {resize} to {side} x {side} |
| Gives | probabilities (n, {count}), columns in the order of classes.json{averaged} |
| Classes | {classes} |
{made_of}
| Trained on | {train} pictures; {kept} |
| Held out | {test} test pictures, never used in training |
| Seeds | {seeds}; this file is the repeat with the lowest {watched} loss ({published}) |

Load it with nothing but Keras: `keras.saving.load_model("model.keras").predict(pictures)`.
Pictures unlike those it was trained on get confident answers too: look at the report's errors.
"""

BACKBONE = """| Backbone | {backbone}, {whose} weights `{weights}`, {preprocessing} preprocessing |
| Trained on features | layer {layer}, {computed_in}, kept as float16; {views} views of a picture |
| Computes in | {precision} |"""

FROM_PICTURES = "| Network | {name}, {precision}, trained from pictures, no pretrained backbone |"


def model_card(space: FeatureSpace, split: SplitRef, training: dict[str, Any]) -> str:
    """Markdown; class names are quoted as code, so that they cannot be markup."""
    both_sides = ", the mean over a picture and its mirror image"
    return TEMPLATE.format(
        side=space.image_size,
        resize=space.resize,
        count=len(split.classes),
        averaged=both_sides if len(training["averaged"]) > 1 else "",
        classes=", ".join(f"`{_plain(name)}`" for name in split.classes),
        made_of=_made_of(space, training),
        train=split.train,
        kept=_kept(split, training),
        watched="validation" if split.validation else "training",
        test=split.test,
        seeds=", ".join(map(str, training["seeds"])),
        published=training["seeds"][training["published_repeat"]],
    )


def _kept(split: SplitRef, training: dict[str, Any]) -> str:
    facts = training["facts"]
    if "candidates" in facts:
        judged = f"the best of {facts['candidates']} heads on {facts['judged_by']} unseen pictures"
        return f"{judged}, {facts['chosen']}"
    if training["keep"] == "last":
        return "weights of the last epoch"
    if not split.validation:
        return "weights of the epoch with the lowest training loss"
    return f"weights of the epoch with the lowest loss on {split.validation} validation pictures"


def _made_of(space: FeatureSpace, training: dict[str, Any]) -> str:
    if space.backbone == PIXELS:
        return FROM_PICTURES.format_map(training["part"])
    return BACKBONE.format(
        backbone=_plain(space.backbone),
        whose="its own" if keras_file.is_own(space.backbone) else "ImageNet",
        weights=space.weights[:16],
        preprocessing=space.preprocessing,
        layer=space.layer,
        computed_in=computed_in(space.model_dump()),
        precision=backbone_of((*space.parts, space)[0]).keras_precision,
        views=training["views"],
    )


def _plain(name: str) -> str:
    return visible(" ".join(name.split())).replace("`", "'").replace("|", "/")
