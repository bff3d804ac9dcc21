"""Every kind of source has its module, and that has what a kind has."""

from typing import get_args

from tasks.acquire.kinds import KINDS
from tasks.acquire.parameters import Source


def test_every_kind_of_source_has_its_entry():
    union, _ = get_args(Source)
    assert set(KINDS) == set(get_args(union))


def test_every_entry_is_the_module_of_its_kind():
    for source, kind in KINDS.items():
        (name,) = get_args(source.model_fields["kind"].annotation)
        assert kind.__name__ == f"tasks.acquire.kinds.{name}"
        assert all(map(callable, (kind.fetch, kind.fingerprint, kind.rows)))
