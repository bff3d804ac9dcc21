from functools import partial

import pytest

from tests.tasks.clean.copies.pairs import pairs_of


@pytest.fixture
def found(workspace):
    """Pairs of copies among pictures, as pairs.pairs_of gives them."""
    return partial(pairs_of, workspace)
