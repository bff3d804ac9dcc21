"""Stored pictures to pixels."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tasks.pictures import resizing
from tasks.pictures.parameters import Square


@pytest.mark.parametrize(("large", "at_a_time"), [(0, {1}), (10**9, {2, 3, 4})])
def test_large_pictures_are_resized_one_at_a_time(monkeypatch, large, at_a_time):
    under_way, seen = [], []

    def watched(*given, **options):
        under_way.append(1)
        seen.append(len(under_way))
        time.sleep(0.02)  # others would come in
        under_way.pop()
        return cv2.resize(*given, **options)

    watching = SimpleNamespace(resize=watched, INTER_LINEAR=cv2.INTER_LINEAR)
    monkeypatch.setattr(resizing, "LARGE", large)
    monkeypatch.setattr(resizing, "cv2", watching)
    grey = np.full((50, 70, 3), 127, np.uint8)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: resizing.resized(grey, Square(32)), range(12)))
    assert all((one == 127).all() and one.shape == (32, 32, 3) for one in found)
    assert max(seen) in at_a_time
