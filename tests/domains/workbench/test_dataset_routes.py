"""`/dataset/…`: a file becomes the current dataset; every call goes to it; it is what the control plane knows."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pyarrow import parquet

from tunesmith.settings import Settings, load_settings
from tunesmith.worker import run_worker

ROWS = [
    {"instruction": f"{at}번 배는 몇 시에 출발합니까?", "output": f"{8 + at % 12}시 정각에 출발합니다.", "fare": 1000 * at}
    for at in range(40)
]  # fmt: skip
GETS = (
    "info", "preview", "eda/statistics", "eda/missing-values", "eda/value-distribution", "eda/correlation", "eda/summary"
)  # fmt: skip
ADMIN = "/api/v1/admin/training/datasets"


def content(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


class Person:
    """Somebody at the workbench, and a worker that does what waits when asked."""

    def __init__(self, http: httpx.AsyncClient, app: FastAPI) -> None:
        self.http = http
        self._services = app.state.services

    async def work(self) -> None:
        await run_worker(self._services, until_idle=True)

    async def upload(self, rows: list[dict[str, Any]] = ROWS, file_name: str = "배 시간표.jsonl", **fields: str) -> Any:
        answer = await self.http.post(
            "/dataset/upload", files={"file": (file_name, content(rows))}, data=fields, params={"wait": 0}
        )
        assert answer.status_code == 201, answer.text
        await self.work()
        return (await self.http.get("/dataset/info")).json()

    async def done(self, verb: str, path: str, /, **body: Any) -> Any:
        """The answer of a call that may start a job, which a worker does meanwhile."""
        given: dict[str, Any] = {"json": body} if verb == "POST" else {"params": body}
        given.setdefault("params", {})
        given["params"] = {**given["params"], "wait": 0}
        first = await self.http.request(verb, f"/dataset/{path}", **given)
        if first.status_code == 200:
            return first.json()
        assert first.status_code == 202, first.text
        await self.work()
        job = (await self.http.get(first.json()["links"]["self"])).json()
        assert job["state"] == "succeeded", job
        return job["result"]


@pytest.fixture
def settings(data_dir: Path, tmp_path: Path) -> Settings:
    return load_settings(data_dir=data_dir, models={"allowed_roots": [tmp_path / "allowed"]})


@pytest.fixture
def person(client: httpx.AsyncClient, app: FastAPI) -> Person:
    return Person(client, app)


async def test_without_a_dataset_every_call_says_how_to_get_one(person: Person) -> None:
    calls = [("GET", path) for path in GETS] + [
        ("POST", "analyze-tokens"),
        ("POST", "reset"),
        ("POST", "save"),
    ]
    for method, path in calls:
        answer = await person.http.request(method, f"/dataset/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "no-current-dataset"), path
        assert "/dataset/upload" in answer.json()["hint"]
    split = await person.http.post("/dataset/split", json={"train": 0.9, "validation": 0.1, "test": 0})
    assert split.status_code == 404
    clean = await person.http.post("/dataset/clean", json={"exact_duplicates": True})
    assert clean.status_code == 404
    health = (await person.http.get("/dataset/health")).json()
    assert (health["status"], health["current_dataset"], health["rows"]) == ("idle", None, None)
    assert ".jsonl" in health["extensions"]


async def test_an_upload_becomes_the_current_dataset(person: Person) -> None:
    info = await person.upload()
    assert (info["name"], info["version"], info["status"], info["rows"]) == ("배 시간표", "1.0", "ready", 40)
    assert (info["format"], info["file_kind"], info["encoding"]) == ("alpaca", "jsonl", "utf-8")
    assert info["size_bytes"] == len(content(ROWS))
    assert {column["column"]: column["type"] for column in info["columns"]} == {
        "instruction": "text",
        "output": "text",
        "fare": "number",
    }
    assert info["dataset_id"] == info["uploaded_dataset_id"]
    control = (await person.http.get(f"{ADMIN}/{info['dataset_id']}")).json()
    assert (control["sha256"], control["source"]) == (info["sha256"], {"kind": "upload"})
    health = (await person.http.get("/dataset/health")).json()
    assert (health["status"], health["current_dataset"], health["rows"]) == ("ready", "배 시간표@1.0", 40)


async def test_uploading_waits_for_the_validation(person: Person) -> None:
    answer = await person.http.post("/dataset/upload", files={"file": ("a.jsonl", content(ROWS))}, params={"wait": 0})
    assert answer.json()["status"] == "validating"
    assert answer.json()["rows"] is None
    assert (await person.http.get("/dataset/health")).json()["status"] == "validating"


async def test_the_next_upload_of_a_name_is_its_next_version_and_the_current_dataset(person: Person) -> None:
    first = await person.upload()
    second = await person.upload(ROWS[:30])
    assert (second["name"], second["version"], second["rows"]) == (first["name"], "1.1", 30)
    third = await person.upload(ROWS[:20], name="다른 이름", version="3")
    assert (third["name"], third["version"]) == ("다른 이름", "3")


async def test_a_refused_upload_changes_nothing(person: Person) -> None:
    info = await person.upload()
    for file_name, raw, status in (
        ("a.jsonl", b"", 422),
        ("a.exe", b"MZ", 422),
        ("../a.jsonl", content(ROWS), 400),
    ):
        answer = await person.http.post("/dataset/upload", files={"file": (file_name, raw)})
        assert answer.status_code == status, file_name
    bad = await person.http.post("/dataset/upload", files={"file": ("a.jsonl", content(ROWS))}, data={"colour": "x"})
    assert bad.json()["code"] == "dataset-creation"
    assert (await person.http.get("/dataset/info")).json() == info


async def test_rows_of_the_current_dataset(person: Person) -> None:
    await person.upload()
    preview = (await person.http.get("/dataset/preview", params={"offset": 38, "limit": 5})).json()
    assert [row["row"] for row in preview["rows"]] == [39, 40]
    assert preview["rows"][0]["data"] == ROWS[38]
    assert (await person.http.get("/dataset/preview", params={"limit": 201})).status_code == 422


async def test_exploring_answers_what_the_control_plane_answers(person: Person) -> None:
    info = await person.upload()
    for view in ("statistics", "missing-values", "value-distribution", "correlation", "summary"):
        here = await person.done("GET", f"eda/{view}")
        there = (await person.http.get(f"{ADMIN}/{info['dataset_id']}/eda/{view}", params={"wait": 0})).json()
        assert here == there
        assert here["view"] == view
    one = await person.done("GET", "eda/value-distribution", column="fare", bins=4, top=1)
    assert len(one["columns"][0]["histogram"]["bins"]) == 4
    assert one["columns"][0]["top"][0]["count"] == 1
    ranked = await person.done("GET", "eda/correlation", method="spearman")
    assert ranked["method"] == "spearman"
    unknown = await person.http.get("/dataset/eda/value-distribution", params={"column": "fair"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "column-unknown")
    columns = (await person.http.get("/dataset/info")).json()["columns"]
    assert {column["rows_looked_at"] for column in columns} == {40}


async def test_tokens_with_the_bundled_tokenizer_where_no_model_is_loaded(person: Person) -> None:
    await person.upload()
    answer = await person.done("POST", "analyze-tokens", lengths=[128])
    assert (answer["model"], answer["rows"]) == ("tunesmith/tiny", 40)
    named = await person.done("POST", "analyze-tokens", model="tunesmith/tiny", lengths=[128])
    assert named == answer
    missing = await person.http.post("/dataset/analyze-tokens", json={"model": "nobody/nothing"})
    assert missing.status_code == 404


async def test_split_makes_datasets_and_keeps_the_current_one(person: Person) -> None:
    info = await person.upload()
    answer = await person.done("POST", "split", train=0.8, validation=0.1, test=0.1, seed=7)
    assert [part["part"] for part in answer["parts"]] == ["train", "validation", "test"]
    assert sum(part["rows"] for part in answer["parts"]) == 40
    assert (await person.http.get("/dataset/info")).json()["dataset_id"] == info["dataset_id"]
    refused = await person.http.post("/dataset/split", json={"train": 0.5, "validation": 0.1, "test": 0})
    assert refused.status_code == 422


async def test_an_archived_dataset_is_current_no_more(person: Person) -> None:
    info = await person.upload()
    assert (await person.http.delete(f"{ADMIN}/{info['dataset_id']}")).status_code == 200
    assert (await person.http.get("/dataset/info")).status_code == 404
    assert (await person.http.post(f"{ADMIN}/{info['dataset_id']}/restore")).status_code == 200
    assert (await person.http.get("/dataset/info")).json()["dataset_id"] == info["dataset_id"]


DIRTY = [
    *ROWS[:30],
    ROWS[0],
    {"instruction": "표는   어디서 삽니까?!!! ", "output": "<b>3번</b> 창구입니다.", "fare": None},
    {"instruction": "빈 답", "output": "  ", "fare": 1},
]
STEPS = {
    "missing": [{"action": "drop"}],
    "normalise": {"whitespace": True, "html": True, "repeated_punctuation": True},
    "exact_duplicates": True,
}


async def test_cleaning_makes_the_next_version_the_current_one_and_reset_leads_back(person: Person) -> None:
    before = await person.upload(DIRTY)
    preview = await person.done("POST", "clean", **STEPS, preview=True)
    assert preview["preview"] is True
    assert (await person.http.get("/dataset/info")).json()["dataset_id"] == before["dataset_id"]
    cleaned = await person.done("POST", "clean", **STEPS)
    assert cleaned["diff"]["removed"] == 2
    assert preview["diff"] == cleaned["diff"]
    info = (await person.http.get("/dataset/info")).json()
    assert (info["dataset_id"], info["version"], info["rows"]) == (cleaned["dataset"]["id"], "1.1", 31)
    assert info["uploaded_dataset_id"] == before["dataset_id"]
    last = (await person.http.get("/dataset/preview", params={"offset": 30})).json()["rows"][0]["data"]
    assert last == {"instruction": "표는 어디서 삽니까?!", "output": "3번 창구입니다.", "fare": None}
    assert (await person.http.get("/dataset/eda/statistics", params={"wait": 0})).status_code == 202
    back = (await person.http.post("/dataset/reset")).json()
    assert (back["dataset_id"], back["rows"]) == (before["dataset_id"], 33)
    assert (await person.http.get(f"{ADMIN}/{cleaned['dataset']['id']}")).status_code == 200


async def test_undoing_a_cleaning_in_the_control_plane_leads_the_workbench_back(person: Person) -> None:
    before = await person.upload(DIRTY)
    cleaned = await person.done("POST", "clean", **STEPS)
    assert (await person.http.post(f"{ADMIN}/{cleaned['dataset']['id']}/undo")).status_code == 200
    assert (await person.http.get("/dataset/info")).json()["dataset_id"] == before["dataset_id"]


async def test_while_a_cleaning_goes_on_another_is_refused_and_a_cancelled_one_changes_nothing(person: Person) -> None:
    before = await person.upload(DIRTY)
    first = (await person.http.post("/dataset/clean", json=STEPS, params={"wait": 0})).json()
    health = (await person.http.get("/dataset/health")).json()
    assert (health["status"], health["job_id"]) == ("changing", first["job_id"])
    second = await person.http.post("/dataset/clean", json=STEPS, params={"wait": 0})
    assert (second.status_code, second.json()["code"], second.json()["job_id"]) == (
        409,
        "dataset-busy",
        first["job_id"],
    )
    assert (await person.http.post(f"/api/v1/admin/jobs/{first['job_id']}/cancel")).status_code == 200
    info = (await person.http.get("/dataset/info")).json()
    assert info["dataset_id"] == before["dataset_id"]
    assert (await person.http.get("/dataset/health")).json()["status"] == "invalid"


async def test_a_cleaning_that_finds_nothing_leaves_the_current_dataset(person: Person) -> None:
    before = await person.upload()
    answer = await person.done("POST", "clean", exact_duplicates=True)
    assert answer["changed"] is False
    assert (await person.http.get("/dataset/info")).json()["dataset_id"] == before["dataset_id"]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
async def test_saving_to_a_file(person: Person, settings: Settings, form: str) -> None:
    info = await person.upload()
    answer = await person.done("POST", "save", format=form, path=f"표.{form}")
    path = settings.data_dir / "saved" / f"표.{form}"
    assert (answer["path"], answer["rows"], answer["size_bytes"]) == (str(path), 40, path.stat().st_size)
    assert rows_of(path) == [dict(row) for row in ROWS]
    download = await person.http.get(answer["download"])
    assert download.content == path.read_bytes()
    assert info["name"] in answer["file_name"]
    again = await person.http.post("/dataset/save", json={"format": form, "path": f"표.{form}"})
    assert (again.status_code, again.json()["code"]) == (409, "target-exists")
    path.write_bytes(b"something else")
    await person.done("POST", "save", format=form, path=f"표.{form}", overwrite=True)
    assert path.read_bytes() == download.content


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return [dict(row) for row in parquet.read_table(path).to_pylist()]
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [{**row, "fare": int(row["fare"])} for row in csv.DictReader(file)]
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def test_saving_a_hub_folder(person: Person, settings: Settings) -> None:
    await person.upload()
    answer = await person.done("POST", "save", format="hf", path="hub")
    folder = settings.data_dir / "saved" / "hub"
    assert answer["path"] == str(folder)
    assert len(parquet.read_table(folder / "data" / "train-00000-of-00001.parquet")) == 40
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("---\n")
    refused = await person.http.post("/dataset/save", json={"format": "hf", "path": "hub"})
    assert refused.status_code == 409


async def test_saving_without_a_path_answers_a_link(person: Person) -> None:
    await person.upload()
    answer = await person.done("POST", "save")
    assert (answer["path"], answer["format"]) == (None, "jsonl")
    lines = (await person.http.get(answer["download"])).text.splitlines()
    assert [json.loads(line) for line in lines] == ROWS


async def test_paths_that_must_not_be_written(person: Person, settings: Settings, tmp_path: Path) -> None:
    await person.upload()
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (settings.data_dir / "saved").mkdir()
    (settings.data_dir / "saved" / "way-out").symlink_to(outside)
    for path, status in (
        ("/etc/rows.jsonl", 403),
        (str(outside / "rows.jsonl"), 403),
        ("../rows.jsonl", 403),
        ("../../rows.jsonl", 403),
        ("way-out/rows.jsonl", 403),
        (str(settings.data_dir / "rows.jsonl"), 403),
        (str(settings.store_dir / "rows.jsonl"), 403),
        ("rows.csv", 422),
        ("rows", 422),
        ("a\u0000b.jsonl", 422),
        ("", 422),
    ):
        answer = await person.http.post("/dataset/save", json={"path": path})
        assert answer.status_code == status, (path, answer.text)
    assert list(outside.iterdir()) == []
    assert (await person.http.post("/dataset/save", json={"format": "xlsx"})).status_code == 422


async def test_saving_into_an_allowed_folder(person: Person, settings: Settings, tmp_path: Path) -> None:
    await person.upload()
    path = tmp_path / "allowed" / "deep" / "rows.jsonl"
    answer = await person.done("POST", "save", path=str(path))
    assert answer["path"] == str(path)
    assert rows_of(path) == ROWS
