"""Files found become a collection: pictures in the image store, one row per file in a manifest."""

from collections.abc import Iterable

import pandas as pd

from storage import manifests
from storage.errors import NoUsablePictures, SourceError
from storage.images import ImageStore
from storage.references import CollectionRef
from storage.statuses import Status
from storage.workspace import Workspace
from tasks.acquire.files import Found
from tasks.acquire.labels import Labeller
from tasks.acquire.natural_order import natural_key
from tasks.running.progress import Advance

SPLITS = frozenset(
    {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "holdout"}
)
COLUMNS = ("name", "label", "source", "image", "bytes", "status", "reason")


def collect(
    files: Iterable[Found], label_of: Labeller, origin: str, images: ImageStore, advance: Advance
) -> pd.DataFrame:
    """One row per file, in natural order of names (COLUMNS); pictures are stored on the way."""
    rows = []
    for found in files:
        rows.append(_row(found, label_of, origin, images))
        advance(1)
    rows.sort(key=lambda row: (natural_key(str(row[0])), str(row[0])))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(
    found: Found, label_of: Labeller, origin: str, images: ImageStore
) -> tuple[str | int, ...]:
    # A name may hold bytes that are no text; tables and pages hold only text.
    name = found.name.encode("utf-8", "backslashreplace").decode()
    label = label_of(name)
    if found.data is None:
        return name, label, origin, "", 0, str(found.status), found.reason
    image = images.add(found.data)
    kept = (Status.KEPT, "") if label else (Status.UNLABELLED, "no label")
    return name, label, origin, image, len(found.data), str(kept[0]), kept[1]


def save(workspace: Workspace, table: pd.DataFrame, origin: str) -> CollectionRef:
    """The reference to the stored table.

    NoUsablePictures when no row is a labelled picture, SourceError when the labels are splits.
    """
    kept = int((table["status"] == Status.KEPT).sum())
    if not kept:
        raise NoUsablePictures(
            f"expected labelled pictures in {origin}, found {counted(table) or 'no files'}. Is it "
            "complete? A label is the folder that a picture is in, or what source.label_from and "
            "source.label_pattern say of an archive"
        )
    _require_no_splits(set(table.loc[table["status"] == Status.KEPT, "label"]), origin)
    digest, path = manifests.save(workspace.manifests, table)
    return CollectionRef(
        digest=digest,
        where=workspace.relative(path),
        bytes=path.stat().st_size,
        images=kept,
        rows=len(table),
    )


def _require_no_splits(labels: set[str], origin: str) -> None:
    """Somebody's train/cat/1.jpg would become a picture of the class train."""
    if len(labels) > 1 and SPLITS.issuperset(label.lower() for label in labels):
        raise SourceError(
            f"expected classes in {origin}, found {', '.join(sorted(labels))}: those are splits, "
            "and Darkroom makes its own. Name one of them in source.folder; or pack them all into "
            "a zip: source.kind=archive, source.label_from=folder takes the innermost folder"
        )


def counted(table: pd.DataFrame) -> str:
    """How many rows have which status, and the commonest reason: `2 truncated (…), 1 empty (…)`."""
    said = []
    for status, count in table["status"].value_counts().items():
        reason = table.loc[table["status"] == status, "reason"].mode().iloc[0]
        said.append(f"{count} {status}" + (f" ({reason})" if reason else ""))
    return ", ".join(said)
