"""What can be trained, one entry each: how it is built, and what is written down of it."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import StorageDamaged
from storage.features import FeatureSpace
from tasks.features.backbone import Backbone
from tasks.features.parameters import Extraction
from tasks.train.batches import Labelled
from tasks.train.choosing import chosen
from tasks.train.fine_tuning import build_tuned, through
from tasks.train.fit import Fitted, fit
from tasks.train.head import build_head, build_pooled_head
from tasks.train.networks import build_network
from tasks.train.parameters import FineTuning, Frozen, Network, Training
from tasks.train.pooling import is_pooled, pooled_rows, with_pooling
from tasks.train.randomness import start_from
from tasks.train.training import Build, Place, fit_all


class Materials(NamedTuple):
    """What a trained part is built from."""

    space: FeatureSpace
    weights: Path | None
    classes: int
    train: Labelled
    validation: Labelled
    training: Training


class Part(NamedTuple):
    """A kind of trained part; `facts` are what training.json says of it beside its kind."""

    kind: str
    train: Callable[[Any, Materials, Place], list[Fitted]]
    facts: Callable[[Any], dict[str, Any]]


def _by_epochs(
    build: Callable[[Any, Materials], Build],
) -> Callable[[Any, Materials, Place], list[Fitted]]:
    """Trained as Keras does."""

    def train(part: Any, made_of: Materials, place: Place) -> list[Fitted]:
        return fit_all(
            build(part, made_of), made_of.train, made_of.validation, made_of.training, place
        )

    return train


def _frozen(part: Frozen, made_of: Materials, place: Place) -> list[Fitted]:
    if not part.head.is_chosen:
        return _by_epochs(_head)(part, made_of, place)
    # It has one best solution: seeds would change nothing.
    return [
        chosen.choose(
            made_of.train, made_of.validation, shape=made_of.space.shape, classes=made_of.classes,
            training=made_of.training, show=place.show,
        )
    ]  # fmt: skip


def _head(part: Frozen, made_of: Materials) -> Build:
    shape, classes = made_of.space.shape, made_of.classes
    head = part.head
    if not is_pooled(head, shape, made_of.train, made_of.validation):
        return Build(lambda _seed, _folder, _watch: build_head(head, shape, classes), shape)
    return Build(
        lambda _seed, _folder, _watch: build_pooled_head(head, shape[-1], classes),
        shape[-1:],
        rows=lambda data: pooled_rows(data, shape, head.pooling),
        whole=lambda trained: with_pooling(build_head(head, shape, classes), trained),
    )


def _network(part: Network, made_of: Materials) -> Build:
    shape, classes = made_of.space.shape, made_of.classes
    return Build(lambda _seed, _folder, _watch: build_network(part, shape, classes), shape)


def _tuned(part: FineTuning, made_of: Materials) -> Build:
    shape, classes = made_of.space.shape, made_of.classes
    backbone = backbone_of(made_of.space, made_of.weights)

    @functools.cache
    def below() -> tuple[Labelled, Labelled, tuple[int, ...]]:
        above = backbone.above()
        seen = through(above, made_of.train, shape), through(above, made_of.validation, shape)
        return *seen, tuple(above.output_shape[1:])

    def tuned(seed: int, folder: Path, watch: tuple[Any, ...]) -> Any:
        held_in, held_out, above_shape = below()
        head = fit(
            lambda: build_head(part.head, above_shape, made_of.classes),
            held_in,
            held_out,
            shape=above_shape,
            training=_first_stage(part, made_of.training),
            seed=seed,
            unfinished=folder / "head",
            callbacks=watch,
            rate_name="model.head_learning_rate",
        ).model
        start_from(seed)
        return build_tuned(part, backbone.above(), head, shape, classes)

    return Build(tuned, shape, part.head_epochs)


def _first_stage(part: FineTuning, training: Training) -> Training:
    return Training(
        learning_rate=part.head_learning_rate,
        epochs=part.head_epochs,
        batch_size=training.batch_size,
        seconds_between_checkpoints=training.seconds_between_checkpoints,
    )


def _facts(part: Frozen | FineTuning | Network) -> dict[str, Any]:
    return part.model_dump(mode="json")


def _head_facts(part: Frozen) -> dict[str, Any]:
    head = part.head
    fields = {"pooling", "layers"} if head.kind == "dense" else set()
    return {"head": head.kind, **head.model_dump(mode="json", include=fields)}


# Kinds and facts are stored with every model: what they are called stays.
PARTS: dict[type, Part] = {
    Frozen: Part("Head", _frozen, _head_facts),
    FineTuning: Part("FineTuning", _by_epochs(_tuned), _facts),
    Network: Part(
        "Network", _by_epochs(_network), lambda part: {"name": part.network, **_facts(part)}
    ),
}


def backbone_of(space: FeatureSpace, weights: Path | None = None) -> Backbone:
    """The backbone that computed a feature space; StorageDamaged for a space of no such one."""
    try:
        told = Extraction(
            backbone=space.backbone,
            image_size=space.image_size,
            preprocessing=space.preprocessing,
            mode=space.mode,
            precision=space.precision,
            runtime=space.runtime,
            resize=space.resize,
            layer=None if space.layer == "last" else space.layer,
        )
    except ValueError as error:
        raise StorageDamaged(
            f"expected a feature space of a known backbone, found {space.name}: {error}. Run again "
            "with --rerun extract"
        ) from error
    return Backbone.told(told, weights)
