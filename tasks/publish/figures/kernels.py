"""What a convolution does: one picture beside itself under kernels whose numbers are known."""

from pathlib import Path

import numpy as np

from tasks.evaluate.shrinking import shrunk
from tasks.pictures.opencv import cv2
from tasks.publish.figures import picture_sheets

# So small that what three by three pixels do is to be seen.
SIDE = 200
BOX_BLUR = ((1, 1, 1), (1, 1, 1), (1, 1, 1))
SOBEL_X = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
SOBEL_Y = ((-1, -2, -1), (0, 0, 0), (1, 2, 1))
GREY = 128


def panels(pixels: np.ndarray) -> list[picture_sheets.Panel]:
    """The picture, blurred by a box, and its Sobel derivatives: to the right, down, and both.

    Derivatives are of the grey picture; 0 is drawn as middle grey, a magnitude of 0 as black.
    """
    shown = shrunk(pixels, SIDE)
    box = np.array(BOX_BLUR, np.float32) / 9
    grey = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY).astype(np.float32)
    x, y = (cv2.filter2D(grey, -1, np.array(k, np.float32)) for k in (SOBEL_X, SOBEL_Y))
    return [
        picture_sheets.Panel(shown, "the picture"),
        picture_sheets.Panel(
            cv2.filter2D(shown, -1, box), f"box blur, 1/9 of\n{_numbers(BOX_BLUR)}"
        ),
        picture_sheets.Panel(_signed(x), f"Sobel x\n{_numbers(SOBEL_X)}"),
        picture_sheets.Panel(_signed(y), f"Sobel y\n{_numbers(SOBEL_Y)}"),
        picture_sheets.Panel(_magnitude(x, y), "Sobel magnitude\nsquare root of x² + y²"),
    ]


def save(path: Path, pixels: np.ndarray, name: str) -> None:
    """The five as a PNG."""
    picture_sheets.save(path, panels(pixels), 5, f"Kernels on {name}")


def _numbers(kernel: tuple[tuple[int, ...], ...]) -> str:
    return "\n".join(" ".join(f"{value:2}" for value in row) for row in kernel)


def _signed(values: np.ndarray) -> np.ndarray:
    span = float(np.abs(values).max()) or 1.0
    return _rgb(GREY + values * (127 / span))


def _magnitude(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    values = np.hypot(x, y)
    return _rgb(values * (255 / (float(values.max()) or 1.0)))


def _rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(np.round(grey).astype(np.uint8)[:, :, None], 3, axis=2)
