"""A fingerprint of code: changes when what a step would do may change, and only then.

It is made of the syntax trees of a package and of the project modules it imports, transitively,
without comments, docstrings, layout and what is only shown to people. Other files of the package
(templates) count byte by byte.

The rooms in NEUTRAL cannot change a result: they run steps, say what is wrong, and keep what is
made. Of their modules only the constant FORMAT counts: whoever changes how something is stored
raises it, and what was stored the old way is made anew.
"""

import ast
import functools
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from storage import atomic, digests
from storage.errors import StorageError

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("flows", "tasks", "storage")
NEUTRAL = ("storage", "tasks.running")
FORMAT = "FORMAT"
REMEMBERED = 1000  # sources, the newest: a checkout has some two hundred
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# What is said of a parameter, and how a metric is shown, are for people.
SHOWN = {"Field": {"description"}, "Metric": {"title", "shown_as", "about"}}


class Module(NamedTuple):
    """What a fingerprint needs to know of one source file."""

    digest: str
    format: str
    imports: tuple[str, ...]


@functools.cache
def fingerprint(name: str) -> str:
    """Fingerprint of a package (`tasks.train`) or of one module and what it imports."""
    return digests.of_value(_counted(_closure(name)) | _data_files(name))[:16]


def modules_of(name: str) -> set[str]:
    """The modules whose whole code a fingerprint covers."""
    return {module for module in _closure(name) if not _is_neutral(module)}


def _closure(name: str) -> dict[str, Module]:
    known = _remembered()
    before = len(known)
    found: dict[str, Module] = {}
    queue = _modules_of(name)
    seen = set(queue)  # names of functions and classes among them, which are no modules
    while queue:
        module = queue.pop()
        path = _file_of(module)
        if path is not None:
            found[module] = _module(path, known)
            new = set(found[module].imports) - seen
            seen |= new
            queue.extend(new)
    if len(known) > before:
        _remember(known)
    return found


@functools.cache
def of_package_alone(name: str) -> str:
    """Fingerprint of a package's own modules, whatever they import."""
    known = _remembered()
    paths = {module: _file_of(module) for module in _modules_of(name)}
    found = {module: _module(path, known) for module, path in paths.items() if path is not None}
    return digests.of_value(_counted(found))[:16]


def _counted(modules: dict[str, Module]) -> dict[str, str]:
    """What counts of each module: all of it, or of a neutral one how it stores things."""
    parts = {name: one.format if _is_neutral(name) else one.digest for name, one in modules.items()}
    return {name: parts[name] for name in sorted(parts) if parts[name]}


def _is_neutral(module: str) -> bool:
    return any(f"{module}.".startswith(f"{room}.") for room in NEUTRAL)


def _modules_of(name: str) -> list[str]:
    folder = PROJECT.joinpath(*name.split("."))
    if not folder.is_dir():
        return [name]
    parts = [path.relative_to(PROJECT).with_suffix("").parts for path in folder.rglob("*.py")]
    return [".".join(part).removesuffix(".__init__") for part in parts]


def _file_of(module: str) -> Path | None:
    base = PROJECT.joinpath(*module.split("."))
    if base.is_dir():
        base = base / "__init__"
    path = base.with_suffix(".py")
    return path if path.is_file() else None


def _module(path: Path, known: dict[str, Module]) -> Module:
    """What is known of a source, read once for the same bytes; `known` grows."""
    source = path.read_bytes()
    name = digests.of_bytes(source)
    if name not in known:
        tree = ast.parse(source)
        known[name] = Module(_tree_digest(tree), _format_of(tree), tuple(_imports(tree)))
    return known[name]


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in ROOMS)


def _format_of(tree: ast.Module) -> str:
    """The value of a module's FORMAT as it is written, "" without one."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == [FORMAT]:
            return ast.unparse(node.value)
    return ""


def _tree_digest(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and node.body and _is_docstring(node.body[0]):
            del node.body[0]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            shown = SHOWN.get(node.func.id, ())
            node.keywords = [word for word in node.keywords if word.arg not in shown]
    return digests.of_value(_plain(tree))


def _plain(node: Any) -> Any:
    """A syntax tree as lists and texts, the same in every Python: newer ones have more fields."""
    if isinstance(node, ast.AST):
        fields = [[name, _plain(value)] for name, value in ast.iter_fields(node)]
        return [type(node).__name__, *(field for field in fields if field[1] not in ("None", []))]
    return [_plain(item) for item in node] if isinstance(node, list) else repr(node)


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _data_files(name: str) -> dict[str, str]:
    folder = PROJECT.joinpath(*name.split("."))
    return {
        path.relative_to(PROJECT).as_posix(): digests.of_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".py" and path.parent.name != "__pycache__"
    }


def _memo() -> Path:
    """Beside Python's own bytecode, which is derived from the sources in the same way."""
    return Path(importlib.util.cache_from_source(__file__)).with_suffix(".json")


@functools.cache
def _remembered() -> dict[str, Module]:
    """What earlier processes found, by the digest of the source; empty if it is not this code's."""
    try:
        content = json.loads(_memo().read_bytes())
        if content["by"] == _self():
            return {name: Module(a, b, tuple(c)) for name, (a, b, c) in content["is"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # not there, or damaged: the sources say it all
    return {}


def _remember(known: dict[str, Module]) -> None:
    try:
        atomic.write_bytes(
            _memo(),
            json.dumps({"by": _self(), "is": dict([*known.items()][-REMEMBERED:])}).encode(),
        )
    except (OSError, StorageError):
        return  # a place that cannot be written to, or is full, as for bytecode


@functools.cache
def _self() -> str:
    return digests.of_file(Path(__file__))
