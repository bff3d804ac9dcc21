"""Shares and durations as people read them."""


def percent(value: float, digits: int = 1) -> str:
    """0.9731 as 97.3 %."""
    return f"{100 * value:.{digits}f}\u202f%"


def seconds(value: float) -> str:
    """A duration as people say it."""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
