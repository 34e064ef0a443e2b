"""What a worker counts: cells in a file every process can read, and the page Prometheus reads."""

from headgate.gateway.metrics.collector import SlabCollector, render
from headgate.gateway.metrics.slab import Slab

__all__ = ["Slab", "SlabCollector", "render"]
