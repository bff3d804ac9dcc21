"""Whether a model was trained on a picture, or on a copy of it: what it then says proves nothing.

That is known of models of this workspace. Copies are looked for among the pictures' thumbnails, as
they are and mirrored, and laid over each other as `clean` does it; where `clean` did not look for
edited copies, only the same bytes are known again.
"""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from storage import digests
from storage.workspace import Workspace
from tasks.classify.parameters import Known
from tasks.clean.copies import descriptors, looks
from tasks.clean.copies.agreement import canvas
from tasks.clean.copies.candidates import LEAST_COSINE
from tasks.clean.copies.geometry import MIRROR
from tasks.clean.copies.looks import OF_PICTURE, Looks
from tasks.clean.copies.verification import verdict
from tasks.pictures.decoding import Problem
from tasks.pictures.parameters import Square
from tasks.pictures.resizing import shown

NEIGHBOURS = 3


class TrainedOn:
    """The pictures that a model was trained on."""

    def __init__(self, workspace: Workspace, images: list[str]) -> None:
        store = looks.store_of(workspace)
        self._names = {Path(name).stem for name in images}
        index = store.index()
        self._looks = Looks(store, [name for name in images if name in index])
        held = self._looks.column(OF_PICTURE).astype(np.float32) if len(self._looks) else None
        self._held = held if held is None else _unit(held)

    @classmethod
    def by(cls, split: Path) -> "TrainedOn":
        """The training pictures of this manifest of `split`."""
        table = pq.ParquetFile(split).read(columns=["image", "split"]).to_pydict()
        pairs = zip(table["image"], table["split"], strict=True)
        return cls(Workspace.current(), [image for image, place in pairs if place == "train"])

    def knows(self, data: bytes, pixels: np.ndarray, square: Square) -> Known:
        """How the picture with these bytes, shown as `pixels`, is among them; "" if it is not."""
        if digests.of_bytes(data) in self._names:
            return "same file"
        if self._held is None:
            return ""
        seen = pixels if square == looks.SEEN else shown(data, looks.SEEN)
        if isinstance(seen, Problem):
            return ""
        grey = looks.seen(seen).grey
        described = descriptors.of_pictures(grey[None])
        here = canvas(grey)
        for asked, start in ((described, np.eye(3)), (descriptors.mirrored(described), MIRROR)):
            alike = self._held @ _unit(asked.astype(np.float32))[0]
            for place in np.argsort(-alike)[:NEIGHBOURS]:
                if alike[place] < LEAST_COSINE:
                    break
                there = canvas(self._looks.shown(int(place)))
                if verdict(here, there, [start]).agreement.copies:
                    return "copy"
        return ""


def _unit(rows: np.ndarray) -> np.ndarray:
    found: np.ndarray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)
    return found
