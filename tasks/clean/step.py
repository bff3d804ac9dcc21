"""The step `clean`: a collection goes in, usable images come out."""

from contextlib import AbstractContextManager

import pandas as pd

from storage import manifests
from storage.references import CollectionRef, CorrectionsRef, ImagesRef
from storage.statuses import Status
from storage.workspace import Workspace
from tasks.clean import facts, given_splits, screen, small_classes
from tasks.clean.corrections import apply
from tasks.clean.given_splits import Splits
from tasks.clean.likeness import likeness
from tasks.clean.parameters import LOOKING, Clean, Looking, Needed
from tasks.running import counters
from tasks.running.engine.mapping import mapped
from tasks.running.engine.parameters import HERE, Engine
from tasks.running.progress import Advance, progress_artifact, tracked
from tasks.running.steps import step

MOST_REMARKS = 3


# What computes candidates does not decide which pictures are copies.
@step(without_effect={"looking", "engine"})
def clean(
    collection: CollectionRef,
    parameters: Clean,
    needed: Needed = Needed(),
    splits: Splits = "own",
    burst_seconds: float | None = None,
    looking: Looking = LOOKING,
    corrections: CorrectionsRef | None = None,
    *,
    new_classes: bool = False,
    engine: Engine = HERE,
) -> ImagesRef:
    """Every picture decoded once; what cannot be used is set aside with its reason.

    `needed` is what the split to come asks of each class, `splits` whether it takes those that the
    source gives, `looking` what computes the features that copies are found by. `corrections` are
    labels that people corrected, to `new_classes` too if they may. `engine` looks at pictures.
    """
    workspace = Workspace.current()
    rows = manifests.load(workspace.path(collection))
    corrected: tuple[str, ...] = ()
    if corrections is not None:
        said = manifests.load(workspace.path(corrections))
        rows, corrected = apply(rows, said, new_classes=new_classes)
    store = facts.store_of(workspace, parameters.max_pixels)
    names = [name for name in dict.fromkeys(rows["image"]) if name]
    known = store.knowing(names)
    missing = [name for name in names if name not in known]
    with _shown("clean", len(missing)) as advance:
        job = facts.FactsJob(parameters.max_pixels)
        counters.count("decoded", mapped(engine, job, missing, advance))
    given = given_splits.apply(splits, rows)
    about = facts.load(store)
    images = screen.usable(rows, about, parameters.min_side)
    alike = likeness(workspace, about, images, parameters.copies, looking, _shown, engine)
    table = screen.screen(
        rows,
        about,
        min_side=parameters.min_side,
        alike=alike,
        given=given,
        burst_seconds=burst_seconds,
    )
    table, remarks = small_classes.set_aside(
        table, parameters, Needed() if given else needed, given=given
    )
    classes = screen.require_classes(table, all_of_them=parameters.small_classes == "refuse")
    lost = screen.lost_classes(table)
    remarks += [f"no picture of class {label!r} can be used" for label in lost]
    digest, path = manifests.save(workspace.manifests, table)
    return ImagesRef(
        digest=digest,
        where=workspace.relative(path),
        bytes=path.stat().st_size,
        classes=classes,
        copies=parameters.copies,
        given=given,
        corrections=corrections.where if corrections else "",
        remarks=(
            *corrected,
            *filter(None, [alike.remark]),
            *remarks[:MOST_REMARKS],
            *_of_pictures(table),
        ),
        **screen.counts(table),
    )


def _shown(label: str, total: int) -> AbstractContextManager[Advance]:
    return tracked(label, total, progress_artifact("clean"))


def _of_pictures(table: pd.DataFrame) -> list[str]:
    """How many pictures were read with a remark, and what the commonest ones are."""
    kept = table[(table["status"] == Status.KEPT) & (table["remark"] != "")]
    kinds = kept.groupby(kept["remark"].str.replace(r"[0-9.]+", "…", regex=True))
    first = kinds[["name", "remark"]].first().assign(number=kinds.size())
    return [
        f"{one.number} pictures, as {one.name!r}: {one.remark}"
        for one in first.nlargest(MOST_REMARKS, "number").itertuples(index=False)
    ]
