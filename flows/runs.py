"""A run from the command line or from Python: from what is stored if it can, else by Prefect.

Where a server has to be started, that comes first: what else is imported is imported beside it.
"""

import importlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flows.orchestration.server import API_URL, OwnServer
from flows.parameters import Experiment
from storage.errors import GateClosed, ServerUnreachable
from storage.workspace import Workspace

if TYPE_CHECKING:
    from flows.summary import Finished

EPHEMERAL = "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"
# A server may be named in one of these, beside the environment: `PREFECT_API_URL`, `[api]`, `api.`
SETTINGS = (".env", "prefect.toml", "pyproject.toml")
MAY_NAME = re.compile(r"\bapi\b|PREFECT_API_URL", re.IGNORECASE)


def run(
    experiment: Experiment,
    *,
    rerun: tuple[str, ...] = (),
    until: str | None = None,
    retry: Literal["failed"] | None = None,
) -> "Finished":
    """How the run ended, also where the gate is closed: `gate` in its summary says why then.

    Where nothing is to do and no Prefect server is named there is nothing to record: none is
    started, and Prefect is not imported.
    """
    if not rerun and retry is None and not _server_is_named():
        from flows.steps import answer_from_stored

        stored = answer_from_stored(experiment, until)
        if stored is not None:
            return stored
    return _by_prefect(experiment, rerun=list(rerun), until=until, retry=retry)


def _by_prefect(experiment: Experiment, **how: Any) -> "Finished":
    """Recorded by the server that is named, else by one of this process."""
    Workspace.current().made()  # before anything is started
    if _server_is_named() or os.environ.get(EPHEMERAL, "true").lower() in ("false", "0"):
        return _flow_run(experiment, **how)
    server = OwnServer.started()
    importlib.import_module("flows.pipeline")  # Prefect, while the server imports it as well
    server.wait()
    from prefect.settings import PREFECT_API_URL, temporary_settings

    # Prefect may have read its settings before this server was in the environment.
    with temporary_settings({PREFECT_API_URL: server.url}):
        return _flow_run(experiment, **how)


def _flow_run(experiment: Experiment, **how: Any) -> "Finished":
    from flows.pipeline import pipeline
    from flows.summary import noted

    groups = {name: getattr(experiment, name) for name in type(experiment).model_fields}
    with noted() as ended:
        try:
            pipeline(**groups, **how)
        except GateClosed:
            # The run is whole but for its last word: its report is there, and so are its numbers.
            if not ended:
                raise
        except RuntimeError as error:
            if not str(error).startswith("Failed to reach API"):  # so Prefect says it
                raise
            raise ServerUnreachable(
                f"{error}: start that server with `prefect server start`, or unset {API_URL}"
            ) from error
    return ended[-1]


def _server_is_named() -> bool:
    """Whether the environment or Prefect's settings name a server, other than one's own.

    Prefect is asked, and so imported, only where a file that it reads may name one.
    """
    if os.environ.get(API_URL):
        return not OwnServer.is_own(os.environ[API_URL])
    if "prefect" not in sys.modules and not any(map(_may_name, _settings_files())):
        return False
    from prefect.settings import PREFECT_API_URL

    return bool(PREFECT_API_URL.value())


def _settings_files() -> list[Path]:
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    return [profiles, *map(Path, SETTINGS)]


def _may_name(file: Path) -> bool:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "prefect" in f"{file.name} {text}".lower() and MAY_NAME.search(text) is not None
