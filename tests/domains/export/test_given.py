"""What an export takes besides the model: an adapter folder, a name, an importance matrix from one's own rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.domains.registry.house import ADMIN, House, open_house
from tunesmith.worker import run_worker


async def uploaded(house: House, name: str, rows: list[dict[str, Any]]) -> int:
    """Id of a dataset of these rows, when it has been looked at."""
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    files = {"file": (f"{name}.jsonl", content.encode())}
    answer = await house.http.post(f"{ADMIN}/training/datasets", files=files, data={"name": name}, params={"wait": 0})
    assert answer.status_code in (200, 201, 202), answer.text
    await run_worker(house.services, until_idle=True)
    items = (await house.http.get(f"{ADMIN}/training/datasets")).json()["items"]
    return next(int(item["id"]) for item in items if item["name"] == name)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_base_with_an_adapter_and_ones_own_rows(tmp_path: Path) -> None:
    """The file has the name that was asked for and answers as the merged model does; the rows were looked at."""
    async with open_house(tmp_path / "house") as house:
        texts = await uploaded(house, "texts", [{"text": f"역 {n}번 출구?"} for n in range(8)])
        pairs = await uploaded(
            house, "pairs", [{"prompt": "역?", "chosen": "네", "rejected": f"{n}"} for n in range(8)]
        )
        body: dict[str, Any] = {
            "model": str(house.base),
            "adapter": str(house.adapter),
            "outputs": [{"format": "gguf", "method": "q4_k"}],
            "name": "강남 guide",
        }
        refused = await house.http.post(f"{ADMIN}/exports", json=body | {"importance": {"dataset_id": pairs}})
        assert (refused.status_code, refused.json()["code"]) == (422, "dataset-format")
        assert (
            "preference pairs (chosen, rejected), and an importance matrix takes the formats alpaca, messages"
            in refused.json()["detail"]
        )
        body["importance"] = {"dataset_id": texts, "rows": 4}
        [made] = (await house.run("/exports", body))["exports"]
        assert list((tmp_path / "house" / "runs").rglob("importance.gguf"))
    assert made["certificate"]["passed"], made["certificate"]
    assert Path(made["path"]).name.endswith("guide-Q4_K_M.gguf")
