"""What Prefect's pages show of a run: text from strangers never becomes markup."""

import html
import re
from typing import Any

from storage.names import visible
from storage.references import SPLITS
from tasks.evaluate.metrics import METRICS, others
from tasks.publish.wording import as_words

MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~])")
MOST_CLASSES = 100


def plain(text: str) -> str:
    """`text` so that Markdown and HTML show it as it is, on one line."""
    return MARKUP.sub(r"\\\1", html.escape(visible(" ".join(text.split())), quote=False))


def artifact_key(experiment: str) -> str:
    """The experiment's name as Prefect wants keys: lowercase letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", experiment.lower()).strip("-") or "experiment"


def rows(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """One row per split, plain numbers only."""
    return [
        {
            "split": name,
            "pictures": metrics[name]["images"],
            "accuracy": round(metrics[name]["accuracy"]["mean"], 4),
            "low": round(metrics[name]["accuracy"]["low"], 4),
            "high": round(metrics[name]["accuracy"]["high"], 4),
        }
        | {
            one.title: _rounded(metrics[name][key]["mean"])
            for key, one in others(len(metrics["classes"])).items()
        }
        for name in SPLITS
        if name in metrics
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def summary(experiment: str, metrics: dict[str, Any]) -> str:
    """Markdown: the headline and a table of classes, the first MOST_CLASSES of them."""
    name = "test" if "test" in metrics else "validation" if "validation" in metrics else "train"
    part = metrics[name]
    leading = metrics.get("headline", "accuracy")
    figure, title = part[leading], as_words(METRICS[leading].title)
    lines = [
        f"# {plain(experiment)}: {figure['mean']:.1%} {name} {title}",
        f"95 % interval {figure['low']:.1%} to {figure['high']:.1%}, {part['images']} images",
        "",
        "| class | precision | recall | F1 | pictures |",
        "|---|---|---|---|---|",
    ]
    for label, one in list(part["per_class"].items())[:MOST_CLASSES]:
        lines.append(
            f"| {plain(label)} | {one['precision']:.1%} | {one['recall']:.1%} | {one['f1']:.1%} "
            f"| {one['support']} |"
        )
    return "\n".join(lines)
