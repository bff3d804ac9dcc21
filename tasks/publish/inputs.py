"""What a report is made of: everything is handed in, nothing is looked up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from storage.images import ImageStore
from storage.references import SPLITS
from tasks.acquire.web.host_figures import HostFigures
from tasks.evaluate.close_up.look import Looked
from tasks.evaluate.diagnosis import Diagnosis
from tasks.evaluate.parameters import HeadlineMetric
from tasks.evaluate.parity import Parity
from tasks.publish.parameters import PublishedFigure
from tasks.running.outcomes import StepOutcome

TEST, VALIDATION, TRAIN = "test", "validation", "train"


class Told(NamedTuple):
    """How the run went, for its page: steps so far, all parameters, the command that runs it."""

    steps: Sequence[StepOutcome] = ()
    parameters: Mapping[str, Any] = MappingProxyType({})
    command: str = ""


@dataclass(frozen=True)
class Earlier:
    """An earlier run to compare with; `published` tells whether its model is the published one."""

    run: str
    when: str
    predictions: pd.DataFrame
    published: bool = False


@dataclass(frozen=True)
class ReportInputs:
    """All that the page of one run shows. What is None or empty is left out, and the page says so.

    `metrics` is the evaluation's metrics.json, `leading` the metric that leads, `training` the
    model's training.json, `predictions` the evaluation's table, `rows` the manifest of `clean`,
    `split` that of `split`; `model` and `evaluation` are places in the workspace. `diagnosis` and
    `parity` are the evaluation's; `downloads` counts addresses by status, `hosts` how each
    answered; `heat_maps` holds encoded Grad-CAM pictures by stored image name, `network` the
    model's layers as `layer_table.described` gives them, `augmented` what `augmentation_sheet.rows`
    does, `copies` says which ones `clean` looked for, `tried` holds a row per head that was tried,
    `remarks` how the source was understood and what else the steps said of the pictures.
    """

    experiment: str
    run: str
    when: str
    model: str
    evaluation: str
    metrics: dict[str, Any]
    training: dict[str, Any]
    predictions: pd.DataFrame
    rows: pd.DataFrame
    split: pd.DataFrame
    images: ImageStore
    diagnosis: Diagnosis
    parity: Parity | None = None
    figure: PublishedFigure | None = None
    previous: Earlier | None = None
    seconds: float | None = None
    steps: Sequence[StepOutcome] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    downloads: Mapping[str, int] = field(default_factory=dict)
    hosts: Mapping[str, HostFigures] = field(default_factory=dict)
    heat_maps: Mapping[str, bytes] = field(default_factory=dict)
    look: Looked | None = None
    network: Sequence[Mapping[str, Any]] = ()
    augmented: Sequence[np.ndarray] = ()
    copies: str = "edited"
    leading: HeadlineMetric = "accuracy"
    tried: Sequence[Mapping[str, Any]] = ()
    remarks: Sequence[str] = ()

    @property
    def classes(self) -> list[str]:
        """Class names in the order of the probabilities."""
        return list(self.metrics["classes"])

    @property
    def splits(self) -> list[str]:
        """The splits that were evaluated."""
        return [name for name in SPLITS if name in self.metrics]

    @property
    def shown(self) -> str:
        """The split whose predictions the page shows: test if there is one."""
        return self.splits[-1]

    @property
    def headline(self) -> dict[str, Any]:
        """The metrics of the split that the page shows."""
        return dict(self.metrics[self.shown])

    @property
    def figure_shown(self) -> dict[str, Any]:
        """The leading metric of the split that the page shows: mean, low, high, repeats, …"""
        return dict(self.headline[self.leading])

    def shown_predictions(self) -> pd.DataFrame:
        """The rows of the predictions table that belong to the shown split."""
        table = self.predictions
        return table[table["split"] == self.shown].reset_index(drop=True)
