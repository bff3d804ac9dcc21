"""Which remote an address is of."""

import functools
from typing import Literal
from urllib.parse import urlsplit

from storage.errors import ParameterError
from storage.remote.bucket import Bucket
from storage.remote.folder import Folder
from storage.remote.objects import Objects

# Of the schemes that obstore knows those of buckets.
BUCKETS = frozenset({"s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl"})


def kind_of(address: str) -> Literal["bucket", "folder"]:
    """Whether an address is of a bucket or of a folder.

    ParameterError where it is neither, or holds credentials: those come from the environment,
    and so are in no record, log or report.
    """
    scheme = urlsplit(address).scheme if "://" in address else ""
    if not scheme:
        return "folder"
    parts = urlsplit(address)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ParameterError(
            f"expected DARKROOM_REMOTE to be {scheme}://BUCKET/PREFIX alone, found more: "
            "credentials and settings of a bucket are read from the environment "
            "(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, …)"
        )
    if scheme not in BUCKETS or not parts.netloc:
        raise ParameterError(
            f"expected DARKROOM_REMOTE to be a folder or a bucket ({', '.join(sorted(BUCKETS))}), "
            f"as in s3://BUCKET/PREFIX; found {scheme}://{parts.netloc}"
        )
    return "bucket"


@functools.cache
def opened(address: str) -> Objects:
    """The remote at this address; nothing is asked of it yet."""
    return Bucket(address) if kind_of(address) == "bucket" else Folder(address)
