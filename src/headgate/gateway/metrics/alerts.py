"""Alerts on the metrics a Headgate keeps, as Prometheus rules; ``headgate metrics rules`` prints them.

A ratio is per endpoint and needs traffic: where nothing is asked, nothing is wrong. Counters that an alert looks for
growth of are kept from zero, for Prometheus sees no growth in a sample that was not there before.
"""

from dataclasses import dataclass
from typing import Any, Final

_WHERE: Final = "project, endpoint"
_FAILED: Final = "headgate_requests_total{code=~'5..'}"
_RATE: Final = "sum by (project, endpoint) (rate({}[5m]))"


@dataclass(frozen=True, slots=True)
class Alert:
    """One condition a person should hear of."""

    name: str
    when: str
    """In PromQL."""
    lasting: str
    """How long it must hold, as Prometheus spells durations."""
    severity: str
    """``critical`` wants somebody now, ``warning`` in the working day."""
    summary: str
    todo: str

    def as_rule(self) -> dict[str, Any]:
        """The alert as a rule file has it."""
        return {
            "alert": self.name,
            "expr": self.when,
            "for": self.lasting,
            "labels": {"severity": self.severity},
            "annotations": {"summary": self.summary, "description": self.todo},
        }


ALERTS: Final = (
    Alert(
        "HeadgateAbsent",
        "absent(headgate_build_info)",
        "2m",
        "critical",
        "No Headgate is scraped.",
        "See that `headgate up` runs and that Prometheus reaches its metrics port.",
    ),
    Alert(
        "HeadgateErrors",
        f"{_RATE.format(_FAILED)} / {_RATE.format('headgate_requests_total')} > 0.01",
        "5m",
        "critical",
        "{{ $value | humanizePercentage }} of the replies of {{ $labels.project }}/{{ $labels.endpoint }} are errors.",
        "`headgate doctor` and the log of `headgate up` say why; headgate_rejected_total has the reasons.",
    ),
    Alert(
        "HeadgateSlow",
        "histogram_quantile(0.99, sum by (project, endpoint, le) (rate(headgate_request_duration_seconds_bucket[5m])))"
        " > on (project, endpoint) (max by (project, endpoint) (headgate_slo_latency_seconds) > 0)",
        "10m",
        "warning",
        "p99 of {{ $labels.project }}/{{ $labels.endpoint }} is {{ $value | humanizeDuration }}, over its objective.",
        "Compare headgate_queue_duration_seconds, headgate_inference_duration_seconds and "
        "headgate_journal_commit_seconds; the objective is slo.latency_p99_ms of the endpoint's file.",
    ),
    Alert(
        "HeadgateJournalUnwritable",
        "headgate_journal_unwritable > 0",
        "0m",
        "critical",
        "A gateway on {{ $labels.instance }} cannot write its journal.",
        "Make room on its disk, or mend it; the gateway goes on by itself, nothing has to be restarted.",
    ),
    Alert(
        "HeadgateJournalSlow",
        "histogram_quantile(0.99, sum by (instance, le) (rate(headgate_journal_commit_seconds_bucket[5m]))) > 0.1",
        "10m",
        "warning",
        "A journal commit on {{ $labels.instance }} takes {{ $value | humanizeDuration }} at its p99.",
        "Something else uses that disk, or its sync is slow; `headgate doctor` measures it.",
    ),
    Alert(
        "HeadgateUnremembered",
        f"sum by ({_WHERE}) (increase(headgate_unjournalled_total[10m])) > 0",
        "0m",
        "critical",
        "{{ $labels.project }}/{{ $labels.endpoint }} answered rows that are not in its journal.",
        "Its journal.on_failure is `answer` and its disk is full or failing; such rows are never measured.",
    ),
    Alert(
        "HeadgateRowsRefused",
        "sum by (project, endpoint) (rate(headgate_contract_violations_total[10m])) / (sum by (project, endpoint) "
        "(rate(headgate_contract_violations_total[10m])) + (sum by (project, endpoint) "
        "(rate(headgate_predictions_total[10m])) or 0 * sum by (project, endpoint) "
        "(rate(headgate_contract_violations_total[10m])))) > 0.05",
        "10m",
        "warning",
        "{{ $value | humanizePercentage }} of the rows of {{ $labels.project }}/{{ $labels.endpoint }} break a rule.",
        "headgate_contract_violations_total names fields and rules: a caller changed, or the contract is too narrow.",
    ),
    Alert(
        "HeadgateFallbacks",
        f"sum by ({_WHERE}) (rate(headgate_fallbacks_total[10m])) / sum by ({_WHERE}) "
        "(rate(headgate_predictions_total[10m])) > 0.01",
        "5m",
        "warning",
        "The live version answers {{ $value | humanizePercentage }} of the rows of "
        "{{ $labels.project }}/{{ $labels.endpoint }} in another's stead.",
        "headgate_fallbacks_total says which version fails or is late; take its share of the traffic back.",
    ),
    Alert(
        "HeadgateQueueNearLimit",
        "sum by (instance) (headgate_in_flight) / sum by (instance) (headgate_queue_limit) > 0.8",
        "1m",
        "warning",
        "{{ $value | humanizePercentage }} of the rows {{ $labels.instance }} admits at once are in flight.",
        "It is about to answer 503: add workers or machines, or find out which model is slow.",
    ),
    Alert(
        "HeadgateOverloaded",
        f"sum by ({_WHERE}) (rate(headgate_rejected_total{{reason='Overloaded'}}[5m])) > 0",
        "2m",
        "critical",
        "Callers of {{ $labels.project }}/{{ $labels.endpoint }} are told to come back.",
        "Add workers or machines, or let callers ask less.",
    ),
    Alert(
        "HeadgateProcessDied",
        "sum by (instance, process) (increase(headgate_process_deaths_total[15m])) > 0",
        "0m",
        "warning",
        "A {{ $labels.process }} of {{ $labels.instance }} ended by itself and was started again.",
        "`headgate status` and the log of `headgate up` have its name and the cause.",
    ),
    Alert(
        "HeadgateProcessKeepsDying",
        "sum by (instance, process) (increase(headgate_process_deaths_total[15m])) > 3",
        "0m",
        "critical",
        "A {{ $labels.process }} of {{ $labels.instance }} dies again and again.",
        "For a host, take its version's traffic back; for a gateway, look for memory or a damaged package.",
    ),
    Alert(
        "HeadgateDiskFilling",
        "headgate_disk_free_bytes / headgate_disk_size_bytes < 0.1",
        "5m",
        "warning",
        "{{ $value | humanizePercentage }} of the disk of {{ $labels.instance }} is free.",
        "Set `retention` for its endpoints, or give it a larger disk.",
    ),
    Alert(
        "HeadgateDiskFull",
        "headgate_disk_free_bytes / headgate_disk_size_bytes < 0.02",
        "0m",
        "critical",
        "The disk of {{ $labels.instance }} is full.",
        "Make room now: without it the journal cannot be written and callers get 503.",
    ),
    Alert(
        "HeadgateRevisionsDiffer",
        f"max by ({_WHERE}) (headgate_traffic_revision) != min by ({_WHERE}) (headgate_traffic_revision > 0)",
        "2m",
        "warning",
        "Machines obey different traffic for {{ $labels.project }}/{{ $labels.endpoint }}.",
        "One of them cannot load a version; `headgate doctor` there says which.",
    ),
    Alert(
        "HeadgateAlertStands",
        "max by (project, endpoint, severity) (headgate_alerts_standing{severity='critical'}) > 0",
        "0m",
        "critical",
        "A monitor of {{ $labels.project }}/{{ $labels.endpoint }} found what is {{ $labels.severity }}.",
        "`headgate alerts` says what was found, what the likely cause is and what to do.",
    ),
    Alert(
        "HeadgateMonitorAlarms",
        "max by (project, endpoint, monitor) (headgate_monitor_standing{standing='alarm'}) > 0",
        "0m",
        "warning",
        "The monitor {{ $labels.monitor }} of {{ $labels.project }}/{{ $labels.endpoint }} alarms.",
        "`headgate report` says since when, on which evidence, how sure that is and what to do.",
    ),
    Alert(
        "HeadgateMonitorBroken",
        "max by (project, endpoint, monitor) (headgate_monitor_standing{standing='broken'}) > 0",
        "30m",
        "warning",
        "The monitor {{ $labels.monitor }} of {{ $labels.project }}/{{ $labels.endpoint }} cannot measure.",
        "`headgate monitor` says why; put right what it names.",
    ),
    Alert(
        "HeadgateAlertUndelivered",
        "sum by (instance, channel) (increase(headgate_alert_deliveries_total{outcome='given_up'}[1h])) > 0",
        "0m",
        "warning",
        "The channel {{ $labels.channel }} of {{ $labels.instance }} could not be told of an alert.",
        "`headgate alerts` shows what it was not told, and the history what came of the last try.",
    ),
    Alert(
        "HeadgateMetricsDropped",
        "sum by (instance) (increase(headgate_metrics_dropped_total[1h])) > 0",
        "0m",
        "warning",
        "{{ $labels.instance }} has more metrics than it has room for.",
        "Too many endpoints, versions or refused fields for one worker's file; some are not counted.",
    ),
)


def rule_file() -> dict[str, Any]:
    """All alerts as one group of a Prometheus rule file."""
    return {"groups": [{"name": "headgate", "rules": [each.as_rule() for each in ALERTS]}]}
