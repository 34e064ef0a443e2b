"""Every metric a gateway keeps: its name, kind, labels and what it says. The documentation lists the same."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """How samples of several workers become one."""

    COUNTER = "counter"
    """Summed over all workers there ever were."""
    GAUGE = "gauge"
    """Summed over the workers alive."""
    STATE = "state"
    """The same in every worker: the largest of the workers alive."""
    FIGURE = "figure"
    """What one process measured last: there is no sample before it is measured, nor once it cannot be."""
    HISTOGRAM = "histogram"
    """Summed bucket by bucket over all workers there ever were."""


PASSING: Final = (Kind.GAUGE, Kind.STATE, Kind.FIGURE)
"""Kinds that say how it is now: a process that is gone says nothing of it. Prometheus calls them gauges."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric."""

    name: str
    kind: Kind
    says: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds, inclusive, without infinity."""


_SECONDS: Final = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
_LAGS: Final = (
    1.0, 10.0, 60.0, 600.0, 3600.0, 21_600.0, 86_400.0, 172_800.0, 604_800.0, 1_209_600.0, 2_592_000.0, 7_776_000.0,
)  # fmt: skip
_ROWS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0)
_WHERE: Final = ("project", "endpoint")
_WHICH: Final = (*_WHERE, "version")

FAMILIES: Final = {
    each.name: each
    for each in (
        Family("headgate_requests_total", Kind.COUNTER, "Replies.", (*_WHERE, "protocol", "code")),
        Family("headgate_predictions_total", Kind.COUNTER, "Rows answered.", (*_WHICH, "role")),
        Family(
            "headgate_request_duration_seconds",
            Kind.HISTOGRAM,
            "From a request's last byte to its reply.",
            _WHERE,
            _SECONDS,
        ),
        Family(
            "headgate_inference_duration_seconds", Kind.HISTOGRAM, "Runtime calls, next to the model.", _WHICH, _SECONDS
        ),
        Family(
            "headgate_queue_duration_seconds",
            Kind.HISTOGRAM,
            "From the last byte of a runtime call's oldest request to that call.",
            _WHICH,
            _SECONDS,
        ),
        Family("headgate_batch_size", Kind.HISTOGRAM, "Rows per runtime call.", _WHICH, _ROWS),
        Family("headgate_in_flight", Kind.GAUGE, "Rows admitted and not yet answered.", _WHERE),
        Family("headgate_queue_depth", Kind.GAUGE, "Rows that wait for a model busy with others.", _WHICH),
        Family("headgate_queue_limit", Kind.GAUGE, "Rows the gateways have in flight at most; further ones get 503."),
        Family("headgate_rejected_total", Kind.COUNTER, "Requests refused as a whole.", (*_WHERE, "reason")),
        Family("headgate_denied_total", Kind.COUNTER, "Requests of callers who may not make them.", ("reason",)),
        Family(
            "headgate_contract_violations_total", Kind.COUNTER, "Rows that broke a rule.", (*_WHERE, "field", "rule")
        ),
        Family(
            "headgate_fallbacks_total",
            Kind.COUNTER,
            "Rows the live version answered for another.",
            (*_WHICH, "reason"),
        ),
        Family("headgate_shadow_predictions_total", Kind.COUNTER, "Rows answered as a shadow.", _WHICH),
        Family(
            "headgate_shadow_failures_total", Kind.COUNTER, "Rows a shadow did not answer.", (*_WHICH, "reason")
        ),
        Family(
            "headgate_shadow_shed_total", Kind.COUNTER, "Rows a shadow was spared because there was too much to do.",
            _WHICH,
        ),
        Family(
            "headgate_outliers_total", Kind.COUNTER, "Rows unlike the reference, flagged or refused.", (*_WHERE, "mark")
        ),
        Family("headgate_unscreened_total", Kind.COUNTER, "Rows to be looked at for outliers that were not.", _WHERE),
        Family("headgate_left_to_people_total", Kind.COUNTER, "Rows that people decide.", _WHERE),
        Family("headgate_labels_total", Kind.COUNTER, "Labels and decisions accepted.", (*_WHERE, "source")),
        Family(
            "headgate_label_lag_seconds",
            Kind.HISTOGRAM,
            "From a prediction to the label or decision that names it by its id.",
            _WHERE,
            _LAGS,
        ),
        Family(
            "headgate_capture_shed_total",
            Kind.COUNTER,
            "Rows whose features were left out because the journal's disk fell behind.",
            _WHERE,
        ),
        Family("headgate_unjournalled_total", Kind.COUNTER, "Rows answered without a journal record.", _WHERE),
        Family(
            "headgate_journal_commit_seconds", Kind.HISTOGRAM, "From a record's hand-over to the disk's word.", (),
            _SECONDS,
        ),
        Family("headgate_journal_unwritable", Kind.STATE, "1 while some gateway cannot write its journal."),
        Family("headgate_model_info", Kind.STATE, "1 for every version loaded.", (*_WHICH, "digest")),
        Family("headgate_traffic_weight", Kind.STATE, "Share of unpinned callers.", _WHICH),
        Family("headgate_shadow_share", Kind.STATE, "Share of another's rows that a shadow answers too.", _WHICH),
        Family("headgate_traffic_revision", Kind.STATE, "The traffic revision obeyed.", _WHERE),
        Family(
            "headgate_slo_latency_seconds", Kind.STATE, "What the endpoint's file promises as p99; 0 without.", _WHERE
        ),
        Family(
            "headgate_process_deaths_total", Kind.COUNTER, "Processes that ended by themselves and were started again.",
            ("process",),
        ),
        Family(
            "headgate_alerts_standing", Kind.STATE, "Alerts that stand, silenced and acknowledged ones among them.",
            (*_WHERE, "severity"),
        ),
        Family(
            "headgate_alert_deliveries_total", Kind.COUNTER, "Tries to tell a channel, by what came of them.",
            ("channel", "outcome"),
        ),
        Family(
            "headgate_monitor_standing", Kind.FIGURE, "1 for how a monitor stands, 0 for how it does not.",
            (*_WHERE, "monitor", "standing"),
        ),
        Family(
            "headgate_watched_until_timestamp_seconds", Kind.FIGURE, "Until when monitors have looked at hours.", _WHERE
        ),
        Family(
            "headgate_labelled_until_timestamp_seconds", Kind.FIGURE,
            "Until when monitors have looked at days with their labels.", _WHERE,
        ),
        Family(
            "headgate_label_coverage_ratio", Kind.FIGURE, "Share of the last day's due labels that were there in time.",
            _WHERE,
        ),
        Family(
            "headgate_measured_metric", Kind.FIGURE,
            "A metric of the live version on the last day with labels, and the ends of its interval.",
            (*_WHERE, "metric", "bound"),
        ),
        Family(
            "headgate_evaluated_metric", Kind.FIGURE, "The same metric when the live version was evaluated.",
            (*_WHERE, "metric"),
        ),
        Family(
            "headgate_answer_model_seconds", Kind.FIGURE,
            "What an answer of the live version took next to the model on the last day that was looked at.", _WHERE,
        ),
        Family(
            "headgate_answer_cost", Kind.FIGURE, "The same in money, at the price the endpoint's file states.", _WHERE
        ),
        Family("headgate_build_info", Kind.STATE, "1 for the Headgate that runs.", ("version", "python")),
        Family("headgate_disk_free_bytes", Kind.STATE, "What Headgate may still write on the disk of its home."),
        Family("headgate_disk_size_bytes", Kind.STATE, "Size of the disk of its home."),
        Family("headgate_model_load_duration_seconds", Kind.HISTOGRAM, "Loading and warming a version.", (), _SECONDS),
        Family("headgate_metrics_dropped_total", Kind.COUNTER, "Events whose own metric found no room."),
    )
}  # fmt: skip
"""By name."""
