"""What the demo tells programs: one JSON object."""

import json
import os
from collections.abc import Iterator
from typing import Any

from headgate.demo.inspection.story import Act, Outcome
from headgate.demo.replay import rfc3339
from headgate.evaluation.estimate import Estimate
from headgate.rollouts.comparison.values import Right
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import replayed


def as_json(outcome: Outcome) -> str:
    """Everything as one object; shares are 0 to 1, and what is not known is null."""
    tally = outcome.tally
    return json.dumps(
        {
            "pictures": outcome.material,
            "pieces": tally.asked,
            "failed": tally.failed,
            "first_failure": tally.first_failure,
            "labels": tally.labels,
            "second_looks": tally.second_looks,
            "audits": tally.audits,
            "decided": {
                who: {"pieces": each.pieces, "wrong": each.wrong} for who, each in tally.decided.items() if each.pieces
            },
            "accuracy_before": outcome.gates,
            "acts": [_act(each) for each in outcome.acts],
            "seconds": round(outcome.seconds, 1),
            "cores": os.cpu_count(),
        }
    )


def _act(act: Act) -> dict[str, Any]:
    rollout, found = act.rollout, act.comparison
    right = found.judged if isinstance(found.judged, Right) else None
    return {
        "candidate": rollout.plan.candidate,
        "beside": rollout.live,
        "verdict": str(rollout.state.phase),
        "why": rollout.state.why,
        "alpha": {"roll_back": rollout.plan.alpha.roll_back, "promote": rollout.plan.alpha.promote},
        "touched": act.touched,
        "compared": found.both,
        "labelled": found.labelled,
        "agreement": _estimate(found.agreement),
        "kappa": None if found.reviewed is None else found.reviewed.kappa,
        "kappa_of_people": None if found.reviewed is None else found.reviewed.people_kappa,
        "errors": None if right is None else {"live": right.live_error, "candidate": right.candidate_error},
        "difference_of_errors": None if right is None else _estimate(right.difference),
        "began": rfc3339(rollout.started),
        "moves": list(_moves(rollout)),
        "page": str(act.page),
    }


def _moves(rollout: Rollout) -> Iterator[dict[str, Any]]:
    """Every move, with the share of the pieces that the candidate decides from then on."""
    for place, move in enumerate(rollout.moves, 1):
        state = replayed(rollout.plan, rollout.started, rollout.moves[:place])
        yield {"at": rfc3339(move.at), "action": str(move.action), "weight": state.weight, "why": move.why}


def _estimate(found: Estimate) -> dict[str, float | None]:
    return {"value": found.value, "low": found.low, "high": found.high}
