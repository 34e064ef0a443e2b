"""``headgate metrics``: what Prometheus and Grafana need to watch a Headgate."""

import json

import click

from headgate.contracts.yaml_text import write_yaml
from headgate.gateway.metrics.alerts import rule_file
from headgate.gateway.metrics.dashboard import dashboard


@click.command("metrics")
@click.argument("what", type=click.Choice(["rules", "dashboard"]))
def command(*, what: str) -> None:
    """Print alert rules for Prometheus or a dashboard for Grafana.

    `rules` is a rule file for `rule_files` of prometheus.yml, `dashboard` the JSON that Grafana imports. Both
    belong to this version's metrics, so print them again after an upgrade. An endpoint's own objective,
    slo.latency_p99_ms, is a metric: the rules need no change when it does.
    """
    if what == "rules":
        click.echo(write_yaml(rule_file()), nl=False)
    else:
        click.echo(json.dumps(dashboard(), indent=2))
