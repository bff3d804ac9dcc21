"""The head that is chosen, as a model to keep."""

from collections.abc import Callable
from typing import Any

import numpy as np

from storage.errors import ParameterError
from tasks.running.progress import tracked
from tasks.running.tensorflow import load_keras
from tasks.train.batches import Labelled
from tasks.train.choosing import doubt, forms, judging, search
from tasks.train.choosing.forms import Form
from tasks.train.choosing.linear import Linear
from tasks.train.choosing.logits import losses, softmax
from tasks.train.fit import Fitted
from tasks.train.head import as_stored
from tasks.train.parameters import Training


def choose(
    train: Labelled,
    validation: Labelled,
    *,
    shape: tuple[int, ...],
    classes: int,
    training: Training,
    show: Callable[[float], None],
) -> Fitted:
    """Try linear heads on features of `shape`, and fit the best on all that may be learned from."""
    if not forms.fit_in_memory(shape, train, validation):
        raise ParameterError(
            f"model.head.kind: choosing a head holds the averages of all {len(train.labels):,} "
            "pictures in memory, and they do not fit: set model.head.kind=dense, which reads them "
            "in batches"
        )
    balanced = training.balanced
    with tracked("heads tried", None, show) as advance:
        rows = judging.rows(train, validation, lambda data: forms.pooled(data, shape))
        best = search.search(rows, judging.parts(rows), classes, balanced=balanced, advance=advance)
        # Where nothing could judge, validation pictures stay unseen: they will.
        refit = training.refit and len(best.judged) > 0
        head = search.fitted(best, rows, classes, refit=refit, balanced=balanced)
    candidate = best.candidate
    judged, probabilities = rows.labels[best.judged], softmax(candidate.logits)
    before = _of_validation(rows, best.judged, probabilities) if refit else None
    facts = {
        "chosen": f"{candidate.tried.head} on {candidate.form.name}",
        "strength": candidate.tried.strength,
        "doubt": doubt.bounds(candidate.logits, judged),
        "judged_by": len(judged),
        "candidates": len(best.tried),
        "refitted": before is not None,
    }
    return Fitted(
        _model(candidate.form, head, shape, classes),
        [_row(rows, candidate.form, head, probabilities, judged)],
        facts=facts,
        tried=tuple(best.tried),
        unseen=before,
    )


def _of_validation(
    rows: judging.Rows, judged: np.ndarray, probabilities: np.ndarray
) -> np.ndarray | None:
    """(n, classes) of the validation pictures; None where there are none, or none could judge."""
    order = np.argsort(judged)
    found = probabilities[order][judged[order] >= rows.training]
    return found if len(found) else None


def _row(
    rows: judging.Rows,
    form: Form,
    head: Linear,
    unseen: np.ndarray,
    judged: np.ndarray,
) -> dict[str, float]:
    """What stands in a history for an epoch: losses and accuracies, of unseen pictures too."""
    plain = form.array({name: one[: rows.training] for name, one in rows.arrays.items()})
    labels = rows.labels[: rows.training]
    learned = softmax(head.logits(plain))
    found = {"epoch": 1.0, **_measured("", learned, labels)}
    return found | (_measured("val_", unseen, judged) if len(judged) else {})


def _measured(prefix: str, probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    right = probabilities.argmax(axis=1) == labels
    return {
        f"{prefix}accuracy": float(right.mean()),
        f"{prefix}loss": float(losses(probabilities, labels).mean()),
    }


def _model(form: Form, head: Linear, shape: tuple[int, ...], classes: int) -> Any:
    """One Keras head: features of `shape` to probabilities; a sigmoid for two classes."""
    keras = load_keras()
    features = keras.Input(shape, name="features")
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    last = keras.layers.Dense(units, activation=activation, dtype="float32", name="probability")
    model = keras.Model(features, last(form.layers(as_stored(features))), name="head")
    weights = list(head)
    last.set_weights([one[..., 1:] - one[..., :1] for one in weights] if classes == 2 else weights)
    return model
