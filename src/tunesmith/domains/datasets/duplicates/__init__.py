"""Near duplicates: token sets, exact Jaccard, a similarity join for a million texts, clusters. Pure functions over temporary files."""

from tunesmith.domains.datasets.duplicates.across import Nearest
from tunesmith.domains.datasets.duplicates.clusters import Clusters, Forest
from tunesmith.domains.datasets.duplicates.join import ShouldStop, Stopped
from tunesmith.domains.datasets.duplicates.near import (
    DEFAULT_THRESHOLD,
    LOWEST_THRESHOLD,
    NearDuplicates,
    cluster_near_duplicates,
)
from tunesmith.domains.datasets.duplicates.shingles import normalised

__all__ = [
    "DEFAULT_THRESHOLD",
    "LOWEST_THRESHOLD",
    "Clusters",
    "Forest",
    "NearDuplicates",
    "Nearest",
    "ShouldStop",
    "Stopped",
    "cluster_near_duplicates",
    "normalised",
]
