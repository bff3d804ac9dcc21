"""Where everything is: the only module that builds paths of the workspace."""

import json
import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from storage import atomic
from storage.errors import NameTaken, WorkspaceNewer, WorkspaceOnNetwork, WorkspaceReadOnly
from storage.file_systems import network_file_system
from storage.names import as_file_name
from storage.references import Reference

HOME_VARIABLE = "DARKROOM_HOME"
# What several machines agree on: postgresql://USER:PASSWORD@HOST/NAME.
DATABASE_VARIABLE = "DARKROOM_DATABASE"
# Raised when an older Darkroom would take for damaged what is stored from then on.
FORMAT = 1
# Of the marker's bytes.
LONGEST = 4096


@dataclass(frozen=True)
class Workspace:
    """The folder that holds all that Darkroom stores (`$DARKROOM_HOME`, default `./workspace`)."""

    root: Path

    @classmethod
    def current(cls) -> "Workspace":
        """The workspace of this process, as an absolute path; nothing is created.

        WorkspaceNewer where a later version stores what this one would take for damaged.
        """
        root = Path(os.environ.get(HOME_VARIABLE) or "workspace").expanduser().resolve()
        found = cls(root)
        written = found.format
        if written is not None and written > FORMAT:
            raise WorkspaceNewer(
                f"the workspace {root} was written by a newer Darkroom (format {written}, this one "
                f"knows {FORMAT}), and is left alone: install that version, or set {HOME_VARIABLE} "
                "to another folder"
            )
        return found

    def made(self) -> "Workspace":
        """This workspace, its folder made; WorkspaceReadOnly if it cannot be written to.

        WorkspaceOnNetwork where other machines could write to it, unseen by this one.
        """
        kind = network_file_system(self.root)
        if kind:
            raise WorkspaceOnNetwork(
                f"the workspace {self.root} lies on a network file system ({kind}), where SQLite's "
                f"WAL is not safe: set {HOME_VARIABLE} to a folder on a disk of this machine. "
                "Machines share what they make by DARKROOM_REMOTE, which may be a folder there"
            )
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            reason = "" if os.access(self.root, os.W_OK) else "permission denied"
        except OSError as error:
            reason = str(error.strerror)
        if reason:
            raise WorkspaceReadOnly(
                f"expected a workspace that can be written to at {self.root}, found none "
                f"({reason}): set {HOME_VARIABLE} to a folder of yours"
            )
        if self.format is None:
            if self.marker.is_dir():  # no file of ours: kept beside
                self.marker.rename(self.marker.with_name(f"{self.marker.name}.in-the-way"))
            atomic.write_json(self.marker, {"format": FORMAT})
        return self

    def require_own_name(self, experiment: str) -> None:
        """NameTaken where the file system takes another experiment's folders for this one's.

        `Birds` and `birds` are one folder on the usual file systems of macOS and Windows.
        """
        name = as_file_name(experiment)
        if not (self.reports / name).exists():
            return
        others = {unicodedata.normalize("NFC", one.name) for one in self.reports.iterdir()}
        if name not in others:
            alike = (one for one in others if one.casefold() == name.casefold())
            other = next(alike, "another")
            raise NameTaken(
                f"the experiment {other!r} has the folder that {experiment!r} would have: this "
                "file system does not tell small letters from capitals. Name it otherwise"
            )

    @property
    def marker(self) -> Path:
        """The file that says in which format all is stored."""
        return self.root / "workspace.json"

    @property
    def format(self) -> int | None:
        """What the marker says; None where there is none that can be read."""
        try:
            found = json.loads(self.marker.read_bytes()[:LONGEST])["format"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        return found if type(found) is int else None

    @property
    def images(self) -> Path:
        """Every picture once, by the SHA-256 of its bytes, read-only."""
        return self.root / "images"

    @property
    def manifests(self) -> Path:
        """Tables as Parquet: what was found, what was kept, which split."""
        return self.root / "manifests"

    @property
    def facts(self) -> Path:
        """Size, format and likeness of each picture, computed once, in Arrow shards."""
        return self.root / "facts"

    @property
    def splits(self) -> Path:
        """Folder trees `<digest>/train/<class>/…`, hard links to the images; `lineage/` below."""
        return self.root / "splits"

    @property
    def features(self) -> Path:
        """Feature vectors in Arrow shards, one folder per feature space."""
        return self.root / "features"

    @property
    def models(self) -> Path:
        """Trained models, one folder each; `published/` leads to the published ones."""
        return self.root / "models"

    @property
    def evaluations(self) -> Path:
        """Predictions, metrics and what else is known of a model, one folder each."""
        return self.root / "evaluations"

    @property
    def reports(self) -> Path:
        """One folder per run, `<experiment>/<run>/`; `index.html` over all of them."""
        return self.root / "reports"

    @property
    def records(self) -> Path:
        """What every execution of a step depended on, took and gave."""
        return self.root / "records"

    @property
    def results(self) -> Path:
        """Which result each key of a step has; what makes a step cached."""
        return self.root / "results"

    @property
    def locks(self) -> Path:
        """Locks between processes; nothing is kept in them."""
        return self.root / "locks"

    @property
    def downloads(self) -> Path:
        """What was fetched from the web, and the ledger of addresses."""
        return self.root / "downloads"

    @property
    def ledger(self) -> Path:
        """The ledger of downloads: what became of every address, whichever experiment asked."""
        return self.downloads / "ledger.sqlite"

    @property
    def unfinished(self) -> Path:
        """Trainings and downloads that a killed run goes on with."""
        return self.root / "unfinished"

    @property
    def pushed(self) -> Path:
        """What a remote was given, by the key of what made it, and which pointers it had last."""
        return self.root / "pushed"

    @property
    def tensorboard(self) -> Path:
        """Logs of trainings with `training.tensorboard`, by the key of the training."""
        return self.root / "tensorboard"

    @property
    def generations(self) -> Path:
        """Copies of what no run can make again, by the path of what they are copies of."""
        return self.root / "generations"

    @property
    def fingerprints(self) -> Path:
        """Digests of source files: untouched ones are not read again."""
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
