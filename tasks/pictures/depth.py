"""More than 8 bits a channel to 8: by the range that a picture uses, not the one it could."""

import numpy as np

# Sensors have so many bits and write them into 16.
DEPTHS = (8, 10, 12, 14)


def as_bytes(pixels: np.ndarray) -> tuple[np.ndarray, str]:
    """uint8 pixels, and what is to be said of how they came about ('' for nothing).

    16 bits that only hold fewer are stretched from those; fractions from 0 to 1 from these, others,
    and signed numbers, from the least to the greatest.
    """
    if pixels.dtype == np.uint8:
        return pixels, ""
    if pixels.dtype == np.uint16:
        return _of_sixteen(pixels)
    values = np.nan_to_num(pixels.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    fractions = np.issubdtype(pixels.dtype, np.floating)
    if fractions and low >= 0 and high <= 1:
        return _scaled(values, 0.0, 1.0), ""
    said = f"its values from {low:g} to {high:g} were stretched to 8 bits"
    return _scaled(values, low, high), said


def _of_sixteen(pixels: np.ndarray) -> tuple[np.ndarray, str]:
    most = int(pixels.max()) if pixels.size else 0
    for bits in DEPTHS:
        if most < 2**bits:
            scaled = _scaled(pixels.astype(np.float64), 0.0, 2.0**bits - 1)
            return scaled, f"its 16 bits hold {bits}, which were stretched"
    return np.right_shift(pixels, 8).astype(np.uint8), ""


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    span = high - low
    if span <= 0:
        return np.zeros(values.shape, np.uint8)
    return np.rint((values - low) * (255.0 / span)).clip(0, 255).astype(np.uint8)
