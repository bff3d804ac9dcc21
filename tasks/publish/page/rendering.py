"""Templates to pages: every value escaped, nothing loaded, no script but ours may run."""

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.names import visible
from tasks.publish.wording import as_shown, as_words, decimals, percent, seconds

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
STYLE, SCRIPT = "page.css.j2", "page.js.j2"


def render(template: str, **context: Any) -> str:
    """The page; style and script stand in it, and its own policy forbids any other script."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        finalize=_visible,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "separators": (",", ":")}
    environment.filters.update(
        exact=exact, percent=percent, count=count, decimals=decimals, seconds=seconds
    )
    environment.globals.update(as_shown=as_shown, as_words=as_words)
    style, script = (_text(name) for name in (STYLE, SCRIPT))
    environment.globals.update(
        # Our own files, not text from strangers.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=policy(script),
    )
    return environment.get_template(template).render(**context)


def policy(script: str) -> str:
    """A content security policy: no request leaves the page, and only this script runs in it."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def exact(text: str) -> "Markup":
    """`text` as it is, for our script to read; people are shown it otherwise."""
    from markupsafe import escape

    return escape(text)


def _visible(value: Any) -> Any:
    # What is no plain text is markup of ours.
    return visible(value) if type(value) is str else value


def count(value: int) -> str:
    """12345 as 12,345."""
    return f"{value:,}"


def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
