"""What the control API says of itself, as OpenAPI 3.1."""

from typing import Any, Final

from headgate.vocabulary import VERSION

ACTIONS: Final = ("deploy", "pause", "resume", "approve", "promote", "abort", "rollback")
"""What may be done about an endpoint's rollout."""
_ENDPOINT: Final = {"name": "endpoint", "in": "path", "required": True, "schema": {"type": "string"}}
_PROJECT: Final = {"name": "project", "in": "path", "required": True, "schema": {"type": "string"}}
_EVERY: Final = {
    "name": "every",
    "in": "query",
    "description": "Length of a window.",
    "schema": {"enum": ["hour", "day", "week", "month"], "default": "day"},
}


def _json(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {}}}


_REFUSED: Final = {"401": _json("No key, or none in force."), "403": _json("The key does not allow this.")}


def _status(*parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "get": {
            "summary": "What an endpoint did, window by window.",
            "parameters": [*parameters, _EVERY],
            "responses": {"200": _json("The status."), "404": _json("No such endpoint."), **_REFUSED},
        }
    }


def _rollout(*parameters: dict[str, Any]) -> dict[str, Any]:
    order = {
        "type": "object",
        "required": ["action"],
        "properties": {
            "action": {"enum": list(ACTIONS)},
            "plan": {"type": "string", "description": "For deploy: the plan file's YAML."},
            "why": {"type": "string"},
            "step": {
                "type": "integer",
                "description": "Refuse the order when the rollout is in another step: its state.step as it was read.",
            },
        },
    }
    refused = {"404": _json("No such endpoint, or it never had a rollout."), **_REFUSED}
    return {
        "get": {
            "summary": "The endpoint's newest rollout: where it stands, what its guards say, what moved it.",
            "parameters": list(parameters),
            "responses": {"200": _json("The rollout."), **refused},
        },
        "post": {
            "summary": "Begin a rollout, move it by hand, or go back.",
            "parameters": list(parameters),
            "requestBody": {"required": True, "content": {"application/json": {"schema": order}}},
            "responses": {
                "200": _json("The rollout as it is now."),
                "409": _json("Another rollout is under way, or this one is in another step or cannot be moved so."),
                "422": _json("The plan is wrong; names the line."),
                **refused,
            },
        },
    }


def _reviews(where: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    """What people are to decide."""
    by = {
        "name": "reviewer",
        "in": "query",
        "schema": {"type": "string"},
        "description": "Who, where keys say nothing.",
    }
    case = {"name": "input_id", "in": "path", "required": True, "schema": {"type": "string"}}
    field = {"name": "field", "in": "path", "required": True, "schema": {"type": "string"}}
    refused = {"404": _json("No such endpoint or case."), **_REFUSED}
    waits = {"summary": "What waits for people.", "responses": {"200": _json("Counts, and the oldest."), **refused}}
    following = {
        "summary": "The next case for a reviewer, who has it for a while; the same again until it is decided.",
        "responses": {"200": _json("The case."), "204": {"description": "None waits."}, **refused},
    }
    given = {"summary": "Give a case back for good.", "responses": {"200": _json("It was."), **refused}}
    shown = {
        "summary": "A picture or another large value of a case.",
        "responses": {"200": {"description": "Its bytes."}, **refused},
    }
    return {
        f"{where}/reviews": {"get": waits | {"parameters": list(parameters)}},
        f"{where}/reviews/next": {"get": following | {"parameters": [*parameters, by]}},
        f"{where}/reviews/{{input_id}}/skip": {"post": given | {"parameters": [*parameters, case, by]}},
        f"{where}/reviews/{{input_id}}/fields/{{field}}": {"get": shown | {"parameters": [*parameters, case, field]}},
    }


def _watched(where: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    """How an endpoint stands, and its alerts."""
    last = {"name": "last", "in": "query", "schema": {"type": "integer"}, "description": "Tell of so many days."}
    over = {"name": "all", "in": "query", "schema": {"type": "boolean"}, "description": "Those that are over, too."}
    alert = {"name": "alert", "in": "path", "required": True, "schema": {"type": "string"}}
    refused = {"404": _json("No such endpoint or alert."), **_REFUSED}
    page = {"description": "One page that needs nothing else.", "content": {"text/html": {}}}
    reads: dict[str, tuple[str, dict[str, Any], list[dict[str, Any]]]] = {
        "monitor": ("How the endpoint stands: every monitor, and its days.", _json("The standing."), [last]),
        "report": ("The same with its alerts and its newest rollout.", _json("The report."), [last]),
        "report.html": ("The report as a page.", page, [last]),
        "alerts": ("Its alerts that stand, and its silence.", _json("The alerts."), [over]),
        "alerts/{alert}": ("An alert, and what people were told of it.", _json("The alert."), [alert]),
    }
    found: dict[str, Any] = {
        f"{where}/{path}": {
            "get": {"summary": says, "parameters": [*parameters, *more], "responses": {"200": shown, **refused}}
        }
        for path, (says, shown, more) in reads.items()
    }
    found[f"{where}/alerts/{{alert}}/acknowledge"] = {
        "post": {
            "summary": "Take an alert on: nobody is reminded of it.",
            "parameters": [*parameters, alert],
            "requestBody": _order("why"),
            "responses": {"200": _json("The alert."), "409": _json("It is over."), **refused},
        }
    }
    found[f"{where}/silence"] = {
        "post": {
            "summary": "Tell nobody of its alerts for a while; a time of 0s ends the silence there is.",
            "parameters": list(parameters),
            "requestBody": _order("for", "because", required=("for", "because")),
            "responses": {"200": _json("The silence."), "422": _json("No duration, or no reason."), **refused},
        }
    }
    return found


def _retraining(*parameters: dict[str, Any]) -> dict[str, Any]:
    refused = {"404": _json("No such endpoint."), **_REFUSED}
    said = {
        "type": "object",
        "required": ["action"],
        "properties": {
            "action": {
                "enum": ["start", "cancel", "message", "data"],
                "description": "start begins a run at once; message and data count as the endpoint's file says.",
            },
            "why": {"type": "string"},
            "key": {"type": "string", "description": "What it is the same message as: told twice, it counts once."},
        },
    }
    return {
        "get": {
            "summary": "Every run by which the endpoint's model learned again, the oldest first.",
            "parameters": list(parameters),
            "responses": {"200": _json("The runs."), **refused},
        },
        "post": {
            "summary": "Begin or end a run, or say that it may be time for one.",
            "parameters": list(parameters),
            "requestBody": {"required": True, "content": {"application/json": {"schema": said}}},
            "responses": {
                "200": _json("The newest run; null where there was none yet."),
                "409": _json("There is nothing to cancel."),
                "422": _json("The endpoint's file does not say how it learns again."),
                **refused,
            },
        },
    }


def _order(*texts: str, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """A body that is an object of texts."""
    schema = {"type": "object", "required": list(required), "properties": {each: {"type": "string"} for each in texts}}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


DOCUMENT: Final[dict[str, Any]] = {
    "openapi": "3.1.0",
    "info": {"title": "Headgate control API", "version": VERSION},
    "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    "security": [{}, {"key": []}],
    "paths": {
        "/livez": {"get": {"summary": "Whether the controller lives.", "responses": {"200": _json("It does.")}}},
        "/v1/endpoints": {
            "get": {
                "summary": "Every endpoint the caller may operate or read.",
                "responses": {"200": _json("Names with their projects."), **_REFUSED},
            }
        },
        "/v1/endpoints/{endpoint}/status": _status(_ENDPOINT),
        "/v1/projects/{project}/endpoints/{endpoint}/status": _status(_PROJECT, _ENDPOINT),
        "/v1/endpoints/{endpoint}/rollout": _rollout(_ENDPOINT),
        "/v1/projects/{project}/endpoints/{endpoint}/rollout": _rollout(_PROJECT, _ENDPOINT),
        **_reviews("/v1/endpoints/{endpoint}", _ENDPOINT),
        **_reviews("/v1/projects/{project}/endpoints/{endpoint}", _PROJECT, _ENDPOINT),
        **_watched("/v1/endpoints/{endpoint}", _ENDPOINT),
        **_watched("/v1/projects/{project}/endpoints/{endpoint}", _PROJECT, _ENDPOINT),
        "/v1/endpoints/{endpoint}/retraining": _retraining(_ENDPOINT),
        "/v1/projects/{project}/endpoints/{endpoint}/retraining": _retraining(_PROJECT, _ENDPOINT),
        "/v1/replay/advance": {
            "post": {
                "summary": "Move a replay's clock; answers when every worker obeys.",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["to"],
                                "properties": {"to": {"type": "string", "format": "date-time"}},
                            }
                        }
                    },
                },
                "responses": {
                    "200": _json("Revisions by worker."),
                    "422": _json("Replay is off, or time would go back."),
                    **_REFUSED,
                },
            }
        },
    },
}
