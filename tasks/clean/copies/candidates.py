"""Which pictures may be copies of each other: those with the nearest descriptors."""

import os
from typing import NamedTuple

import numpy as np

from tasks.clean.copies import descriptors
from tasks.clean.copies.looks import OF_MAPS, OF_PICTURE, Looks

# How many neighbours are asked for, and how near they have to be (cosine).
BY_MAPS, BY_PICTURE, BY_MIRROR_IMAGE = 3, 2, 1
LEAST_COSINE = 0.5
# Of more pictures than these, new ones among known ones are looked for one by one.
FEW = 0.1
AT_A_TIME = 64
# What a graph of neighbours (Malkov and Yashunin 2016) is built and searched with.
LINKS, EXPANSION = 16, 64


class Candidates(NamedTuple):
    """Pairs of pictures, (m, 2) places with the first before the second, and their cosines."""

    pairs: np.ndarray
    by_maps: np.ndarray
    by_picture: np.ndarray
    by_mirror_image: np.ndarray


def candidates(looks: Looks, new: np.ndarray) -> Candidates:
    """Pairs with at least one `new` picture, a (n,) bool; those that share pictures together."""
    maps, pictures = looks.column(OF_MAPS), looks.column(OF_PICTURE)
    mirrored = descriptors.mirrored(pictures)
    found = [
        _nearest(maps, maps, new, BY_MAPS),
        _nearest(pictures, pictures, new, BY_PICTURE),
        _nearest(pictures, mirrored, new, BY_MIRROR_IMAGE),
    ]
    pairs = _ordered(np.unique(np.sort(np.concatenate(found), axis=1), axis=0), len(new))
    of_both = [(maps, maps), (pictures, pictures), (mirrored, pictures)]
    return Candidates(pairs, *(descriptors.cosines(one, two, pairs) for one, two in of_both))


def _ordered(pairs: np.ndarray, count: int) -> np.ndarray:
    """The same, so that a picture's pairs follow soon after each other (Cuthill and McKee 1969)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    ones = np.ones(len(pairs), bool)
    graph = coo_array((ones, pairs.T), (count, count)).tocsr()
    place = np.empty(count, int)
    place[reverse_cuthill_mckee(graph + graph.T, symmetric_mode=True)] = np.arange(count)
    ends = np.sort(place[pairs], axis=1)
    return pairs[np.lexsort((ends[:, 0], ends[:, 1]))]


def _nearest(held: np.ndarray, asked: np.ndarray, new: np.ndarray, count: int) -> np.ndarray:
    """(m, 2) places: of each new picture's `asked`, the nearest of the others that are `held`."""
    from usearch.index import Index, search

    something = np.flatnonzero(held.any(axis=1))
    queries = np.flatnonzero(new & asked.any(axis=1))
    if len(something) < 2 or not len(queries):
        return np.empty((0, 2), np.int64)
    count = min(count + 1, len(something))  # itself may be among them
    threads = os.cpu_count() or 1
    if len(queries) < FEW * len(something):
        exact = {"metric": "cos", "exact": True, "threads": threads}
        table = held[something]
        # All at once it would hold a distance for each pair.
        parts = [
            search(table, asked[queries[start : start + AT_A_TIME]], count, **exact)
            for start in range(0, len(queries), AT_A_TIME)
        ]
        keys = np.concatenate([np.atleast_2d(part.keys) for part in parts])
        distances = np.concatenate([np.atleast_2d(part.distances) for part in parts])
    else:
        index = Index(
            ndim=held.shape[1], metric="cos", dtype="i8",
            connectivity=LINKS, expansion_add=EXPANSION, expansion_search=EXPANSION,
        )  # fmt: skip
        # Several threads at once would build another graph each time.
        index.add(np.arange(len(something)), held[something], threads=1)
        found = index.search(asked[queries], count, threads=threads)
        keys, distances = np.atleast_2d(found.keys), np.atleast_2d(found.distances)
    rows, columns = np.nonzero(1 - distances >= LEAST_COSINE)
    pairs = np.stack([queries[rows], something[keys[rows, columns].astype(np.int64)]], axis=1)
    return pairs[pairs[:, 0] != pairs[:, 1]]
