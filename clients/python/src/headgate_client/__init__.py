"""Headgate from another program: ask for predictions, tell what turned out to be true.

>>> from headgate_client import Client
>>> client = Client("http://127.0.0.1:8080", deadline=2.0)
>>> client.close()
"""

from headgate_client.asynchronous import AsyncClient
from headgate_client.attempts import Retries
from headgate_client.errors import (
    BadInput,
    BadReply,
    DeadlineExceeded,
    HeadgateError,
    NoReply,
    NotAllowed,
    NotFound,
    Passing,
    Refused,
    Unavailable,
)
from headgate_client.settings import VERSION, Tls
from headgate_client.sync import Client
from headgate_client.values import (
    ById,
    ByKey,
    ByRequest,
    Decision,
    Endpoint,
    Label,
    LeftToPeople,
    Prediction,
    Predictions,
    Row,
    RowRefused,
)

__version__ = VERSION

__all__ = [
    "AsyncClient",
    "BadInput",
    "BadReply",
    "ById",
    "ByKey",
    "ByRequest",
    "Client",
    "DeadlineExceeded",
    "Decision",
    "Endpoint",
    "HeadgateError",
    "Label",
    "LeftToPeople",
    "NoReply",
    "NotAllowed",
    "NotFound",
    "Passing",
    "Prediction",
    "Predictions",
    "Refused",
    "Retries",
    "Row",
    "RowRefused",
    "Tls",
    "Unavailable",
    "__version__",
]
