"""requests with guarded connections: checked addresses, and limits kept where bytes arrive."""

import contextlib
import socket
import ssl
from collections.abc import Buffer
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from tasks.acquire.web import limits
from tasks.acquire.web.addresses import SocketAddress, resolve

HOSTS_KEPT_OPEN = 128
