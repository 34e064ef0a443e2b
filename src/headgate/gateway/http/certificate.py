"""Who a caller is by the certificate it showed; asked once for each encrypted connection."""

from typing import Any


def common_name(certificate: dict[str, Any]) -> str:
    """The subject's common name in a certificate as `ssl.SSLSocket.getpeercert` gives it; "" when there are several.

    >>> common_name({"subject": ((("organizationName", "Desk"),), (("commonName", "desk-1"),))})
    'desk-1'
    """
    names = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
    return names[0] if len(names) == 1 else ""
