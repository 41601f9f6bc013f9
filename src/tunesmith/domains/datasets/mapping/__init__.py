"""Which column is which field: told from names in two languages, from what the columns hold, and from what was said before."""

from tunesmith.domains.datasets.mapping.checking import check_mapping, columns_digest
from tunesmith.domains.datasets.mapping.proposing import SURE, Proposal, propose

__all__ = ["SURE", "Proposal", "check_mapping", "columns_digest", "propose"]
