"""An epoch of fine-tuning from cached outputs of block 4, beside one through the whole network.

Both train the same layers (VGG16's block 5 and a dense head) with the settings of
cats-and-dogs-finetuned, 224 pixels, in the same precision, by the same `fit`, on random pictures
held in memory; the whole network computes blocks 1 to 4 anew for every picture of every epoch, as
the tutorials do. An epoch is what `fit` calls one: every training picture once, then half as many
validation pictures, as in the experiment. Epochs take turns, medians are compared. Beside them, the
two operations that decide how far this can go: a convolution of block 5 and its filters' gradient,
with as many multiplications each.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import write
from tasks.features.backbone import Backbone
from tasks.features.parameters import Precision
from tasks.features.precision import resolve
from tasks.running.tensorflow import load_keras, load_tensorflow
from tasks.train.batches import Labelled
from tasks.train.fine_tuning import build_tuned
from tasks.train.fit import fit
from tasks.train.head import build_head
from tasks.train.parameters import FineTuning, Training
from tasks.train.randomness import start_from

TRAIN, VALIDATION, SIDE, BATCH, ROUNDS, OPERATIONS = 128, 64, 224, 32, 5, 30
TUNING = FineTuning()


def models(precision: Precision) -> tuple[Any, Any, np.ndarray, np.ndarray]:
    """The tuned part, the whole network around it, and what each takes: features, pixels."""
    keras = load_keras()
    start_from(1)
    below = Backbone("VGG16", SIDE, "caffe", precision, layer="block4_pool")
    space, _, compute, _ = below.prepare()
    above = below.above()
    head = build_head(TUNING.head, tuple(above.output_shape[1:]), 2)
    tuned = build_tuned(TUNING, above, head, space.shape, 2)
    pictures = keras.Input((SIDE, SIDE, 3))
    whole = keras.Model(pictures, tuned(below.build()(pictures)))
    count = TRAIN + VALIDATION
    pixels = np.random.default_rng(1).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)
    parts = (pixels[start : start + BATCH] for start in range(0, count, BATCH))
    features = np.concatenate([compute(part.astype(np.float32)) for part in parts])
    return tuned, whole, features, pixels


def seconds_of(model: Any, rows: np.ndarray) -> float:
    """One epoch; a first one, which compiles, is not counted."""
    labels = np.random.default_rng(2).integers(0, 2, TRAIN + VALIDATION)
    ends: list[float] = []
    watch = load_keras().callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: ends.append(time.perf_counter()),
        on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter()),
    )
    with tempfile.TemporaryDirectory() as folder:
        fit(
            lambda: model,
            Labelled(lambda positions: rows[positions], labels[:TRAIN]),
            Labelled(lambda positions: rows[TRAIN + positions], labels[TRAIN:]),
            shape=rows.shape[1:],
            training=Training(
                learning_rate=1e-5,
                epochs=2,
                batch_size=BATCH,
                keep="last",
                seconds_between_checkpoints=1e9,
            ),
            seed=1,
            unfinished=Path(folder),
            callbacks=(watch,),
        )
    return ends[3] - ends[2]


def operations(precision: Precision) -> dict[str, float]:
    """Milliseconds of a convolution of block 5 and of its filters' gradient, for one batch."""
    tf = load_tensorflow()
    pictures = tf.cast(tf.random.normal((BATCH, SIDE // 16, SIDE // 16, 512)), precision)
    filters = tf.cast(tf.random.normal((3, 3, 512, 512)), precision)

    def forward() -> Any:
        return tf.nn.conv2d(pictures, filters, 1, "SAME")

    def gradient() -> Any:
        return tf.raw_ops.Conv2DBackpropFilter(
            input=pictures,
            filter_sizes=filters.shape,
            out_backprop=pictures,
            strides=[1, 1, 1, 1],
            padding="SAME",
        )

    def milliseconds(operation: Any) -> float:
        compiled = tf.function(operation)
        took = []
        for _ in range(OPERATIONS):
            started = time.perf_counter()
            compiled().numpy()
            took.append(1000 * (time.perf_counter() - started))
        return round(statistics.median(took), 1)

    return {
        "forward_milliseconds": milliseconds(forward),
        "filter_gradient_milliseconds": milliseconds(gradient),
    }


def main() -> None:
    """Each precision that this machine would choose or be told."""
    results: dict[str, Any] = {"train": TRAIN, "validation": VALIDATION}
    for precision in sorted({"float32", resolve("auto")}):
        tuned, whole, features, pixels = models(precision)
        rounds = [(seconds_of(tuned, features), seconds_of(whole, pixels)) for _ in range(ROUNDS)]
        cached, through = (statistics.median(column) for column in zip(*rounds, strict=True))
        results[precision] = {
            "cached_seconds": round(cached, 2),
            "whole_network_seconds": round(through, 2),
            "times_as_fast": round(statistics.median(b / a for a, b in rounds), 2),
            **operations(precision),
        }
    write("fine_tuning", results)


if __name__ == "__main__":
    main()
