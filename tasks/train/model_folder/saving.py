"""A training's results as one folder of the workspace."""

from pathlib import Path
from typing import Any

import pandas as pd

from storage import atomic, digests, folders
from storage.features import FeatureSpace
from storage.folders import CARD, CLASSES, HISTORY, MODEL, NETWORK, TRAINING, TRIED, part_path
from storage.references import FeaturesRef, ModelRef, SplitRef
from storage.workspace import Workspace
from tasks.pictures.parameters import square_of
from tasks.running import code_fingerprint
from tasks.train.fit import Fitted
from tasks.train.model_folder import openvino_form, unseen
from tasks.train.model_folder.export import features_of, whole_model
from tasks.train.model_folder.layer_table import described
from tasks.train.model_folder.model_card import model_card
from tasks.train.model_folder.same_bytes import settle
from tasks.train.parameters import Network, Trained
from tasks.train.parts import PARTS


def save(
    workspace: Workspace,
    split: SplitRef,
    features: FeaturesRef,
    fitted: list[Fitted],
    *,
    part: Trained,
    seed: int,
    weights: Path | None,
) -> ModelRef:
    """The whole model of the best repeat, every trained part, class names, history and a card.

    `part` says what was trained.
    """
    space = FeatureSpace.load(workspace, features)
    mirrored = len(features.averaged) > 1
    best = min(range(len(fitted)), key=lambda repeat: fitted[repeat].loss)
    training = _facts(space, features, part, fitted, published=best, seed=seed)
    digest = _digest(split, training, fitted)
    target = workspace.models / digest
    with folders.new_folder(target, keep_whole=True) as folder:
        square = square_of(space.image_size, space.resize)
        whole = whole_model(
            features_of(space, weights), fitted[best].model, square, mirrored=mirrored
        )
        whole.save(folder / MODEL)
        settle(folder / MODEL)
        precision = part.precision if isinstance(part, Network) else space.precision
        openvino_form.save(whole, folder / MODEL, square, precision)
        part_path(folder, 0).parent.mkdir()
        for repeat, one in enumerate(fitted):
            one.model.save(part_path(folder, repeat), include_optimizer=False)
            settle(part_path(folder, repeat))
        atomic.write_json(folder / CLASSES, list(split.classes))
        atomic.write_json(folder / TRAINING, training)
        atomic.write_json(folder / NETWORK, described(whole))
        if fitted[best].tried:
            pd.DataFrame(fitted[best].tried).to_csv(folder / TRIED, index=False)
        unseen.save(folder, fitted[best].unseen)
        write_history(folder / HISTORY, training["seeds"], training["history"])
        (folder / CARD).write_text(model_card(space, split, training), encoding="utf-8")
        folders.seal(folder)
    return ModelRef(
        digest=digest, where=workspace.relative(target), classes=split.classes, repeats=len(fitted)
    )


def _facts(
    space: FeatureSpace,
    features: FeaturesRef,
    part: Trained,
    fitted: list[Fitted],
    *,
    published: int,
    seed: int,
) -> dict[str, Any]:
    """What training.json holds."""
    return {
        "space": space.model_dump(mode="json"),
        "part": {"kind": PARTS[type(part)].kind, **PARTS[type(part)].facts(part)},
        "keep": fitted[published].keep,
        "facts": fitted[published].facts,
        "views": len(features.views),
        "averaged": list(features.averaged),
        "published_repeat": published,
        "seeds": [seed + repeat for repeat in range(len(fitted))],
        "history": [repeat.history for repeat in fitted],
    }


def write_history(path: Path, seeds: list[int], histories: list[list[dict[str, float]]]) -> None:
    """A CSV with one row per seed and epoch: losses and accuracies, for any spreadsheet."""
    rows = [
        {"seed": seed, **row, "epoch": int(row["epoch"])}
        for seed, history in zip(seeds, histories, strict=True)
        for row in history
    ]
    pd.DataFrame(rows).to_csv(path, index=False)


def _digest(split: SplitRef, training: dict[str, Any], fitted: list[Fitted]) -> str:
    counts = [split.train, split.validation, split.test]  # the model's card names them
    parts: list[Any] = [
        code_fingerprint.of_package_alone(__package__),
        split.classes,
        counts,
        training,
    ]
    for one in fitted:
        # Not the names: Keras numbers those of bare arithmetic on within a process.
        layers = described(one.model)
        parts += [[layer[fact] for fact in ("kind", "shape", "parameters")] for layer in layers]
        parts += [digests.of_bytes(array.tobytes()) for array in one.model.get_weights()]
        if one.unseen is not None:
            parts.append(digests.of_bytes(one.unseen.tobytes()))
    return digests.of_value(parts)
