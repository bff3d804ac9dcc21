"""Every kind of source has its module, and that has what a kind has."""

from typing import get_args

import pytest

from tasks.acquire.kinds import kind_of
from tasks.acquire.parameters import Source

UNION, _ = get_args(Source)


@pytest.mark.parametrize("source", get_args(UNION), ids=lambda source: source.__name__)
def test_every_kind_of_source_has_its_module(source):
    (name,) = get_args(source.model_fields["kind"].annotation)
    found = kind_of(source.model_construct(kind=name))
    assert found.__name__ == f"tasks.acquire.kinds.{name}"
    assert all(map(callable, (found.fetch, found.fingerprint, found.rows)))
