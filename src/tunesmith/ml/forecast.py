"""A forecast by rehearsal: ``python -m tunesmith.ml.forecast RUN_DIR``, the run itself as far as its first updates.

RUN_DIR holds ``spec.json`` (a ``ForecastSpec``). Everything up to the first update is the run's own code in ``sft.train``: the
same data, model, precision and memory. The result has the figures of ``rehearsal.Rehearsal``; nothing is kept.
"""

from __future__ import annotations

import sys

from tunesmith.ml import sft
from tunesmith.ml.report import Reporter


def forecast(reporter: Reporter) -> None:
    """Rehearse the run of ``reporter.spec``."""
    from tunesmith.ml.rehearsal import Rehearsal, abridged
    from tunesmith.wire.spec import ForecastSpec

    spec = ForecastSpec.model_validate(reporter.spec)
    rehearsal = Rehearsal(spec.recipe)
    reporter.spec = abridged(spec).model_dump(mode="json", by_alias=True)
    sft.train(reporter, rehearsal)


if __name__ == "__main__":
    sft.main(sys.argv[1], forecast)
