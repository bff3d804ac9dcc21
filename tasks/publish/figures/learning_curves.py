"""Learning curves as a picture: loss and accuracy, training and validation."""

from pathlib import Path
from typing import Any

CURVES = (("loss", "val_loss", "Loss"), ("accuracy", "val_accuracy", "Accuracy"))


def save_curves(path: Path, repeats: list[list[dict[str, float]]], published: int) -> Path:
    """A PNG with two panels; the published repeat is drawn strongly, the others thinly.

    `repeats` holds, per repeat, one row of losses and accuracies per epoch.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, (train, validation, title) in zip(figure.subplots(1, 2), CURVES, strict=True):
        for number, history in enumerate(repeats):
            _draw(axes, history, (train, validation), strong=number == published)
        axes.set(title=title, xlabel="epoch")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(path, dpi=110)
    return path


def _draw(
    axes: Any, history: list[dict[str, float]], names: tuple[str, str], *, strong: bool
) -> None:
    for name, colour, label in zip(
        names, ("tab:blue", "tab:orange"), ("train", "validation"), strict=True
    ):
        points = [(row["epoch"], row[name]) for row in history if name in row]
        if points:
            axes.plot(
                *zip(*points, strict=True),
                color=colour,
                label=label if strong else None,
                linewidth=2 if strong else 0.7,
                alpha=1 if strong else 0.4,
            )
