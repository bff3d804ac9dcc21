"""What is seen of a training: counted batches and epochs, files for TensorBoard."""

import numpy as np

from tasks.train import progress_callbacks
from tasks.train.batches import Labelled
from tasks.train.fit import fit
from tasks.train.head import build_head
from tasks.train.parameters import Head, Training

SHAPE = (1, 1, 4)


def test_every_batch_and_epoch_is_reported_and_logs_can_be_read(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    done = {"epochs": 0, "batches": 0}

    def adding(name):
        def add(count):
            done[name] += count

        return add

    values = np.random.default_rng(1).normal(size=(20, 4)).astype(np.float16)
    data = Labelled(lambda positions: values[positions], np.arange(20) % 2)
    logs = tmp_path / "logs"
    count = progress_callbacks.Count(adding("epochs"), adding("batches"), 3)
    fit(
        lambda: build_head(Head(), SHAPE, 2), data, data, shape=SHAPE,
        training=Training(epochs=3, batch_size=8), seed=1, unfinished=tmp_path / "state",
        callbacks=progress_callbacks.callbacks(count, logs),
    )  # fmt: skip
    assert done == {"epochs": 3, "batches": 9}
    count.up_to(5)
    count.up_to(5)
    assert done == {"epochs": 5, "batches": 15}
    for part in ("train", "validation"):
        events = EventAccumulator(str(logs / part))
        events.Reload()
        assert len(events.Tags()["tensors"]) >= 2, part


def test_what_an_earlier_run_did_is_counted_before_the_first_new_epoch(tmp_path):
    values = np.random.default_rng(1).normal(size=(20, 4)).astype(np.float16)
    data = Labelled(lambda positions: values[positions], np.arange(20) % 2)

    def fitted(epochs, *callbacks):
        fit(
            lambda: build_head(Head(), SHAPE, 2), data, data, shape=SHAPE,
            training=Training(epochs=epochs, batch_size=8, seconds_between_checkpoints=1e-9),
            seed=1, unfinished=tmp_path / "state", callbacks=callbacks,
        )  # fmt: skip

    fitted(2)
    seen = []
    count = progress_callbacks.Count(lambda epochs: seen.append("epoch"), seen.append, 3)
    fitted(3, *progress_callbacks.callbacks(count, None, before=1))
    assert seen == [*[3, "epoch"] * 3, 1, 1, 1, "epoch"]
