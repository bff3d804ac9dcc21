"""A fingerprint of code: changes when what a step would do may change, and only then.

It is made of the syntax trees of a package and of the project modules it imports, transitively,
without comments, docstrings, descriptions of parameters and layout. Other files of the package
(templates) count byte by byte.
"""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

from storage import digests

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("flows", "tasks", "storage")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@functools.cache
def fingerprint(package: str) -> str:
    """Fingerprint of a package (`tasks.train`) or of one module and what it imports."""
    modules = _closure(frozenset(_modules_of(package)))
    parts = {name: _module_digest(name) for name in sorted(modules)}
    parts.update(_data_files(package))
    return digests.of_value(parts)[:16]


def of_modules(*modules: str) -> str:
    """Fingerprint of these modules alone, not of what they import."""
    return digests.of_value([_module_digest(module) for module in modules])[:16]


def _modules_of(package: str) -> list[str]:
    folder = PROJECT.joinpath(*package.split("."))
    if not folder.is_dir():
        return [package]
    return [
        package,
        *(f"{package}.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"),
    ]


def _closure(modules: frozenset[str]) -> set[str]:
    found: set[str] = set()
    queue = list(modules)
    while queue:
        name = queue.pop()
        if name not in found and _file_of(name) is not None:
            found.add(name)
            queue.extend(_imports(name))
    return found


def _file_of(module: str) -> Path | None:
    base = PROJECT.joinpath(*module.split("."))
    if base.is_dir():
        base = base / "__init__"
    path = base.with_suffix(".py")
    return path if path.is_file() else None


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in ROOMS)


def _tree(module: str) -> ast.Module:
    path = _file_of(module)
    assert path is not None, module
    return ast.parse(path.read_text(encoding="utf-8"))


def _module_digest(module: str) -> str:
    tree = _tree(module)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and node.body and _is_docstring(node.body[0]):
            del node.body[0]
        if _is_field(node):
            node.keywords = [word for word in node.keywords if word.arg != "description"]
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


def _is_field(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether this is pydantic's `Field(…)`, whose description is for who reads `--help`."""
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Field"
    )


def _data_files(package: str) -> dict[str, str]:
    folder = PROJECT.joinpath(*package.split("."))
    return {
        path.relative_to(PROJECT).as_posix(): digests.of_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".py" and path.parent.name != "__pycache__"
    }
