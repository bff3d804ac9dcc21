"""Words that several commands take."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flows.command.presets import MEANT, Preset
from flows.experiments import DEPLOYMENTS
from flows.parameters import StepName

Experiment = Annotated[str, Parameter(help="An experiment: see `darkroom experiments`.")]
Settings = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        show_default=False,
        help="NAME=VALUE changes a parameter, as in split.seed=7. May be given again; `darkroom "
        "parameters` lists them.",
    ),
]
Chosen = Annotated[
    Preset | None,
    Parameter(
        name="--preset",
        help="How much time a result may take; what is given with --set counts for more. "
        + " ".join(f"{name}: {text}" for name, text in MEANT.items()),
    ),
]
Rerun = Annotated[
    tuple[StepName, ...],
    Parameter(
        show_default=False, help="Run this step even if nothing changed. May be given again."
    ),
]
AsJson = Annotated[
    bool, Parameter(name="--json", show_default=False, help="Print one JSON object last.")
]
File = Annotated[
    Path,
    Parameter(
        show_default=lambda file: "Darkroom's own" if file == DEPLOYMENTS else str(file),
        help="A prefect.yaml with your own experiments.",
    ),
]
Model = Annotated[str, Parameter(help="A model.keras, its folder, or an experiment.")]
Doubt = Annotated[
    bool,
    Parameter(
        show_default=False,
        help="Say how far each answer can be trusted: the classes that hold the true one nine "
        "times in ten, and unknown for a picture unlike those of all classes.",
    ),
]
Repair = Annotated[
    bool,
    Parameter(
        show_default=False,
        help="Remove what is damaged and a run makes again; restore what no run does.",
    ),
]
Remote = Annotated[
    bool,
    Parameter(
        name="--remote",
        show_default=False,
        help="Of what machines share at $DARKROOM_REMOTE, instead of the workspace.",
    ),
]
Replace = Annotated[
    bool, Parameter(show_default=False, help="Take the backup's where a file differs from it.")
]
RunAgain = Annotated[
    bool,
    Parameter(
        name="--run",
        show_default=False,
        help="Repair, then run the experiments again that miss something, as they ran last.",
    ),
]
Yes = Annotated[bool, Parameter(show_default=False, help="Remove without asking.")]
Shell = Literal["bash", "zsh", "fish"]
