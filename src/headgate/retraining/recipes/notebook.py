"""A notebook run from top to bottom; ``python -m headgate.retraining.recipes.notebook``. Needs the extra `notebook`.

It asks for its training set and leaves its model behind as `headgate.retraining.recipes.training` says. A cell with the
tag ``parameters`` is followed by one that sets what the recipe was given, by name.
"""

import sys
from pathlib import Path
from typing import Any

from headgate.errors import BadInput, MissingExtra
from headgate.retraining.recipes import code, models
from headgate.retraining.recipes.folder import Job, RunFolder
from headgate.retraining.recipes.program import installed, run
from headgate.retraining.recipes.recipe import Learned, Parameter
from headgate.retraining.recipes.training import training_data

try:
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
except ImportError:
    NotebookClient = None

EXECUTED = "notebook.ipynb"
"""The notebook with what its cells said, in the run's folder."""
_TAG = "parameters"


def learn(folder: RunFolder, job: Job) -> Learned:
    """Run every cell and keep the model that one of them saved. Raises BadInput where a cell fails or none did."""
    if NotebookClient is None:
        raise MissingExtra("a notebook as a recipe", "notebook")
    recipe, sources = job.recipe, Path(job.sources)
    path = sources / recipe.source
    notebook = nbformat.read(path, as_version=4)
    kept_code = code.keep([path], sources, folder.code, {})
    given(notebook, recipe.parameters)
    client = NotebookClient(
        notebook, timeout=None, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    )
    client.on_cell_execute = _teller(len(notebook.cells))
    try:
        client.execute()
    except CellExecutionError as error:
        sys.stderr.write(f"{error}\n")
        raise BadInput("recipe.notebook", "cell", f"a cell raised {error.ename}: {error.evalue}") from error
    finally:
        nbformat.write(notebook, folder.path / EXECUTED)
    return Learned(
        model=f"out/{models.left_behind(folder.out, trust=recipe.trust)}",
        metrics={},
        parameters=recipe.parameters,
        environment=installed(),
        code=kept_code,
    )


def given(notebook: Any, parameters: dict[str, Parameter]) -> None:
    """Put a cell that sets `parameters` behind the one tagged ``parameters``. Raises BadInput where none is."""
    if not parameters:
        return
    for place, cell in enumerate(notebook.cells):
        if _TAG in cell.metadata.get("tags", []):
            lines = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
            notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(lines))
            return
    raise BadInput("recipe.notebook", "parameters", "has no cell with the tag 'parameters' to be given any")


def _teller(cells: int) -> Any:
    data = training_data()

    def tell(cell: Any, cell_index: int) -> None:
        data.progress(cell_index / cells, f"cell {cell_index + 1} of {cells}")

    return tell


if __name__ == "__main__":
    sys.exit(run(learn))
