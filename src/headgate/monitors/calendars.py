"""What the clocks of a time zone show at many moments at once: for windows, for seasons, and for who reads them."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.errors import BadInput
from headgate.monitors.columns import Ints


def check_zone(zone: str) -> None:
    """Raises BadInput where `zone` is no IANA name of a time zone.

    >>> check_zone("Europe/Berlin")
    """
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput("zone", "unknown", "must be an IANA time zone such as Europe/Berlin") from error


def wall_clocks(at: Ints, zone: str) -> Ints:
    """What the clocks of `zone` show at each moment, as microseconds since their own 1970.

    >>> (wall_clocks(np.array([0, 7_200_000_000]), "Europe/Berlin") // 3_600_000_000).tolist()
    [1, 3]
    """
    local = pc.local_timestamp(pa.array(at, pa.timestamp("us", tz=zone)))
    return np.asarray(local.cast(pa.int64()))


def wall_clock(moment: int, zone: str) -> int:
    """The same of a single moment.

    >>> wall_clock(0, "Europe/Berlin") // 1_000_000
    3600
    """
    return int(wall_clocks(np.array([moment]), zone)[0])


def moment_of(wall: int, zone: str) -> int:
    """The moment at which the clocks of `zone` first show `wall`; a midnight they skip is the moment after.

    >>> moment_of(3_600_000_000, "Europe/Berlin")
    0
    """
    local = pa.scalar(wall, pa.timestamp("us"))
    return int(pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest").cast(pa.int64()).as_py())
