"""What the paths of the control API say."""

from starlette.requests import Request

from headgate.vocabulary import DEFAULT_PROJECT


def named(request: Request) -> dict[str, str]:
    """The project and the endpoint of a path."""
    project = request.path_params.get("project", DEFAULT_PROJECT)
    return {"project": project, "endpoint": request.path_params["endpoint"]}
