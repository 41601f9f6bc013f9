"""A version as a dataset folder of the Hugging Face Hub, in a ZIP: Parquet and a card. ``load_dataset`` reads it unpacked."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from tunesmith.domains.datasets.tables import DatasetRow

PARQUET = "data/train-00000-of-00001.parquet"
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def write_hub_folder(path: Path, parquet: Path, row: DatasetRow, rows: int) -> None:
    """Write the ZIP; the same content makes the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        card = zipfile.ZipInfo("README.md", _FIXED_TIME)
        archive.writestr(card, dataset_card(row, rows).encode())
        entry = zipfile.ZipInfo(PARQUET, _FIXED_TIME)
        entry.file_size = parquet.stat().st_size
        with parquet.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
            while piece := source.read(1 << 20):
                target.write(piece)


def dataset_card(row: DatasetRow, rows: int) -> str:
    """The README.md with its YAML head."""
    size = next((name for limit, name in _SIZES if rows < limit), "10M<n<100M")
    tags = json.dumps(["tunesmith", *row.tags], ensure_ascii=False)
    return f"""---
pretty_name: {json.dumps(row.name, ensure_ascii=False)}
size_categories:
- {size}
tags: {tags}
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*.parquet
---

# {_one_line(row.name)}

{row.description or "A dataset for training language models."}

| | |
| --- | --- |
| version | {_one_line(row.version)} |
| rows | {rows} |
| format of the rows | {row.format} |
| SHA-256 of the file that it was made from | `{row.sha256}` |

Made with [Tunesmith](https://github.com/tunesmith/tunesmith). Load it unpacked:

```python
from datasets import load_dataset

rows = load_dataset("path/to/this/folder", split="train")
```
"""


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
