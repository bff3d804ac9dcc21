"""What it takes to make a run again."""

import importlib.metadata
import platform
from collections.abc import Mapping
from typing import Any

from tasks.evaluate.parity import Parity

PACKAGES = (
    "darkroom", "tensorflow", "keras", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy",
    "opencv-python", "openvino", "prefect", "cleanlab",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Python, the machine and the packages that decide about a result; none is imported."""
    found = {"Python": platform.python_version(), "system": platform.platform()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def flat(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """A tree of parameters as dotted names, as `--set` takes them; empty values are left out."""
    found: dict[str, str] = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            found.update(flat(value, f"{prefix}{name}."))
        elif value is not None:
            found[f"{prefix}{name}"] = str(value)
    return found


def agreement(parity: Parity | None, split: str) -> str:
    """How far what `darkroom classify` and `serve` compute with agrees with this page; "" if that
    was not measured.
    """
    if parity is None:
        return ""
    if not parity.pictures:
        return (
            "This model has no OpenVINO form (OpenVINO is not installed, or does not know one of "
            "its layers): TensorFlow classifies pictures with it."
        )
    share = parity.equal / parity.pictures
    return (
        f"Pictures are classified with the model's OpenVINO form ({parity.precision}). Of "
        f"{parity.pictures} {split} pictures {parity.equal} ({share:.1%}) get the answer of this "
        f"page, and no probability differs by more than {parity.largest:.4f}."
    )
