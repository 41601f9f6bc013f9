"""Making a version from another: an operation over its rows, a report of every step, and a map back to the parent's rows.

A version never changes. Edits, fixes, cleaning and the removal of personal data all go this way, so that each has a diff and an
undo, and nothing is dropped that no report names.
"""
