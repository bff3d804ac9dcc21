"""The step `clean`: a collection goes in, usable images come out."""

from prefect import task

from storage import manifests
from storage.images import ImageStore
from storage.references import CollectionRef, ImagesRef
from storage.workspace import Workspace
from tasks.clean import facts, screen
from tasks.pictures.decoding import MAX_PIXELS
from tasks.running import counters
from tasks.running.caching import BY_CONTENT, progress_artifact
from tasks.running.progress import tracked


@task(name="clean", cache_policy=BY_CONTENT)
def clean(
    collection: CollectionRef,
    *,
    min_side: int = 16,
    max_pixels: int = MAX_PIXELS,
    near_duplicates: bool = True,
) -> ImagesRef:
    """Every picture decoded once; what cannot be used is set aside with its reason."""
    workspace = Workspace.current()
    rows = manifests.load(workspace.root / collection.where)
    store = facts.store_of(workspace, max_pixels)
    known = store.index()
    missing = [name for name in dict.fromkeys(rows["image"]) if name and name not in known]
    with tracked("clean", len(missing), progress_artifact("clean")) as advance:
        images = ImageStore(workspace.images)
        facts.compute(images, store, missing, max_pixels=max_pixels, advance=advance)
    counters.count("decoded", len(missing))
    table = screen.screen(
        rows, facts.load(store), min_side=min_side, near_duplicates=near_duplicates
    )
    classes = screen.require_classes(table)
    digest, path = manifests.save(workspace.manifests, table)
    return ImagesRef(
        digest=digest,
        where=workspace.relative(path),
        bytes=path.stat().st_size,
        classes=classes,
        **screen.counts(table),
    )
