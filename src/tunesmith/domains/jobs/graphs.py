"""Ordering a graph of jobs, and refusing one that cannot be ordered."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from tunesmith.domains.jobs.errors import JobGraphInvalid
from tunesmith.domains.jobs.kinds import GraphNode, Kinds


def in_order(nodes: list[GraphNode], kinds: Kinds) -> list[GraphNode]:
    """The nodes, each after all that it waits for. Raises JobGraphInvalid and JobKindUnknown."""
    by_key = {node.key: node for node in nodes}
    if not nodes:
        raise JobGraphInvalid("A graph needs at least one job.")
    if len(by_key) != len(nodes):
        raise JobGraphInvalid("Two jobs of the graph have the same key.")
    for node in nodes:
        kind = kinds.get(node.kind)
        for key in node.dependencies:
            if key not in by_key:
                raise JobGraphInvalid(f"Job {node.key!r} waits for {key!r}, which is not in the graph.")
        unknown = sorted(set(node.inputs) - _field_names(kind.spec.model_fields))
        if unknown:
            raise JobGraphInvalid(f"Job {node.key!r} ({node.kind}) has no field {', '.join(unknown)} to fill.")
        if not node.dependencies:
            kind.parse(node.spec)
    try:
        order = TopologicalSorter({node.key: node.dependencies for node in nodes}).static_order()
        return [by_key[key] for key in order]
    except CycleError as error:
        raise JobGraphInvalid(f"The jobs wait for each other in a circle: {' → '.join(error.args[1])}.") from None


def _field_names(fields: Mapping[str, object]) -> set[str]:
    names = set(fields)
    names.update(alias for field in fields.values() if (alias := getattr(field, "alias", None)))
    return names
