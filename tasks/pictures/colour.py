"""Colours of wide-gamut profiles (Display P3, Adobe RGB) as sRGB, which networks know."""

import functools
import io
from typing import Any

import numpy as np

RGB_SPACE = b"RGB "
LARGEST_PROFILE = 1 << 20


def to_srgb(rgb: np.ndarray, profile: bytes) -> tuple[np.ndarray, str]:
    """The pixels in sRGB, and what is to be said of a profile that cannot be used."""
    if not profile or profile[16:20] != RGB_SPACE or len(profile) > LARGEST_PROFILE:
        return rgb, ""
    try:
        transform = _transform(profile)
    except (OSError, ValueError, TypeError) as error:  # what ImageCms raises, and PyCMSError is one
        return rgb, f"its colour profile cannot be used: {error}"
    if transform is None:
        return rgb, ""
    from PIL import Image, ImageCms

    image: Any = ImageCms.applyTransform(Image.fromarray(rgb), transform)
    return np.ascontiguousarray(np.asarray(image)), ""


@functools.lru_cache(maxsize=32)
def _transform(profile: bytes) -> Any:
    """From this profile to sRGB; None where it is sRGB."""
    from PIL import ImageCms

    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(own).casefold():
            return None
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(own, srgb, "RGB", "RGB")
    except ImageCms.PyCMSError as error:
        raise ValueError(str(error)) from error
