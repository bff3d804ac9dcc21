import io

import numpy as np
from PIL import Image

from storage.images import ImageStore
from tasks.clean.copies import finding
from tasks.clean.copies.finding import OTHER
from tasks.clean.parameters import LOOKING
from tests.tasks.clean.encoded import photo


def tiles(side=213):
    """Twelve different pictures: parts of the two photographs that do not meet."""
    return [
        np.asarray(photo(name).crop((x, y, x + side, y + side)))
        for name in ("china.jpg", "flower.jpg")
        for y in (0, 213)
        for x in (0, 213, 426)
    ]


def as_jpeg(pixels, quality=85):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def pairs_of(workspace, pictures, looking=LOOKING):
    """Pairs of copies among pictures given as bytes or pixels, as sets of their places."""
    store = ImageStore(workspace.images)
    names = [store.add(one if isinstance(one, bytes) else as_jpeg(one)) for one in pictures]
    places = {name: place for place, name in enumerate(names)}
    pairs = finding.find(workspace, list(dict.fromkeys(names)), looking).pairs
    return {
        frozenset((places[row.image], places[getattr(row, OTHER)]))
        for row in pairs.itertuples(index=False)
    }
