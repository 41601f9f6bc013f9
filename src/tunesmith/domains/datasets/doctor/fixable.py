"""The codes that can be mended by themselves. Each has its fixer in ``datasets.derivation.fixing``; a test holds the two together."""

FIXABLE = frozenset(
    {
        "blank-line",
        "chosen-equals-rejected",
        "control-character",
        "duplicate-key",
        "empty-turn",
        "encoding-bom",
        "exact-duplicate",
        "invalid-encoding",
        "last-turn-not-assistant",
        "missing-field",
        "mojibake",
        "no-assistant",
        "unknown-role",
        "wrong-role-order",
        "wrong-type",
    }
)
"""Not every finding with one of these codes can be: where it cannot be told what was meant, the row stays as it is and is named."""
