"""Numbers as people read them: shares, durations, metrics."""

from tasks.evaluate.metrics import Metric

NONE = "\N{EN DASH}"


def percent(value: float, digits: int = 1) -> str:
    """0.9731 as 97.3 %."""
    return f"{100 * value:.{digits}f}\u202f%"


def decimals(value: float | None, digits: int = 4) -> str:
    """A number with its digits, a dash for None."""
    return NONE if value is None else f"{value:.{digits}f}"


def as_shown(metric: Metric, value: float | None) -> str:
    """A metric's value as it is shown, a dash for None."""
    return percent(value) if metric.shown_as == "percent" and value is not None else decimals(value)


def as_words(title: str) -> str:
    """A metric's title within a sentence: accuracy, balanced accuracy, macro F1, ROC AUC."""
    return title if title[:2].isupper() else title[0].lower() + title[1:]


def seconds(value: float) -> str:
    """A duration as people say it."""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
