"""A network as a table of text, as Keras prints it."""

from collections.abc import Mapping, Sequence
from typing import Any

HEADER = ("Layer (type)", "Output Shape", "Param #", "Trainable")
INDENT = "   "
BYTES_PER_PARAMETER = 4
Row = Mapping[str, Any]


def table(network: Sequence[Row]) -> str:
    """One line per layer, those of nested models under the model's name; totals at the end."""
    lines = [HEADER, *rows_of(network)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    text = [_line(line, widths) for line in lines]
    return "\n".join([text[0], rule, *text[1:], rule, *totals(network), ""])


def rows_of(network: Sequence[Row]) -> list[tuple[str, ...]]:
    """The cells of the table, a line for each nested model before its layers."""
    found: list[tuple[str, ...]] = []
    around: list[str] = []
    for row in network:
        for depth, model in enumerate(row["inside"], 1):
            if around[:depth] != row["inside"][:depth]:
                found.append((f"{INDENT * (depth - 1)}{model} (model)", "", "", ""))
        around = row["inside"]
        name = f"{INDENT * len(around)}{row['name']} ({row['kind']})"
        found.append((name, shape(row), f"{row['parameters']:,}", _trained(row)))
    return found


def totals(network: Sequence[Row]) -> list[str]:
    """All parameters, those that are trained and those that are not, with their size."""
    every = sum(row["parameters"] for row in network)
    trained = sum(row["trainable"] for row in network)
    return [
        _total("Total params", every),
        _total("Trainable params", trained),
        _total("Non-trainable params", every - trained),
    ]


def shape(row: Row) -> str:
    """(None, 5, 5, 512), as Keras has it."""
    return f"({', '.join(map(str, row['shape']))})"


def _trained(row: Row) -> str:
    if not row["parameters"]:
        return "-"
    return "Y" if row["trainable"] else "N"


def _line(values: tuple[str, ...], widths: list[int]) -> str:
    name, output, count, trained = values
    parts = (
        name.ljust(widths[0]), output.ljust(widths[1]), count.rjust(widths[2]),
        trained.center(widths[3]),
    )  # fmt: skip
    return "  ".join(parts).rstrip()


def _total(name: str, count: int) -> str:
    size = float(count * BYTES_PER_PARAMETER)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    return f"{name}: {count:,} ({size:.2f} {unit})"
