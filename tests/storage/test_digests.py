"""Names made of content."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from storage import digests


@given(value=st.dictionaries(st.text(), st.integers() | st.text(), max_size=8))
def test_the_order_of_keys_does_not_count(value):
    backwards = dict(reversed(value.items()))
    assert digests.of_value(value) == digests.of_value(backwards)


def test_the_order_of_a_list_counts():
    assert digests.of_value(["a", "b"]) != digests.of_value(["b", "a"])


def test_a_file_has_the_digest_of_its_bytes(tmp_path):
    data = bytes(range(256)) * 10_000
    (tmp_path / "file").write_bytes(data)
    assert digests.of_file(tmp_path / "file") == digests.of_bytes(data)
    assert digests.of_bytes(data) == hashlib.sha256(data).hexdigest()
