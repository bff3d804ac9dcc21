"""matplotlib figures as inline SVG that takes its colours from the page, dark or light."""

import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage import digests
from storage.names import visible

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

# Stand-ins that matplotlib draws with; the page's own colours take their place.
INK, LINE, FAINT = "#a0f0f1", "#a0f0f2", "#a0f0f3"
SERIES = tuple(f"#a0f1{number:02x}" for number in range(8))
COLOURS = {
    INK: "currentColor",
    LINE: "var(--line)",
    FAINT: "var(--faint)",
    **{stand_in: f"var(--series-{number})" for number, stand_in in enumerate(SERIES)},
}
DASHES = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
# matplotlib escapes < and > wherever else they stand, as in the name of a class.
TAG = re.compile("<[^>]*>")
REFERENCE = re.compile(r'(url\(#|href="#)([^)"]+)')

SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "darkroom",  # the same figure gives the same text
    "text.parse_math": False,
    "font.size": 9,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "lines.linewidth": 1.8,
}


@dataclass(frozen=True)
class Chart:
    """A drawing with its text alternative, its legend and its numbers.

    `legend` holds (series number, text); `header` and `rows` are the numbers as a table.
    """

    title: str
    alternative: str
    svg: "Markup"
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    legend: Sequence[tuple[int, str]] = ()
    note: str = ""


def colour(number: int) -> str:
    """The stand-in for the colour of a series."""
    return SERIES[number % len(SERIES)]


def dash(number: int) -> Any:
    """The line style of a series: colours come again after eight, then dashed."""
    return DASHES[number // len(SERIES) % len(DASHES)]


def short(text: str, longest: int) -> str:
    """`text`, cut where it is longer; nothing in it turns reading around."""
    text = visible(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """No warning is given of letters that matplotlib's font lacks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def new_figure(width: float, height: float) -> "Figure":
    """A transparent figure, in inches; to be filled and handed to `svg` inside `settings`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_visible(False)
    return figure


def settings() -> Any:
    """A context in which figures are drawn in the page's manner."""
    import matplotlib as mpl

    return mpl.rc_context(SETTINGS)


def svg(figure: "Figure", alternative: str) -> "Markup":
    """The figure as an `<svg>` to stand in a page: no prologue, sizes or fonts of its own."""
    from markupsafe import Markup, escape

    stream = io.StringIO()
    for axes in figure.axes:
        axes.patch.set_visible(False)
    # Letters that matplotlib's font lacks are drawn by the browser's.
    with silent():
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = _of_the_page(text, digests.of_value([alternative, text])[:8])
    text = recoloured(text, COLOURS)
    view = re.search(r'viewBox="[^"]*"', text)
    assert view is not None
    opening = f'<svg role="img" {view[0]} aria-label="{escape(visible(alternative))}" '
    opening += 'xmlns:xlink="http://www.w3.org/1999/xlink">'
    title = f"<title>{escape(visible(alternative))}</title>"
    # Class names in it were escaped by matplotlib, the alternative just now.
    return Markup(opening + title + text[text.index(">") + 1 :].strip())  # noqa: S704


def _of_the_page(text: str, prefix: str) -> str:
    """Identifiers only of what is referred to, none that two drawings share, and no fonts."""
    used = {found[1] for tag in TAG.findall(text) for found in REFERENCE.findall(tag)}

    def own(tag: str) -> str:
        tag = re.sub(
            r' id="([^"]*)"', lambda hit: f' id="{prefix}-{hit[1]}"' if hit[1] in used else "", tag
        )
        tag = REFERENCE.sub(rf"\g<1>{prefix}-\g<2>", tag)
        return re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", tag)

    return TAG.sub(lambda tag: own(tag[0]), text)


def recoloured(text: str, colours: Mapping[str, str]) -> str:
    """An SVG with other colours; what is written in it may look like a colour, and stays."""

    def changed(tag: str) -> str:
        for before, after in colours.items():
            tag = tag.replace(before, after)
        return tag

    return TAG.sub(lambda tag: changed(tag[0]), text)


def percent_axis(axis: Any) -> None:
    """Ticks of shares as percentages."""
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1, decimals=None, symbol=" %"))
