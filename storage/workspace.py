"""Where everything is: the only module that builds paths of the workspace."""

import os
from dataclasses import dataclass
from pathlib import Path

from storage.references import Reference

HOME_VARIABLE = "DARKROOM_HOME"


@dataclass(frozen=True)
class Workspace:
    """The folder that holds all that Darkroom stores (`$DARKROOM_HOME`, default `./workspace`)."""

    root: Path

    @classmethod
    def current(cls) -> "Workspace":
        """The workspace of this process, as an absolute path; nothing is created."""
        return cls(Path(os.environ.get(HOME_VARIABLE) or "workspace").expanduser().resolve())

    @property
    def images(self) -> Path:
        return self.root / "images"

    @property
    def manifests(self) -> Path:
        return self.root / "manifests"

    @property
    def facts(self) -> Path:
        return self.root / "facts"

    @property
    def splits(self) -> Path:
        return self.root / "splits"

    @property
    def features(self) -> Path:
        return self.root / "features"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def evaluations(self) -> Path:
        return self.root / "evaluations"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def records(self) -> Path:
        return self.root / "records"

    @property
    def results(self) -> Path:
        """Prefect's own records of cached results."""
        return self.root / "results"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def downloads(self) -> Path:
        """Sources that Darkroom itself wrote or fetched."""
        return self.root / "downloads"

    @property
    def unfinished(self) -> Path:
        """Work in progress that a killed run may take up again."""
        return self.root / "unfinished"

    @property
    def tensorboard(self) -> Path:
        """Logs of trainings for TensorBoard, by the key of the training."""
        return self.root / "tensorboard"

    @property
    def fingerprints(self) -> Path:
        return self.root / "fingerprints.sqlite"

    def lineage(self, experiment: str, seed: int) -> Path:
        """The newest assignment of a sticky split; `experiment` is fit to be a file name."""
        return self.splits / "lineage" / f"{experiment}-{seed}.json"

    def relative(self, path: Path) -> str:
        """`path` as references store it: relative to the root, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    def path(self, reference: Reference) -> Path:
        """Where the file or folder is that a reference points to."""
        return self.root / reference.where
