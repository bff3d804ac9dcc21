"""The step `clean`: a collection goes in, usable images come out."""

from storage import manifests
from storage.images import ImageStore
from storage.references import CollectionRef, ImagesRef
from storage.workspace import Workspace
from tasks.clean import facts, screen
from tasks.clean.parameters import Clean
from tasks.running import counters
from tasks.running.progress import progress_artifact, tracked
from tasks.running.steps import step


@step()
def clean(collection: CollectionRef, parameters: Clean) -> ImagesRef:
    """Every picture decoded once; what cannot be used is set aside with its reason."""
    workspace = Workspace.current()
    rows = manifests.load(workspace.path(collection))
    store = facts.store_of(workspace, parameters.max_pixels)
    known = store.index()
    missing = [name for name in dict.fromkeys(rows["image"]) if name and name not in known]
    with tracked("clean", len(missing), progress_artifact("clean")) as advance:
        images = ImageStore(workspace.images)
        facts.compute(images, store, missing, max_pixels=parameters.max_pixels, advance=advance)
    counters.count("decoded", len(missing))
    table = screen.screen(
        rows,
        facts.load(store),
        min_side=parameters.min_side,
        near_duplicates=parameters.near_duplicates,
    )
    classes = screen.require_classes(table)
    digest, path = manifests.save(workspace.manifests, table)
    return ImagesRef(
        digest=digest,
        where=workspace.relative(path),
        bytes=path.stat().st_size,
        classes=classes,
        near_duplicates=parameters.near_duplicates,
        **screen.counts(table),
    )
