"""A training's results as one folder of the workspace."""

from pathlib import Path
from typing import Any

from storage import atomic, digests, folders
from storage.features import FeatureSpace
from storage.layout import CARD, CLASSES, MODEL, TRAINING, head_path
from storage.references import FeaturesRef, ModelRef, SplitRef
from storage.workspace import Workspace
from tasks.train.card import model_card
from tasks.train.export import backbone_of, whole_model
from tasks.train.fit import Fitted


def save(
    workspace: Workspace,
    split: SplitRef,
    features: FeaturesRef,
    fitted: list[Fitted],
    *,
    seed: int,
    weights: Path | None,
) -> ModelRef:
    """The whole model of the best repeat, every head, class names, history and a card."""
    space = FeatureSpace.model_validate(
        folders.read_json(workspace.features / features.space / "space.json")
    )
    digest = _digest(space, split, fitted)
    best = min(range(len(fitted)), key=lambda repeat: fitted[repeat].best_loss)
    training = {
        "space": space.model_dump(mode="json"),
        "published_repeat": best,
        "seeds": [seed + repeat for repeat in range(len(fitted))],
        "history": [repeat.history for repeat in fitted],
    }
    target = workspace.models / digest
    with atomic.new_folder(target, keep_whole=True) as folder:
        backbone = backbone_of(space, weights).build(precision="float32")
        whole_model(backbone, fitted[best].model, space.image_size).save(folder / MODEL)
        (folder / "heads").mkdir()
        for repeat, one in enumerate(fitted):
            one.model.save(head_path(folder, repeat), include_optimizer=False)
        atomic.write_json(folder / CLASSES, list(split.classes))
        atomic.write_json(folder / TRAINING, training)
        (folder / CARD).write_text(model_card(space, split, training), encoding="utf-8")
        folders.seal(folder)
    return ModelRef(
        digest=digest, where=workspace.relative(target), classes=split.classes, repeats=len(fitted)
    )


def _digest(space: FeatureSpace, split: SplitRef, fitted: list[Fitted]) -> str:
    parts: list[Any] = [space.name, split.classes]
    for one in fitted:
        parts.append(one.model.get_config())
        parts += [digests.of_bytes(array.tobytes()) for array in one.model.get_weights()]
        parts.append(one.history)
    return digests.of_value(parts)
