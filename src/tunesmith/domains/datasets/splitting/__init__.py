"""A leak-safe split: what belongs together stays in one part, and the parts depend on content and seed alone.

Rows belong together when their prompts are the same but for case, spaces and punctuation, when their prompts or their whole
conversations are near duplicates, or when they have the same value in a column that is named for it. What is connected through
such pairs is one unit, and a unit is never divided. With a column to stratify by, every part gets its share of each value.
"""

from tunesmith.domains.datasets.splitting.parts import PARTS, PartFile, Split, StratumCounts, split_file
from tunesmith.domains.datasets.splitting.units import SplitRules

__all__ = ["PARTS", "PartFile", "Split", "SplitRules", "StratumCounts", "split_file"]
