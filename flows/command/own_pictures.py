"""An experiment for pictures that somebody has: from a path alone, without an entry in a file."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from flows.experiments import deployments
from flows.parameters import Experiment
from flows.settings import as_setting, experiment_of
from storage import records
from storage.errors import ParameterError, SourceMissing
from storage.names import as_file_name
from storage.workspace import Workspace
from tasks.acquire.archives.reading import is_archive
from tasks.acquire.tables.reading import READERS

# Whose parameters hold for whatever pictures.
BASE = "my-pictures"
ADDRESSES = ("http://", "https://")


def settings_for(pictures: str) -> list[str]:
    """The settings that take these pictures: a folder, an archive, a table, an address.

    SourceMissing where there is nothing.
    """
    if pictures.startswith(ADDRESSES):
        return ["source.kind=web_archive", as_setting("source.url", pictures)]
    path = Path(pictures).expanduser()
    if path.is_dir():
        return ["source.kind=folders", as_setting("source.folder", path)]
    if not path.is_file():
        raise SourceMissing(
            f"expected pictures at {path}, found nothing there: name a folder, a zip or tar, or a "
            "table of labels that lies beside its pictures"
        )
    if path.suffix.lower() in READERS and not is_archive(path.name):
        return [
            "source.kind=folders",
            as_setting("source.folder", path.parent),
            as_setting("source.label_csv", path.absolute()),
        ]
    return ["source.kind=archive", as_setting("source.archive", path)]


def name_for(pictures: str) -> str:
    """What an experiment of these pictures is called: as the folder, or the archive."""
    if pictures.startswith(ADDRESSES):
        path = Path(urlsplit(pictures).path or "pictures")
    else:
        path = Path(pictures).expanduser().resolve()
    name = path.name
    if not path.is_dir():
        while (suffix := Path(name).suffix) and (suffix in READERS or is_archive(f"x{suffix}")
                                                 or suffix in (".gz", ".bz2", ".xz")):  # fmt: skip
            name = name[: -len(suffix)]
    return as_file_name(name)[:100] or "pictures"


def experiment_for(pictures: str, name: str | None, settings: list[str]) -> Experiment:
    """The experiment of these pictures; ParameterError where its name is that of others."""
    tree = dict(deployments()[BASE]["parameters"]) | {"experiment": name or name_for(pictures)}
    experiment = experiment_of(tree, [*settings_for(pictures), *settings])
    if name is None:
        _require_own(experiment)
    return experiment


def _require_own(experiment: Experiment) -> None:
    before = records.latest(Workspace.current(), experiment.experiment, "acquire")
    if before is None:
        return
    source = experiment.source
    for field in ("folder", "archive", "url"):
        now = getattr(source, field, None)
        place = json.loads(before.parts.get(f"source.{field}", "null"))
        if now is not None and place and Path(place).absolute() != Path(now).absolute():
            raise ParameterError(
                f"{experiment.experiment} is the experiment of other pictures, {place}: give these "
                f"a name with --name, or say --name {experiment.experiment} if they are the same, "
                "moved"
            )
