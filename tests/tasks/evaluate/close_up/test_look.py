import dataclasses

import numpy as np
import pytest

from storage.errors import StorageDamaged
from storage.folders import LOOK, LOOK_ARRAYS
from tasks.evaluate.close_up import look
from tasks.evaluate.close_up.feature_maps import FeatureMaps
from tasks.evaluate.close_up.look import Looked

MAPS = FeatureMaps("conv", (4, 4, 9), [3, 1], np.arange(32, dtype=np.uint8).reshape(2, 4, 4))
HEAT = {f"{n}.jpg": np.full((5, 5), n, np.uint8) for n in range(3)}


@pytest.mark.parametrize("maps", [MAPS, None])
@pytest.mark.parametrize("heat", [HEAT, {}])
def test_what_was_saved_comes_back(tmp_path, maps, heat):
    given = Looked("1.jpg", maps, heat)
    look.save(tmp_path, given)
    found = look.load(tmp_path)
    assert found.picture == "1.jpg"
    assert found.digest == given.digest
    assert list(found.heat) == list(heat)
    assert all((found.heat[name] == heat[name]).all() for name in heat)
    assert (found.maps is None) == (maps is None)
    if maps is not None:
        assert found.maps[:3] == maps[:3]
        assert (found.maps.pixels == maps.pixels).all()


def test_the_digest_is_of_all_that_was_found():
    given = Looked("1.jpg", MAPS, HEAT)
    other = HEAT["0.jpg"].copy()
    other[2, 2] = 9
    pixels = MAPS.pixels.copy()
    pixels[0, 0, 0] = 9
    changed = [
        dataclasses.replace(given, picture="2.jpg"),
        dataclasses.replace(given, maps=None),
        dataclasses.replace(given, maps=MAPS._replace(layer="other")),
        dataclasses.replace(given, maps=MAPS._replace(channels=[1, 3])),
        dataclasses.replace(given, maps=MAPS._replace(pixels=pixels)),
        dataclasses.replace(given, heat=HEAT | {"0.jpg": other}),
        dataclasses.replace(given, heat={"0.jpg": other}),
    ]
    assert len({one.digest for one in [given, *changed]}) == 8
    assert dataclasses.replace(given).digest == given.digest


def test_an_evaluation_without_what_it_looked_at_is_damaged(tmp_path):
    with pytest.raises(StorageDamaged):
        look.load(tmp_path)


@pytest.mark.parametrize("damage", ["missing", "cut", "other", "pickled"])
def test_torn_arrays_are_damage_and_no_pickle_is_loaded(tmp_path, damage):
    look.save(tmp_path, Looked("1.jpg", MAPS, HEAT))
    path = tmp_path / LOOK_ARRAYS
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    elif damage == "other":
        np.savez(path, heat=np.zeros((1, 2, 2)), maps=MAPS.pixels)
    else:
        np.savez(path, heat=np.array([print], dtype=object), maps=MAPS.pixels)
    with pytest.raises(StorageDamaged, match=LOOK):
        look.load(tmp_path)
