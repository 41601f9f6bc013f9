"""Failures of evaluations."""

from tunesmith.kit.errors import InvalidInput, Unsupported


class MetricUnsupported(Unsupported):
    """A metric that this version does not have."""

    code, title = "unsupported-metric", "This metric is not supported"
    hint = "Use loss, perplexity or exact_match of conversations, preference_accuracy or preference_margin of pairs."


class NothingToEvaluate(InvalidInput):
    """There is no data to evaluate on."""

    code, title = "nothing-to-evaluate", "There is nothing to evaluate on"
    hint = "Name a dataset whose rows end with an answer of the assistant."
