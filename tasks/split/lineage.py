"""The memory of a sticky split: where every picture that an experiment ever had was put."""

from storage import atomic, digests, folders, manifests
from storage.names import as_file_name
from storage.references import SPLITS, AssignmentRef, ImagesRef, SplitRef
from storage.workspace import Workspace
from tasks.split.rules import Counts, Fractions


def previous_assignment(
    workspace: Workspace,
    line: str | None,
    seed: int,
    images: object,
    amounts: Counts | Fractions,
) -> AssignmentRef | None:
    """The assignment that a sticky split of `images` continues; None for the first of its line,
    for a split that is not sticky (`line` is None) and while `images` is not known.

    Where the newest one was itself made for these images and shares, that is the one it continued:
    the same images ask for the same split again, which is then a cache hit.
    """
    if line is None or not isinstance(images, ImagesRef):
        return None
    path = workspace.lineage(as_file_name(line), seed)
    if not path.exists():
        return None
    newest = folders.read_json(path)
    again = newest["made_for"] == _made_for(images, amounts)
    chosen = newest["previous" if again else "assignment"]
    return AssignmentRef.model_validate(chosen) if chosen else None


def remember(
    workspace: Workspace,
    line: str,
    seed: int,
    images: ImagesRef,
    amounts: Counts | Fractions,
    split: SplitRef,
    previous: AssignmentRef | None,
) -> None:
    """Make what `split` assigned, with all that was before it, the newest of its line."""
    import pandas as pd

    table = manifests.load(workspace.root / split.where)
    placed = table[table["split"].isin(SPLITS)]
    now = dict(zip(placed["image"], placed["split"], strict=True))
    everything = sorted((assignment_of(workspace, previous) | now).items())
    digest, path = manifests.save(
        workspace.manifests, pd.DataFrame(everything, columns=["image", "split"])
    )
    newest = AssignmentRef(
        digest=digest,
        where=workspace.relative(path),
        bytes=path.stat().st_size,
        images=len(everything),
    )
    content = {
        "made_for": _made_for(images, amounts),
        "assignment": newest.model_dump(mode="json"),
        "previous": previous.model_dump(mode="json") if previous else None,
    }
    atomic.write_json(workspace.lineage(as_file_name(line), seed), content)


def _made_for(images: ImagesRef, amounts: Counts | Fractions) -> str:
    return digests.of_value([images.digest, amounts.model_dump(mode="json")])


def assignment_of(workspace: Workspace, reference: AssignmentRef | None) -> dict[str, str]:
    """Image -> split, pictures that have gone since included."""
    if reference is None:
        return {}
    table = manifests.load(workspace.root / reference.where)
    return dict(zip(table["image"], table["split"], strict=True))
