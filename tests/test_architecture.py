"""docs/architecture.md names every module, so that the next person finds the way."""

import pytest

from tests.project import PROJECT

MODULES = sorted(
    path.relative_to(PROJECT).as_posix()
    for room in ("flows", "tasks", "storage")
    for path in (PROJECT / room).rglob("*.py")
    if path.name != "__init__.py"
)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_its_line(module):
    assert f"`{module}`" in (PROJECT / "docs" / "architecture.md").read_text()
