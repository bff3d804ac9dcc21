"""Maps between two pictures' unit squares, as (3, 3) matrices of homogeneous coordinates."""

from functools import cache

import numpy as np

from tasks.pictures.opencv import cv2

CORNERS = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]], float)
MIRROR = np.array([[-1, 0, 1], [0, 1, 0], [0, 0, 1]], float)
# How much larger or smaller (as areas) one picture may show what the other does.
LEAST_AREA, MOST_AREA = 0.15, 7.0
# Nearer to the eye than this, one corner is no tilted picture's.
LEAST_DEPTH = 0.2
GRID = 32


def pixels_of_unit(matrix: np.ndarray, side: int) -> np.ndarray:
    """The same map between the pixels (centres at whole numbers) of squares with this side."""
    scale = _scale(side, -0.5)
    found = scale @ matrix @ np.linalg.inv(scale)
    return found / found[2, 2]


def unit_of_pixels(matrix: np.ndarray, side: int, offset: float = -0.5) -> np.ndarray:
    """The other way; `offset` is where the first pixel's left edge lies."""
    scale = _scale(side, offset)
    found = np.linalg.inv(scale) @ matrix @ scale
    return found / found[2, 2]


def _scale(side: int, offset: float) -> np.ndarray:
    return np.array([[side, 0, offset], [0, side, offset], [0, 0, 1.0]])


def laid(
    picture: np.ndarray, counts: np.ndarray, matrix: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A square picture where the map from another's unit square puts it, and where it counts.

    `counts` is (side, side) float32, 0 where it does not; so are places that it does not reach.
    """
    side = len(picture)
    place, size = pixels_of_unit(matrix, side), (side, side)
    found = cv2.warpPerspective(
        picture.astype(np.float32), place, size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    where = cv2.warpPerspective(counts, place, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return found, where


def turned(matrix: np.ndarray, degrees: float) -> np.ndarray:
    """The map with the first picture turned about its middle before."""
    angle = np.deg2rad(degrees)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    centre = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1.0]])
    return matrix @ np.linalg.inv(centre) @ turn @ centre


def corners(matrix: np.ndarray) -> np.ndarray | None:
    """(4, 2): where the first square's corners come to lie; None if the map is no view of it."""
    found = CORNERS @ matrix.T
    if not np.isfinite(found).all() or (found[:, 2] <= LEAST_DEPTH).any():
        return None
    flat = found[:, :2] / found[:, 2:]
    return flat if LEAST_AREA < area(flat) < MOST_AREA else None


def area(polygon: np.ndarray) -> float:
    """Of a polygon (n, 2), whichever way round."""
    x, y = polygon.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def askew(matrix: np.ndarray) -> float:
    """How far upright or level lines of the unit square get from being so; 0 for a straight map."""
    return float(np.abs([matrix[0, 1], matrix[1, 0], matrix[2, 0], matrix[2, 1]]).max())


def shares(matrix: np.ndarray) -> tuple[float, float]:
    """How much of the first and of the second square lies on the other, each from 0 to 1."""
    return _on_square(matrix), _on_square(np.linalg.inv(matrix))


def _on_square(matrix: np.ndarray) -> float:
    """The share of a grid of points that the map leaves on the square."""
    found = matrix @ _grid()
    ahead = found[2] > 0
    x, y = found[:2] / np.where(ahead, found[2], 1)
    return float(np.mean(ahead & (x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)))


@cache
def _grid() -> np.ndarray:
    """(3, GRID ** 2): points spread evenly over the unit square."""
    places = (np.arange(GRID) + 0.5) / GRID
    across, down = (one.ravel() for one in np.meshgrid(places, places))
    return np.stack([across, down, np.ones(GRID * GRID)])
