"""An experiment's parameters: one tree, the same in YAML, on the command line and in Prefect."""

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    NonNegativeInt,
    Tag,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from flows.backbones import LITE, MODES, WITH_WEIGHTS, mode_of
from storage.errors import ParameterError
from tasks.acquire.parameters import Source, UserPath
from tasks.clean.parameters import LOOKING, Clean, Looking
from tasks.evaluate.parameters import Evaluate, Look
from tasks.extract.parameters import Drawing
from tasks.features import keras_file
from tasks.features.parameters import Extraction, Preprocessing
from tasks.features.precision import resolve
from tasks.pictures.parameters import Averaging, Resize
from tasks.publish.parameters import Publish
from tasks.running.engine.parameters import HERE, Engine
from tasks.running.parameters import Parameters
from tasks.split.parameters import Split
from tasks.train.parameters import (
    SMALLEST_SIDE,
    WITH_DROPOUT,
    FineTuning,
    Frozen,
    Network,
    NetworkName,
    Training,
)

# What a field says that two models have.
SIZE = "Side of the square that pictures are resized to (pixels)."
SIDE = 180
RESIZE = (
    "squash: to the square, whatever the shape; pad: with black around it; crop: the square in its "
    "middle."
)
PRECISION = "auto: bfloat16 on CPUs that multiply it, else float32."
RUNTIME = (
    "What computes features. auto: OpenVINO for EfficientNetLite, several times as fast there, "
    "TensorFlow for the others. TensorFlow takes over, with a note, where OpenVINO cannot be used."
)

StepName = Literal["acquire", "clean", "split", "extract", "train", "evaluate", "publish"]


def _nearest(backbone: str) -> str:
    """Which known one may have been meant, else all of them."""
    by_lower = {name.lower(): name for name in MODES}
    close = difflib.get_close_matches(backbone.lower(), by_lower, n=1)
    return f"did you mean {by_lower[close[0]]}?" if close else f"one of {', '.join(MODES)}"


class Pretrained(Parameters):
    """A network with ImageNet weights, and how pictures are shown to it."""

    backbone: str | Annotated[tuple[str, ...], Field(min_length=1, max_length=4)] = Field(
        "VGG16",
        description="EfficientNetLite0 to 2, a network of keras.applications, or a .keras file "
        "with one's own preprocessing inside; of a list, the averages of all.",
    )
    image_size: Annotated[int, Field(ge=32, le=1024)] | None = Field(
        None,
        description="Side of the square that pictures are resized to (pixels); if not said, the "
        "side that EfficientNetLite was trained at, and 180 for the others.",
    )
    resize: Resize = Field("squash", description=RESIZE)
    preprocessing: Preprocessing = Field(
        "imagenet",
        description="imagenet: as the backbone was trained; rescale: pixels divided by 255.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description=PRECISION)
    runtime: Literal["auto", "openvino", "tensorflow"] = Field("auto", description=RUNTIME)
    weights: UserPath | None = Field(
        None, description="A file with the published weights of VGG16 or EfficientNetLite."
    )
    views: NonNegativeInt = Field(
        0, description="Changed views of each training picture (training.augmentation), cached."
    )
    averaging: Averaging = Field(
        "none", description="mirror: predict the mean over a picture and its mirror image."
    )

    @model_validator(mode="after")
    def _known_backbone(self) -> Self:
        for name in self.backbones:
            if keras_file.names_file(name):
                self._suits_file(name)
                continue
            if name not in MODES:
                raise ValueError(f"unknown backbone {name!r}: {_nearest(name)}")
            if self.weights is not None and name not in WITH_WEIGHTS:
                raise ValueError(
                    "weights is for VGG16 and EfficientNetLite; Keras caches the others by itself"
                )
            if self.preprocessing == "rescale" and MODES[name] == "none":
                raise ValueError(
                    f"{name} scales pixels by itself: model.preprocessing must be imagenet, "
                    "with rescale it would see hardly anything"
                )
        return self

    def _suits_file(self, name: str) -> None:
        if not Path(name).expanduser().is_file():
            raise ValueError(f"no file at {Path(name).expanduser().absolute()}")
        if len(self.backbones) > 1:
            raise ValueError(f"a list is for known backbones, found the file {name}")
        if self.weights is not None:
            raise ValueError(f"weights is for known backbones: {name} holds its own")
        if self.preprocessing == "rescale":
            raise ValueError(f"preprocessing is for known backbones: {name} holds its own")
        if self.precision == "bfloat16" and self.runtime != "openvino":
            raise ValueError(
                f"{name} computes in the precision that it was saved with; runtime=openvino "
                "computes it in bfloat16"
            )

    @model_validator(mode="after")
    def _one_where_one_is_meant(self) -> Self:
        if len(set(self.backbones)) < len(self.backbones):
            raise ValueError(f"backbone names one twice: {', '.join(self.backbones)}")
        if len(self.backbones) > 1:
            for field in ("weights", "layer"):
                if getattr(self, field, None) is not None:
                    raise ValueError(
                        f"{field} is for one backbone, found {', '.join(self.backbones)}: leave it "
                        "out, or name one"
                    )
        return self

    @property
    def backbones(self) -> tuple[str, ...]:
        """All of them."""
        return (self.backbone,) if isinstance(self.backbone, str) else self.backbone

    def extraction(self) -> Extraction:
        """What the step `extract` is told; several backbones see pictures at the first's side."""
        if keras_file.names_file(self.backbones[0]):
            return self._of_file(Path(self.backbones[0]).expanduser())
        side = self.image_size or LITE.get(self.backbones[0], SIDE)
        first, *others = (self._extraction(name, side) for name in self.backbones)
        return first.model_copy(update={"beside": tuple(others)})

    def _of_file(self, file: Path) -> Extraction:
        """A network that the user built: named by its file's digest, preprocessing inside."""
        name, own = keras_file.own(file)
        if own and self.image_size not in (None, own):
            raise ParameterError(
                f"{file} takes pictures of {own} pixels, found model.image_size={self.image_size}: "
                "leave it out"
            )
        told = self.model_dump(include=set(Extraction.model_fields))
        in_openvino = self.runtime == "openvino"
        decided = {
            "precision": resolve(self.precision) if in_openvino else "float32",
            "runtime": "openvino" if in_openvino else "tensorflow",
            "preprocessing": "own",
            "mode": "none",
            "image_size": own or self.image_size or SIDE,
            "backbone": name,
            "weights": file,
        }
        return Extraction(**told | decided)

    def _extraction(self, backbone: str, side: int) -> Extraction:
        told = self.model_dump(include=set(Extraction.model_fields))
        is_lite = backbone in LITE
        runtime = self.runtime
        if runtime == "auto":
            runtime = "openvino" if is_lite else "tensorflow"
        # TensorFlow's convolutions of single channels are no faster in bfloat16.
        slow = is_lite and runtime == "tensorflow" and self.precision == "auto"
        decided = {
            "precision": "float32" if slow else resolve(self.precision),
            "runtime": runtime,
            "mode": mode_of(backbone, self.preprocessing),
            "image_size": side,
            "backbone": backbone,
        }
        return Extraction(**told | decided)


class Features(Pretrained, Frozen):
    """A dense head on a pretrained network's features."""

    kind: Literal["features"] = "features"
    layer: str | None = Field(None, description="Take features from this layer; default the last.")

    def part(self) -> Frozen:
        """What is trained."""
        return Frozen(head=self.head)


class FineTuned(Pretrained, FineTuning):
    """A head first, then the pretrained network's last layers under it as well.

    Training's words are those of the second stage.
    """

    kind: Literal["finetune"]
    layer: str = Field(
        "block4_pool", description="Layers above this one are tuned; its outputs are cached."
    )

    def part(self) -> FineTuning:
        """What is trained."""
        return FineTuning(**{name: getattr(self, name) for name in FineTuning.model_fields})


class FromScratch(Parameters):
    """A network trained from the pictures themselves."""

    kind: Literal["network"]
    network: NetworkName
    image_size: Annotated[int, Field(ge=28, le=1024)] = Field(150, description=SIZE)
    resize: Resize = Field("squash", description=RESIZE)
    channels: Literal[1, 3] = Field(3, description="1 for grey pictures.")
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description=PRECISION)
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        None, description="Before dense layers; default as published."
    )
    local_response_normalisation: bool = Field(default=False, description="AlexNet's.")
    averaging: Averaging = Field(
        "none", description="mirror: predict the mean over a picture and its mirror image."
    )

    @model_validator(mode="after")
    def _suits_network(self) -> Self:
        if self.image_size < SMALLEST_SIDE.get(self.network, 0):
            raise ValueError(
                f"{self.network} needs image_size of at least {SMALLEST_SIDE[self.network]} "
                f"pixels, found {self.image_size}: its pools leave nothing of less"
            )
        if self.dropout is not None and self.network not in WITH_DROPOUT:
            raise ValueError(
                f"dropout is an option of {', '.join(WITH_DROPOUT)}; {self.network} "
                "has it as published"
            )
        if self.local_response_normalisation and self.network != "alexnet":
            raise ValueError(f"local_response_normalisation is for alexnet, not {self.network}")
        return self

    def extraction(self) -> Extraction:
        """What the step `extract` is told: pixels, whatever network is trained on them."""
        told = self.model_dump(include={"image_size", "resize", "channels", "averaging"})
        return Extraction(backbone=None, **told)

    def part(self) -> Network:
        """What is trained."""
        return Network(
            network=self.network,
            dropout=self.dropout,
            local_response_normalisation=self.local_response_normalisation,
            precision=resolve(self.precision),
        )


def _kind(model: Any) -> str:
    """Which model a tree means; `features` where it does not say."""
    if isinstance(model, dict):
        return str(model.get("kind", "features"))
    return str(getattr(model, "kind", model))


class AnyOf:
    """In the schema that Prefect checks parameters by, one kind is enough.

    Prefect takes `kind` for optional, and a tree without it would be of two kinds at once.
    """

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema with anyOf for oneOf."""
        found = handler(schema)
        found["anyOf"] = found.pop("oneOf")
        return found


Model = Annotated[
    Annotated[Features, Tag("features")]
    | Annotated[FineTuned, Tag("finetune")]
    | Annotated[FromScratch, Tag("network")],
    Discriminator(_kind),
    AnyOf(),
]


class Experiment(Parameters):
    """All that a run needs to know."""

    experiment: str = Field(
        min_length=1,
        max_length=100,
        description="The name that sticky splits, reports and published models are kept under.",
    )
    source: Source
    clean: Clean = Clean()
    split: Split = Split()
    model: Model = Features()
    training: Training = Training()
    look: Look = Look()
    evaluate: Evaluate = Evaluate()
    publish: Publish = Publish()
    engine: Engine = HERE

    @model_validator(mode="after")
    def _views_are_drawn(self) -> Self:
        views = getattr(self.model, "views", None)
        if views and self.training.augmentation is None:
            raise ValueError("model.views needs training.augmentation, which says how to draw them")
        if views == 0 and self.training.augmentation is not None:
            raise ValueError(
                f"training.augmentation changes nothing for kind {self.model.kind} without "
                "model.views, the number of changed views of each picture to extract"
            )
        return self

    def drawing(self) -> Drawing | None:
        """How views are drawn, where there are any."""
        changes = self.training.augmentation
        if changes is None or not self.model.extraction().views:
            return None
        return Drawing(augmentation=changes, seed=self.training.seed)

    def looking(self) -> Looking:
        """What finds copies: the network that the run extracts with, where it is the one."""
        own = self.model.extraction()
        for one in (own, *own.beside):
            network = LOOKING.network.model_copy(
                update={"precision": one.precision, "runtime": one.runtime}
            )
            if network == one.model_copy(update={"beside": (), "views": 0, "averaging": "none"}):
                return Looking(network=network, keep=True)
        precise = LOOKING.network.model_copy(update={"precision": resolve("auto")})
        return LOOKING.model_copy(update={"network": precise})
