from concurrent.futures import ThreadPoolExecutor

import pytest

from storage.remote.opening import opened
from tests.buckets import bucket_server, environment, make_bucket


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory):
    with bucket_server(tmp_path_factory.mktemp("bucket")) as (address, _):
        yield address


@pytest.fixture(params=["folder", "bucket"])
def objects(request, tmp_path, monkeypatch):
    """An empty remote of each kind."""
    if request.param == "folder":
        return opened(str(tmp_path / "remote"))
    pytest.importorskip("obstore", reason="needs obstore, which is not installed")
    address = request.getfixturevalue("endpoint")
    for name, value in environment(address).items():
        monkeypatch.setenv(name, value)
    bucket = f"b{abs(hash(request.node.nodeid))}"
    make_bucket(address, bucket)
    return opened(f"s3://{bucket}/some/prefix")


def at_once(work, count):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))
