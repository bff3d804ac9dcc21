"""What an evaluation looks at closely, and how that lies in its folder."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from storage import atomic, digests, folders
from storage.errors import StorageDamaged
from storage.folders import LOOK, LOOK_ARRAYS
from tasks.evaluate.close_up.feature_maps import FeatureMaps
from tasks.evaluate.close_up.neighbours import Neighbour


@dataclass(frozen=True)
class Looked:
    """What was found: feature maps of `picture`; Grad-CAM and neighbours by stored image name.

    A heat map is (height, width) uint8, over the whole picture; `nearest` are training pictures.
    """

    picture: str
    maps: FeatureMaps | None = None
    heat: dict[str, np.ndarray] = field(default_factory=dict)
    nearest: dict[str, list[Neighbour]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """That of all it holds."""
        arrays = {name: digests.of_bytes(one.tobytes()) for name, one in _arrays(self).items()}
        return digests.of_value([_facts(self), arrays])


def save(folder: Path, looked: Looked) -> None:
    """Write look.json and look.npz into an evaluation's folder."""
    atomic.write_json(folder / LOOK, _facts(looked))
    np.savez_compressed(folder / LOOK_ARRAYS, allow_pickle=False, **_arrays(looked))


def load(folder: Path) -> Looked:
    """What `save` wrote. StorageDamaged if torn."""
    facts = folders.read_json(folder / LOOK)
    try:
        with np.load(folder / LOOK_ARRAYS, allow_pickle=False) as arrays:
            heat = dict(zip(facts["heat"], arrays["heat"], strict=True)) if facts["heat"] else {}
            known = facts["maps"]
            maps = known and FeatureMaps(
                known["layer"], tuple(known["shape"]), known["channels"], arrays["maps"]
            )
        nearest = {
            image: [Neighbour(*one) for one in found] for image, found in facts["nearest"].items()
        }
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        BadZipFile,
        zlib.error,
    ) as error:
        raise StorageDamaged(
            f"expected the arrays that {folder / LOOK} names in {LOOK_ARRAYS} beside it, found "
            f"none ({error}): run the experiment again with --rerun evaluate"
        ) from error
    return Looked(facts["picture"], maps or None, heat, nearest)


def _facts(looked: Looked) -> dict[str, Any]:
    maps = looked.maps
    return {
        "picture": looked.picture,
        "maps": maps
        and {"layer": maps.layer, "shape": list(maps.shape), "channels": maps.channels},
        "heat": list(looked.heat),
        "nearest": looked.nearest,
    }


def _arrays(looked: Looked) -> dict[str, np.ndarray]:
    found = {} if looked.maps is None else {"maps": looked.maps.pixels}
    return found | ({"heat": np.stack(list(looked.heat.values()))} if looked.heat else {})
