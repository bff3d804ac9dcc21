"""The step `split`: usable images go in, train, validation and test come out."""

import pandas as pd

from storage import manifests, trees
from storage.names import as_file_name
from storage.references import SPLITS, AssignmentRef, ImagesRef, SplitRef
from storage.statuses import Status
from storage.wholeness import leaves_of
from storage.workspace import Workspace
from tasks.running.steps import step
from tasks.split import lineage as lineages
from tasks.split import rules
from tasks.split.parameters import Split


@step()
def split(
    images: ImagesRef,
    parameters: Split,
    lineage: str | None = None,
    previous: AssignmentRef | None = None,
) -> SplitRef:
    """Every usable image in one split, near-duplicates together; with a folder tree of hard links.

    Splits that the source gives are as given, and what crosses them is left out or counted.
    A sticky split belongs to a lineage, named by its experiment; `previous` is the lineage's
    assignment so far, whose pictures do not move.
    """
    workspace = Workspace.current()
    table = manifests.load(workspace.path(images))
    kept = table[table["status"] == Status.KEPT].reset_index(drop=True)
    earlier = lineages.assignment_of(workspace, previous)
    placed, remarks = rules.assign(kept, parameters, earlier, given=images.given)
    pictures = int((placed["split"] != "").sum())
    laid_out = parameters.wants_tree(pictures)
    if not laid_out and parameters.tree is None:
        remarks.append(
            f"{pictures:,} pictures are not laid out as folders of each split: split.tree=true "
            "does that"
        )
    if lineage is None:
        return _save(workspace, placed, "", remarks, laid_out=laid_out)
    kept_at = workspace.lineage(as_file_name(lineage), parameters.seed)
    reference = _save(workspace, placed, workspace.relative(kept_at), remarks, laid_out=laid_out)
    lineages.remember(workspace, lineage, parameters, images, reference, previous)
    return reference


def _save(
    workspace: Workspace,
    table: pd.DataFrame,
    lineage: str,
    remarks: list[str],
    *,
    laid_out: bool,
) -> SplitRef:
    digest, path = manifests.save(workspace.manifests, table)
    tree = workspace.splits / digest
    if laid_out:
        leaves = leaves_of(workspace, table)
        if not trees.is_whole(tree, leaves):
            trees.grow(tree, leaves, SPLITS)
    counts = table["split"].value_counts()
    return SplitRef(
        digest=digest,
        where=workspace.relative(path),
        bytes=path.stat().st_size,
        tree=workspace.relative(tree) if laid_out else "",
        lineage=lineage,
        classes=tuple(sorted(table.loc[table["split"] != "", "label"].unique())),
        left_out=int(counts.get("", 0)),
        remarks=tuple(remarks),
        **{name: int(counts.get(name, 0)) for name in SPLITS},
    )
