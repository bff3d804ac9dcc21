"""Training the augmented convnet: ours beside Keras's ImageDataGenerator feeding the same network.

Both train the baseline convnet with dropout on the same pictures, batch size and augmentation. The
peer decodes with Pillow and changes each picture in Python as it is asked for, in float32, as the
tutorials do; ours reads cached pixels and changes them in the pipeline, in the precision that pays
on this CPU and, so that the two causes can be told apart, in float32. Epochs take turns, the first
of each, which compiles, is not counted. Pictures are made of noise: 1,000 JPEGs of 500 x 375.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import write
from tasks.features.parameters import Precision
from tasks.features.precision import resolve
from tasks.pictures.decoding import decode
from tasks.pictures.opencv import cv2
from tasks.pictures.parameters import Augmentation, Square
from tasks.pictures.resizing import resized, rounded
from tasks.running.tensorflow import load_keras
from tasks.train import batches
from tasks.train.batches import Labelled
from tasks.train.networks import build_network
from tasks.train.parameters import Network

PICTURES, SIDE, BATCH, ROUNDS = 1000, 150, 32, 3
STEPS = PICTURES // BATCH
CHANGES = Augmentation(
    rotation=40, width_shift=0.2, height_shift=0.2, shear=0.2, zoom=0.2, horizontal_flip=True
)
Epoch = Callable[[], None]


def write_pictures(folder: Path) -> None:
    """Two class folders of JPEGs, smooth enough to be as large as photographs."""
    generator = np.random.default_rng(1)
    for number in range(PICTURES):
        small = generator.integers(0, 256, (24, 32, 3), np.uint8)
        path = folder / ("cat" if number % 2 else "dog") / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), cv2.resize(small, (500, 375), interpolation=cv2.INTER_CUBIC))


def network(precision: Precision) -> Any:
    """The network, compiled as the step `train` does it."""
    keras = load_keras()
    spec = Network(network="baseline_convnet", dropout=0.5, precision=precision)
    model = build_network(spec, (SIDE, SIDE, 3), 2)
    model.compile(
        optimizer=keras.optimizers.RMSprop(1e-4), loss="binary_crossentropy", jit_compile=False
    )
    return model


def ours(folder: Path, precision: Precision) -> Epoch:
    """An epoch from cached pixels, as the steps `extract` and `train` make them."""
    paths = sorted(folder.rglob("*.jpg"))
    pixels = np.stack([rounded(resized(decode(path.read_bytes()), Square(SIDE))) for path in paths])
    labels = np.array([path.parent.name == "dog" for path in paths], np.int64)
    data = Labelled(lambda positions: pixels[positions], labels)
    model = network(precision)

    def epoch() -> None:
        stream = batches.ahead(
            batches.shuffled(data, (SIDE, SIDE, 3), batch_size=BATCH, seed=1, augmentation=CHANGES)
        )
        model.fit(stream, steps_per_epoch=STEPS, shuffle=False, verbose=0)

    return epoch


def peer(folder: Path) -> Epoch:
    """An epoch as the tutorials train it; the network divides by 255 by itself."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    load_keras()
    stream = ImageDataGenerator(
        rotation_range=40, width_shift_range=0.2, height_shift_range=0.2, shear_range=0.2,
        zoom_range=0.2, horizontal_flip=True,
    ).flow_from_directory(
        str(folder), target_size=(SIDE, SIDE), batch_size=BATCH, class_mode="binary", seed=1
    )  # fmt: skip
    model = network("float32")
    return lambda: model.fit(stream, steps_per_epoch=STEPS, verbose=0)


def timed(epoch: Epoch) -> float:
    """Pictures per second of one epoch."""
    started = time.perf_counter()
    epoch()
    return STEPS * BATCH / (time.perf_counter() - started)


def main() -> None:
    """Pictures per second of each, and how often the peer's."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_pictures(folder)
        kinds = {"peer": peer(folder), "float32": ours(folder, "float32")}
        if resolve("auto") == "bfloat16":
            kinds["bfloat16"] = ours(folder, "bfloat16")
        for epoch in kinds.values():
            epoch()
        rounds = [{name: timed(epoch) for name, epoch in kinds.items()} for _ in range(ROUNDS)]
    write(
        "training",
        {
            name: {
                "pictures_per_second": round(statistics.median(one[name] for one in rounds), 1),
                "times_the_peer": round(
                    statistics.median(one[name] / one["peer"] for one in rounds), 2
                ),
            }
            for name in kinds
        },
    )


if __name__ == "__main__":
    main()
