"""A whole file answered by one version, without a gateway."""

from pathlib import Path

from headgate.batch.score import Progress, Scored, score_file
from headgate.registry.packages import Package
from headgate.registry.ports import Version
from headgate.runtimes.predictor import predict_with


def scored(version: Version, package: Package, source: Path, target: Path, progress: Progress) -> Scored:
    """Every row of `source` answered into `target`; see ``batch.score.score_file``. The model is ended afterwards."""
    predictor = predict_with(package.path)
    try:
        return score_file(
            source,
            target,
            contract=package.contract,
            predictor=predictor,
            version=version.ref,
            digest=version.digest,
            progress=progress,
        )
    finally:
        predictor.close()
