"""The list of all that a workspace holds, which lists, checks, frees and explains it."""

import functools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from storage.inventory import damage, needs
from storage.inventory.needs import Needs
from storage.workspace import Workspace


class Again(StrEnum):
    """How what is damaged or lost comes back."""

    BY_A_RUN = "a run makes it again"
    IN_PASSING = "made anew where it is missed"
    NEVER = "no run makes it again"


class Kind(NamedTuple):
    """One kind of thing: where it lies, what it is, and how it is looked after.

    `where` are paths of the workspace, `*` for any name; what lies below belongs to it. `checked`
    says how damage shows, `damaged` and `unneeded` find it, and what can go.
    """

    name: str
    where: tuple[str, ...]
    holds: str
    again: Again
    checked: str
    damaged: Callable[[Workspace], Iterable[Path]]
    unneeded: Callable[[Workspace, Needs], Iterable[Path]]

    def has(self, relative: str) -> bool:
        """Whether what lies at this path of the workspace is of this kind."""
        return any(_expression(pattern).fullmatch(relative) for pattern in self.where)


# Where two match, the first counts.
KINDS = (
    Kind(
        "format", ("workspace.json",), "In which format all is stored.", Again.IN_PASSING,
        "whenever the workspace is looked at", damage.of_format, needs.none,
    ),
    Kind(
        "images", ("images/??/*",), "Every picture once.", Again.BY_A_RUN,
        "by the SHA-256 in its name, whenever it is read", damage.of_images, needs.of_images,
    ),
    Kind(
        "manifests", ("manifests/*.parquet",),
        "Tables: what was found, what was kept, which split.", Again.BY_A_RUN,
        "by the digest in its name, and by its pages' checksums whenever it is read",
        damage.of_manifests, needs.of_pattern("manifests/*.parquet"),
    ),
    Kind(
        "facts", ("facts/*/*.arrow",), "Size, format and likeness of pictures.", Again.BY_A_RUN,
        "by the SHA-256 in its name, when a process first reads it",
        damage.of_facts, needs.of_facts,
    ),
    Kind(
        "lineages", (f"splits/{damage.LINEAGE}/*.json",),
        "Where sticky splits put pictures.", Again.NEVER,
        "by its copies, whenever it is read", damage.of_lineages, needs.none,
    ),
    Kind(
        "splits", ("splits/*",), "Folder trees of hard links to the images.", Again.BY_A_RUN,
        "each file is a stored picture", damage.of_trees, needs.of_pattern("splits/*"),
    ),
    Kind(
        "features", ("features/*/*.arrow", "features/*/sets/*.json", "features/*/space.json"),
        "Features in shards, lists of shards, descriptions of spaces.", Again.BY_A_RUN,
        "by the SHA-256 in its name, when a process first reads it",
        damage.of_features, needs.of_features,
    ),
    Kind(
        "publications", ("models/published/*",),
        "Logs of what was published; links and cards that follow them.", Again.NEVER,
        "by its copies, whenever it is read", damage.of_publications, needs.none,
    ),
    Kind(
        "models", ("models/*",), "Trained models.", Again.BY_A_RUN,
        "by its list of SHA-256, when a process first reads it",
        damage.of_result_folders("models/*"), needs.of_pattern("models/*"),
    ),
    Kind(
        "evaluations", ("evaluations/*",), "What is known of a model.", Again.BY_A_RUN,
        "by its list of SHA-256, when a process first reads it",
        damage.of_result_folders("evaluations/*"), needs.of_pattern("evaluations/*"),
    ),
    Kind(
        "index", ("reports/index.html", "reports/*/latest"),
        "The page over all runs, links to the latest.", Again.IN_PASSING,
        "by the SHA-256 in its last line; a link leads to a report", damage.of_indices, needs.none,
    ),
    Kind(
        "reports", ("reports/*/*",), "A folder per run.", Again.BY_A_RUN,
        "by its list of SHA-256, when a process first reads it",
        damage.of_result_folders("reports/*/*"), needs.none,
    ),
    Kind(
        "records", ("records/*/*/*.json",), "What executions of steps took and gave.",
        Again.IN_PASSING, "by the SHA-256 in its name, whenever it is read",
        damage.of_records, needs.none,
    ),
    Kind(
        "results", ("results/*",), "Which result each key of a step has.", Again.BY_A_RUN,
        "by the SHA-256 inside, and that what it points to is there, in every run",
        damage.of_results, needs.none,
    ),
    Kind(
        "ledger", ("downloads/ledger.sqlite*",), "What became of addresses.", Again.NEVER,
        "by SQLite's own check, and row by row", damage.of_ledger, needs.none,
    ),
    Kind(
        "downloads", ("downloads/*",), "Archives and pages from the web.", Again.BY_A_RUN,
        "by the archive's own checksums when it is unpacked", damage.none, needs.none,
    ),
    Kind(
        "unfinished", ("unfinished/*",), "What a killed run goes on with.", Again.BY_A_RUN,
        "by its list of SHA-256, when a run takes it up", damage.none,
        needs.abandoned("unfinished"),
    ),
    Kind(
        "tensorboard", ("tensorboard/*",), "Logs of trainings.", Again.BY_A_RUN,
        "not at all", damage.none, needs.abandoned("tensorboard"),
    ),
    Kind(
        "generations", ("generations/*",),
        "Copies of what no run makes again, the last three of each.", Again.IN_PASSING,
        "by the SHA-256 in its name", damage.of_generations, needs.of_generations,
    ),
    Kind(
        "pushed", ("pushed/*",), "What a remote was given, and which pointers it had last.",
        Again.IN_PASSING, "not at all", damage.none, needs.none,
    ),
    Kind(
        "fingerprints", ("fingerprints.sqlite*",), "Digests of source files.", Again.IN_PASSING,
        "by SQLite's own check", damage.of_fingerprints, needs.none,
    ),
    Kind(
        "locks", ("locks/*",), "Locks between processes, empty.", Again.IN_PASSING,
        "not at all", damage.none, needs.none,
    ),
)  # fmt: skip


def kind_of(workspace: Workspace, path: Path) -> Kind | None:
    """The kind of what lies at `path`; None of what is strange here."""
    relative = workspace.relative(path)
    return next((kind for kind in KINDS if kind.has(relative)), None)


def all_files(workspace: Workspace) -> Iterator[tuple[Path, Kind | None]]:
    """Every file, of any kind; half-written ones and links are left out."""
    for folder, subfolders, names in os.walk(workspace.root):
        subfolders[:] = filter(damage.is_finished_name, subfolders)
        for name in filter(damage.is_finished_name, names):
            path = Path(folder, name)
            if not path.is_symlink():
                yield path, kind_of(workspace, path)


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression for all at and below such paths."""
    signs = {"*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(signs.get(sign, re.escape(sign)) for sign in pattern) + "(/.*)?")
