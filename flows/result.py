"""What a run gave, for Python and notebooks: tables, arrays, the model, the report."""

import html
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flows.summary import Finished
from storage import manifests
from storage.errors import ParameterError
from storage.features import FeatureTable
from storage.folders import PREDICTIONS
from storage.references import SPLITS
from storage.workspace import Workspace
from tasks.running.tensorflow import load_keras


@dataclass(frozen=True)
class Result:
    """A finished run. What it did not reach, because it stopped `until` a step, is None."""

    finished: Finished

    @property
    def summary(self) -> dict[str, Any]:
        """What `darkroom run --json` prints."""
        return self.finished.summary

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return str(self.summary["experiment"])

    @property
    def gate(self) -> str | None:
        """Why the model was not published; None if the gate held."""
        return None if self.summary["gate"] is None else str(self.summary["gate"])

    @property
    def report(self) -> Path | None:
        """The page of this run, one HTML file that needs nothing else."""
        return None if self.summary["report"] is None else Path(self.summary["report"])

    @property
    def metrics(self) -> pd.DataFrame | None:
        """One row per split and metric: mean over the repeats, and its 95 % interval."""
        parts = self.summary["metrics"]
        if parts is None:
            return None
        rows = [
            {"split": split, "metric": name, **{key: value.get(key) for key in SHOWN}}
            for split, part in parts.items()
            for name, value in part.items()
            if isinstance(value, dict) and "mean" in value
        ]
        return pd.DataFrame(rows).set_index(["split", "metric"])

    @cached_property
    def predictions(self) -> pd.DataFrame | None:
        """One row per picture: image, name, split, label, and the probability of each class."""
        reference = self._references.get("evaluate")
        if reference is None:
            return None
        return manifests.load(self._workspace.path(reference) / PREDICTIONS)

    def features(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """(n, *shape) float32 features of a split's pictures, and their (n,) labels.

        ParameterError for a split that there is not, or a run that did not come so far.
        """
        reference, shares = self._references.get("extract"), self._references.get("split")
        if reference is None or shares is None:
            raise ParameterError("this run has no features: it stopped before `extract`")
        if split not in SPLITS:
            raise ParameterError(f"expected one of {', '.join(SPLITS)}, found {split!r}")
        table = manifests.load(self._workspace.path(shares))
        part = table[table["split"] == split]
        rows = FeatureTable.of(self._workspace, reference, part["image"].tolist()).rows
        values = rows(np.arange(len(part))).astype(np.float32)
        return values.reshape(len(part), *reference.shape), part["label"].to_numpy(dtype=str)

    def model(self) -> Any:
        """The Keras model: (n, height, width, 3) RGB pictures in [0, 255] to probabilities."""
        if self.summary["model"] is None:
            raise ParameterError("this run has no model: it stopped before `train`")
        return load_keras().saving.load_model(self.summary["model"])

    @property
    def _references(self) -> dict[str, Any]:
        return self.finished.references

    @property
    def _workspace(self) -> Workspace:
        return Workspace.current()

    def _repr_html_(self) -> str:
        """What a notebook shows: how accurate, on how many pictures, and the way to the page."""
        rows = "".join(
            f"<tr><th>{html.escape(split)}</th><td>{part['accuracy']['mean']:.1%}</td>"
            f"<td>{part['accuracy']['low']:.1%} to {part['accuracy']['high']:.1%}</td>"
            f"<td>{part['images']}</td></tr>"
            for split, part in (self.summary["metrics"] or {}).items()
        )
        page = "" if self.report is None else f'<p><a href="{self.report.as_uri()}">The report</a>'
        closed = "" if self.gate is None else f"<p>Not published: {html.escape(self.gate)}"
        return (
            f"<table><caption>{html.escape(self.experiment)}</caption><thead><tr><th>Split</th>"
            "<th>Accuracy</th><th>95 % interval</th><th>Pictures</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>{closed}{page}"
        )


SHOWN = ("mean", "low", "high")
