"""Each validation leaves a line that says what changed."""

from __future__ import annotations

import httpx

from tests.domains.datasets.conftest import PATH, Answered, Upload, Work

ROWS = "".join(f'{{"prompt": "{n}번?", "completion": "{n * 17} 하고 {n}"}}\n' for n in range(9))


async def test_every_validation_is_kept_newest_first(
    client: httpx.AsyncClient, upload: Upload, work: Work, answered: Answered
) -> None:
    made = (
        await upload("a.jsonl", ROWS + '{"prompt": "메일?", "completion": "mina@haedam.co.kr 로 쓰세요."}\n')
    ).json()
    await work()
    first = (await client.get(f"{PATH}/{made['id']}/quality")).json()
    assert [(log["score_change"], log["passed"], log["pii"]["total"]) for log in first["items"]] == [(None, True, 1)]
    await answered("POST", f"/{made['id']}/validate", json={"check_pii": False})
    both = (await client.get(f"{PATH}/{made['id']}/quality")).json()
    newest, oldest = both["items"]
    assert both["total"] == 2
    assert newest["score_change"] == round(newest["quality_score"] - oldest["quality_score"], 4) > 0
    assert not newest["pii"]["checked"]
    paged = (await client.get(f"{PATH}/{made['id']}/quality", params={"page_size": 1})).json()
    assert paged["items"] == [newest]
    assert paged["weights"] == {"red": 1.0, "amber": 0.25, "green": 0.02}


async def test_an_unknown_dataset_has_no_history(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{PATH}/41/quality")).json()["code"] == "dataset-not-found"
