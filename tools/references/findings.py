"""The reference of the data doctor's findings, from its catalogue."""

from __future__ import annotations

from tools.references.markdown import cell, code, generated, table
from tunesmith.domains.datasets.doctor import CODES, Severity
from tunesmith.settings import ScoreWeights

MEANING = {
    Severity.RED: "the row cannot be trained on; a training is refused until it is mended",
    Severity.AMBER: "the row can be trained on and probably should not be",
    Severity.GREEN: "for information",
}


def page() -> str:
    """Every code with an example and its fix."""
    parts = [
        generated("src/tunesmith/domains/datasets/doctor/codes.py"),
        "# Findings of the data doctor\n",
        "A finding is `{code, severity, row, line, pointer, expected, found, fix, message, fixable}`: `row` counts "
        "from 1, `line` is the first line of the record in the uploaded file, `pointer` the place inside the row. The doctor "
        "never stops at the first fault.\n",
        "What says *yes* under *by itself* can be mended with one click, with `tunesmith datasets fix` or `POST …/fixes`: the result is a "
        "new version with a diff and an undo, rows that go are listed, and a row of which it cannot be told what was meant stays as it "
        "is and is named. A finding says it in `fixable`.\n",
        "The score is 100 for a file without findings. A row costs by its worst finding: "
        + ", ".join(f"{severity} {cost:g}" for severity, cost in ScoreWeights().model_dump().items())
        + "; the score is 100 × (1 − the mean cost of a row), rounded down, and 0 for a file without rows. "
        "The costs are settings: `TUNESMITH_DATASETS__SCORE_WEIGHTS__RED`, `…__AMBER`, `…__GREEN`.\n",
    ]
    for severity in Severity:
        rows = [
            [code(c.slug), cell(c.title), code(c.example), cell(c.fix), "yes" if c.is_fixable else "–"]
            for c in CODES.values()
            if c.severity is severity
        ]
        if rows:
            parts += [
                f"## {severity.value.capitalize()}: {MEANING[severity]}\n",
                table(["code", "fault", "example", "fix", "by itself"], rows),
            ]
    return "\n".join(parts)
