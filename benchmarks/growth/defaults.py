"""A program: a whole retraining of a new pipeline as ``ffn init`` writes it, timed step by step.

``python -m benchmarks.growth.defaults ROOT``; prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.growth.steps import Timed, cpu_seconds
from ffn.blas_threads import one_blas_thread
from ffn.pipelines import retraining
from ffn.pipelines.outcomes import RetrainOutcome
from ffn.settings.pipeline import find_pipeline


def main(root: Path) -> None:
    """Retrain the pipeline ``table`` of ``root`` from its CSV to the promoted version."""
    executor = Timed(0)
    with one_blas_thread():
        outcome = retraining.run_steps(find_pipeline("table", root), executor)
    if not isinstance(outcome, RetrainOutcome):
        raise TypeError("a new pipeline has nothing to skip")
    baselines = outcome.examination.baselines
    found = {
        "seconds": executor.seconds,
        "cpu": cpu_seconds(),
        "log_loss": outcome.evaluation.log_loss.value,
        "baselines": {each.name: each.evaluation.log_loss.value for each in baselines},
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
