"""Every target on whole examples, on cut and changed ones, and on what fuzzing found before."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS
from tests.project import examples

CORPUS = Path(__file__).parent / "corpus"
FOUND = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("target", TARGETS)
@examples(60)
@given(data=st.data())
def test_changed_bytes_are_read_or_refused(target, data):
    whole = data.draw(st.sampled_from(seeds(target)))
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, len(whole)))
    other = data.draw(st.binary(max_size=8))
    TARGETS[target](whole)
    TARGETS[target](whole[:begin] + other + whole[end:])


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_fuzzing_found_stays_mended(path):
    TARGETS[path.parent.name](path.read_bytes())


def test_every_finding_is_of_a_target():
    assert {path.parent.name for path in FOUND} <= set(TARGETS)
