"""What a picture shows, without bars and frames of one colour."""

import numpy as np

# Grey levels that an edge of one colour may vary in, and the share of its pixels that keep to it.
TOLERANCE = 10
SHARE = 0.98
# The same of a line of words.
SHARE_WITH_WORDS = 0.5
# Less of a side than this is no picture any more: then nothing is cut off.
LEAST_LEFT = 0.15

Box = tuple[int, int, int, int]


def content_box(grey: np.ndarray) -> Box:
    """(top, bottom, left, right) of what is left when edges of one colour are cut off.

    Again and again, since there may be bars around a frame; all of a picture that would nearly go.
    """
    height, width = grey.shape
    values = grey.astype(np.int16)
    top, bottom, left, right = 0, height, 0, width
    before = None
    while before != (top, bottom, left, right):
        before = top, bottom, left, right
        top += _plain_lines(values[top:bottom, left:right])
        bottom -= _plain_lines(values[top:bottom, left:right][::-1])
        left += _plain_lines(values[top:bottom, left:right].T)
        right -= _plain_lines(values[top:bottom, left:right][:, ::-1].T)
        if bottom - top < LEAST_LEFT * height or right - left < LEAST_LEFT * width:
            return 0, height, 0, width
    return top, bottom, left, right


def _plain_lines(values: np.ndarray) -> int:
    """How many of the first lines have the colour of the first, all but a few pixels.

    Lines with words count as well, where plain ones follow them.
    """
    if not values.size:
        return 0
    # Most pictures have none: one line tells.
    colour = np.median(values[0])
    if np.mean(np.abs(values[0] - colour) <= TOLERANCE) < SHARE:
        return 0
    shares = np.mean(np.abs(values - colour) <= TOLERANCE, axis=1)
    ends = np.flatnonzero(shares < SHARE_WITH_WORDS)
    plain = np.flatnonzero(shares[: ends[0] if len(ends) else None] >= SHARE)
    return int(plain[-1]) + 1
