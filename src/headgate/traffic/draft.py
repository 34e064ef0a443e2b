"""The endpoint file that `headgate init` writes for a person to edit, with what each word means."""

from typing import Final

DRAFT: Final = """\
# What callers ask for, and which model answers: name (newest version), name:3 or name@alias.
{named}
# Why this is deployed, for whoever reads it in a year.
why: ""

# How well it should answer; `headgate status` shows both beside what was measured.
slo:
  latency_p99_ms: 50
  requests_per_second: 100

# For a model in a process of its own: its memory in MiB (null: no limit), seconds a call may take (null: a minute).
resources:
  memory_mb: null
  call_seconds: null

# durable: a reply leaves once its journal records are on disk. buffered: sooner, and a crash may lose the last few.
# on_failure, when the journal cannot be written: refuse (503) or answer (and say journalled: false).
journal:
  ack: durable
  on_failure: refuse

# Which share of requests keeps its features, and which fields are never written.
capture:
  sampling_percent: 100
  redact: []

# Longest a caller waits; how long after a prediction its label is due (30s, 10m, 2d); how long rows are kept
# (whole days such as 400d, or none: for ever).
deadline_ms: 10000
label_maturity: 0s
retention: none

# Who decides: model, or human: people do, the model answers unseen beside them, and a rollout lets it take over.
# review says how they do: double_percent of the cases go to two people, audit_percent of what the model decides is put
# before people all the same, a reviewer keeps a case for a lease. null: 10, 5 and 10m where people decide.
live: model
review: null

# What a year of rollouts may risk, all together: with which probability any of them promotes what is worse than its
# margin, and by how many points all promotions may make it worse.
rollouts:
  alpha_per_year: 0.2
  worse_per_year: 3

# How it is watched: how often alarms of all monitors together may be false (at most one per 90 days, at most 5 % per
# year, at most 5 % ever), what is borne of errors, refusals and fallbacks, how much worse than its evaluation the model
# may be (null: a point), whether inputs are compared with the package's reference (none or package), which fields say
# what group somebody belongs to, and what an hour of a processor costs (null: seconds alone are told).
monitors:
  false_alarms: at most one per 90 days
  errors_percent: 1
  refusals_percent: 5
  fallbacks_percent: 5
  tolerance: null
  reference: none
  groups: []
  price_per_cpu_hour: null

# Rows unlike those the model was fitted on: of ordinary rows so many at most are flagged, or refused, by
# mistake, such as 1 in 1000 (null: none is, and rows are not looked at). What is refused is rarer than what is flagged.
outliers:
  flag: null
  reject: null

# Who is told when a monitor finds something (null: every channel of the home's channels.yaml), from which severity on
# (info, warning, critical), how long not again, and how long after it was last found it counts as over.
alerts:
  channels: null
  least: warning
  cooldown: 4h
  over_after: 1d

# How its model learns again. A recipe is automl, python (learn.py:train), command or notebook; when is made of alarm,
# schedule("0 3 * * 1"), labels >= 5000, data and message. promote: by_itself, or ask for a person to say so.
# retraining:
#   recipe: {{automl: {{budget: 60s}}}}
#   when: alarm
#   cooldown: 10d
#   runs_per_month: 4
#   probation: 7d
#   promote: by_itself

# A split by hand, instead of sending everything to the model above. Weights sum to 1.
# traffic:
#   split:
#   - version: name:1
#     weight: 0.9
#   - version: name:2
#     weight: 0.1
#   sticky_key: null

# Inferred from {reference}; check ranges, units, categories and what is personal.
contract:
{contract}"""
