"""The step `acquire`: a source goes in, a collection comes out."""

from storage.errors import SourceChanged
from storage.references import CollectionRef
from storage.workspace import Workspace
from tasks.acquire import kinds
from tasks.acquire.collection import save
from tasks.acquire.gathering import Again, Gathering
from tasks.acquire.parameters import LATER, MANNERS, Source
from tasks.running.progress import progress_artifact, tracked
from tasks.running.steps import step

# How hosts are treated decides when the pictures come, not which.
WITHOUT_EFFECT = frozenset({"again", *(f"source.{name}" for name in MANNERS | LATER)})


@step(without_effect=WITHOUT_EFFECT)
def acquire(
    source: Source,
    fingerprint: str,
    visits: int = 0,  # noqa: ARG001 - a part of the key
    again: Again = "no",
    lists: dict[str, str] = {},  # noqa: B006 - never changed
) -> CollectionRef:
    """Every file of the source as a row, every picture in the image store.

    `lists` are the files that name the pictures of a split (split -> file). `fingerprint` is what
    the source held when the run began; SourceChanged if that changes.
    `visits` is how often its addresses were gone through again: another visit is another result.
    `again` says which addresses that were visited before are visited once more.
    """
    workspace = Workspace.current()
    with tracked("acquire", None, progress_artifact("acquire")) as advance:
        collected = kinds.rows(source, Gathering(workspace, again, advance, lists))
    if kinds.fingerprint(workspace, source, lists) != fingerprint:
        raise SourceChanged(
            f"{collected.origin} changed while it was being read: expected a finished source. Wait "
            "until it is written completely, then run again"
        )
    return save(workspace, collected)
