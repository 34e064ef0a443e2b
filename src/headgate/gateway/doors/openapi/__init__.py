"""What the data plane says of itself, as OpenAPI 3.1: all of it, or one endpoint with its own rows.

`described.py` answers requests, `document.py` puts a document together, `operations.py` has one entry per path and
`schemas.py` takes bodies from the structs that read them.
"""

from headgate.gateway.doors.openapi.described import Described

__all__ = ["Described"]
