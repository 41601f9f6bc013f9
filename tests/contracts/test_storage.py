"""The storage port's promises, kept by every adapter: the local folder, and S3 against a real protocol server."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from pydantic import SecretStr

from tests.fixtures.network import free_port
from tests.fixtures.server import wait_until
from tunesmith.adapters.storage.local import INCOMING, LocalStorage
from tunesmith.adapters.storage.s3 import S3Storage
from tunesmith.kit.errors import MissingExtra
from tunesmith.ports.storage import (
    InvalidKey,
    ObjectNotFound,
    Storage,
    StorageFull,
    StorageUnavailable,
    blob_key,
)
from tunesmith.settings import S3Settings

KEY_ID, SECRET = "test-key", "test-secret"


def s3_client(address: str) -> Any:
    return boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET
    )


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """Address of a real S3 protocol server with the bucket `tunesmith`."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    program = Path(sys.executable).with_name("moto_server")
    process = subprocess.Popen(
        [str(program), "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    client = s3_client(address)

    def answers() -> bool:
        try:
            client.create_bucket(Bucket="tunesmith")
        except EndpointConnectionError:
            return False
        return True

    wait_until("the S3 server", answers)
    yield address
    process.terminate()
    process.wait(10)


def s3_settings(address: str, **changes: object) -> S3Settings:
    values: dict[str, object] = {
        "endpoint_url": address,
        "access_key_id": SecretStr(KEY_ID),
        "secret_access_key": SecretStr(SECRET),
        "allow_http": True,
    }
    return S3Settings.model_validate(values | changes)


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return LocalStorage(tmp_path / "store")
    address: str = request.getfixturevalue("s3_server")
    return S3Storage(s3_settings(address, prefix=f"tests/{tmp_path.parent.name}-{tmp_path.name}"))


async def pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]
        await asyncio.sleep(0)


async def read(storage: Storage, key: str) -> bytes:
    return b"".join([piece async for piece in await storage.open_read(key)])


async def keys(storage: Storage, folder: str = "") -> list[str]:
    return [key async for key in storage.list_keys(folder)]


SIZES = {"empty": 0, "one byte": 1, "20 MB": 20_000_000}


class TestStorage:
    """What every adapter promises."""

    @pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
    async def test_a_file_comes_back_as_it_went_in(self, storage: Storage, tmp_path: Path, size: int) -> None:
        content = random.Random(size).randbytes(size)
        (tmp_path / "source").write_bytes(content)

        stored = await storage.put_file(tmp_path / "source", "runs/7/weights.bin")

        assert (stored.key, stored.size_bytes) == ("runs/7/weights.bin", size)
        assert stored.sha256 == hashlib.sha256(content).hexdigest()
        assert await read(storage, stored.key) == content
        assert await storage.download(stored.key, tmp_path / "deep" / "copy") == stored
        assert (tmp_path / "deep" / "copy").read_bytes() == content
        assert (await storage.stat(stored.key)).size_bytes == size

    @pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
    async def test_a_stream_comes_back_as_it_went_in(self, storage: Storage, size: int) -> None:
        content = random.Random(size).randbytes(size)
        stored = await storage.put_stream(pieces(content), "uploads/data.jsonl")
        assert stored.size_bytes == size
        assert stored.sha256 == hashlib.sha256(content).hexdigest()
        assert await read(storage, stored.key) == content

    async def test_a_blob_is_named_by_its_content_and_kept_once(self, storage: Storage, tmp_path: Path) -> None:
        content = b"the same bytes" * 1000
        (tmp_path / "source").write_bytes(content)
        from_file = await storage.put_file(tmp_path / "source")
        from_stream = await storage.put_stream(pieces(content))
        assert from_file == from_stream
        assert from_file.key == blob_key(hashlib.sha256(content).hexdigest())
        assert await keys(storage) == [from_file.key]
        assert await read(storage, from_file.key) == content

    async def test_a_file_that_is_taken_becomes_a_blob_and_is_gone(self, storage: Storage, tmp_path: Path) -> None:
        content = b"taken" * 1000
        digest = hashlib.sha256(content).hexdigest()
        for _ in range(2):
            (tmp_path / "source").write_bytes(content)
            taken = await storage.take_file(tmp_path / "source", digest)
            assert (taken.key, taken.sha256, taken.size_bytes) == (blob_key(digest), digest, len(content))
            assert not (tmp_path / "source").exists()
        assert await keys(storage) == [blob_key(digest)]
        assert await read(storage, taken.key) == content

    @pytest.mark.parametrize("key", ["자료/학습 데이터.jsonl", "a b/100% #1?.txt", "데이터/~x+y=z&w.json", "e\u0301/é"])
    async def test_names_are_free(self, storage: Storage, key: str) -> None:
        await storage.put_stream(pieces("내용".encode()), key)
        assert await keys(storage) == [key]
        assert (await read(storage, key)).decode() == "내용"
        assert (await storage.stat(key)).key == key
        await storage.delete(key)
        assert await keys(storage) == []

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "..",
            "../outside",
            "a/../../outside",
            "a/./b",
            "/etc/passwd",
            "a//b",
            "a/",
            ".hidden",
            "a\x00b",
            "a\nb",
            "a\\b",
            "..\\outside",
            "x" * 256,
            "가" * 86,
            "/".join(["deep"] * 300),
        ],
    )
    async def test_a_bad_key_is_refused_everywhere(self, storage: Storage, tmp_path: Path, key: str) -> None:
        (tmp_path / "source").write_bytes(b"x")
        with pytest.raises(InvalidKey) as refused:
            await storage.put_file(tmp_path / "source", key)
        assert refused.value.status == 422
        assert refused.value.hint
        for call in (storage.put_stream(pieces(b"x"), key), storage.open_read(key), storage.exists(key)):
            with pytest.raises(InvalidKey):
                await call
        for call in (storage.stat(key), storage.delete(key), storage.download(key, tmp_path / "target")):
            with pytest.raises(InvalidKey):
                await call
        with pytest.raises(InvalidKey):
            storage.local_path(key)
        assert await keys(storage) == []
        assert sorted(p.name for p in tmp_path.iterdir() if p.name != "store") == ["source"]

    async def test_what_is_missing_is_said_before_the_first_byte(self, storage: Storage, tmp_path: Path) -> None:
        for call in (
            storage.open_read("no/such"),
            storage.stat("no/such"),
            storage.download("no/such", tmp_path / "t"),
        ):
            with pytest.raises(ObjectNotFound) as missing:
                await call
            assert missing.value.status == 404
            assert "no/such" in missing.value.message
        assert not await storage.exists("no/such")
        assert not (tmp_path / "t").exists()
        await storage.delete("no/such")

    async def test_deleting_removes(self, storage: Storage) -> None:
        await storage.put_stream(pieces(b"x"), "a/b")
        assert await storage.exists("a/b")
        await storage.delete("a/b")
        assert not await storage.exists("a/b")
        with pytest.raises(ObjectNotFound):
            await storage.stat("a/b")

    async def test_listing_is_by_folder_and_in_order(self, storage: Storage) -> None:
        for key in ["b/2", "b/10", "b.txt", "bb/1", "a/x/y", "a/x.txt", "c"]:
            await storage.put_stream(pieces(b"x"), key)
        assert await keys(storage) == sorted(["a/x.txt", "a/x/y", "b.txt", "b/10", "b/2", "bb/1", "c"])
        assert await keys(storage, "b") == ["b/10", "b/2"]
        assert await keys(storage, "a/x") == ["a/x/y"]
        assert await keys(storage, "nothing") == []
        with pytest.raises(InvalidKey):
            await keys(storage, "../")

    async def test_overwriting_shows_the_old_or_the_new_and_never_a_mix(self, storage: Storage) -> None:
        old, new = b"o" * 3_000_000, b"n" * 4_000_000
        await storage.put_stream(pieces(old), "k")
        seen: set[bytes] = set()
        writing = asyncio.create_task(storage.put_stream(pieces(new, 50_000), "k"))
        while not writing.done():
            seen.add(await read(storage, "k"))
        await writing
        assert await read(storage, "k") == new
        assert seen <= {old, new}
        assert old in seen

    async def test_a_stream_that_fails_leaves_nothing(self, storage: Storage) -> None:
        async def broken(length: int) -> AsyncIterator[bytes]:
            for _ in range(length):
                yield b"x" * 1_000_000
            raise ConnectionResetError("the client went away")

        await storage.put_stream(pieces(b"before"), "kept")
        for length in (0, 1, 12):  # nothing sent, less than one part, more than one part
            for key in ("kept", "new", None):
                with pytest.raises(ConnectionResetError, match="the client went away"):
                    await storage.put_stream(broken(length), key)
        assert await keys(storage) == ["kept"]
        assert await read(storage, "kept") == b"before"

    @pytest.mark.parametrize("is_stuck", [False, True], ids=["sending", "waiting"])
    async def test_a_cancelled_stream_leaves_nothing(self, storage: Storage, is_stuck: bool) -> None:
        begun = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 100_000
                begun.set()
                await (asyncio.Event().wait() if is_stuck else asyncio.sleep(0))

        writing = asyncio.create_task(storage.put_stream(endless(), "never"))
        await begun.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert await keys(storage) == []

    async def test_of_many_writers_one_wins_whole(self, storage: Storage) -> None:
        contents = [bytes([n]) * 300_000 for n in range(8)]
        stored = await asyncio.gather(*(storage.put_stream(pieces(c, 10_000), "k") for c in contents))
        final = await read(storage, "k")
        assert final in contents
        assert hashlib.sha256(final).hexdigest() in {s.sha256 for s in stored}
        blobs = await asyncio.gather(*(storage.put_stream(pieces(contents[0])) for _ in range(8)))
        assert len({blob.key for blob in blobs}) == 1
        assert await keys(storage) == sorted(["k", blobs[0].key])

    async def test_it_says_when_it_is_ready(self, storage: Storage) -> None:
        await storage.check()
        assert await keys(storage) == []


class TestLocalStorage:
    """What only a folder can do, or suffer."""

    async def test_links_never_lead_out(self, tmp_path: Path) -> None:
        storage = LocalStorage(tmp_path / "store")
        (tmp_path / "secret").mkdir()
        (tmp_path / "secret" / "file").write_text("secret")
        (tmp_path / "store" / "link").symlink_to(tmp_path / "secret")
        (tmp_path / "store" / "file").symlink_to(tmp_path / "secret" / "file")
        for key in ("link/file", "file", "link/new"):
            with pytest.raises(InvalidKey):
                await storage.open_read(key)
            with pytest.raises(InvalidKey):
                await storage.put_stream(pieces(b"x"), key)
        assert await keys(storage) == []
        assert sorted(p.name for p in (tmp_path / "secret").iterdir()) == ["file"]

    async def test_the_path_is_the_object(self, tmp_path: Path) -> None:
        storage = LocalStorage(tmp_path / "store")
        await storage.put_stream(pieces(b"content"), "a/b")
        path = storage.local_path("a/b")
        assert path is not None
        assert path.read_bytes() == b"content"
        with pytest.raises(ObjectNotFound):
            storage.local_path("a/c")

    async def test_a_key_is_an_object_or_a_folder(self, tmp_path: Path) -> None:
        storage = LocalStorage(tmp_path / "store")
        await storage.put_stream(pieces(b"x"), "a/b")
        for key in ("a", "a/b/c"):
            with pytest.raises(InvalidKey):
                await storage.put_stream(pieces(b"x"), key)
        with pytest.raises(ObjectNotFound):
            await storage.open_read("a")
        with pytest.raises(ObjectNotFound):
            await storage.stat("a/b/c")
        assert list((tmp_path / "store" / INCOMING).iterdir()) == []

    async def test_a_full_disk_is_said_and_leaves_nothing(self, tmp_path: Path) -> None:
        small = tmp_path / "small"
        small.mkdir()
        code = """
import asyncio, resource, signal, sys
from pathlib import Path
from tunesmith.adapters.storage.local import LocalStorage
from tunesmith.ports.storage import StorageUnavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
storage = LocalStorage(Path(sys.argv[1]))
async def rows():
    for _ in range(100):
        yield b"x" * 100_000
async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))  # every larger write fails in the kernel
    try:
        await storage.put_stream(rows(), "k")
    except StorageUnavailable as error:
        print("refused:", error.message)
    print([key async for key in storage.list_keys()], list((storage.root / ".incoming").iterdir()))
asyncio.run(main())
"""
        done = subprocess.run([sys.executable, "-c", code, str(small)], capture_output=True, text=True, timeout=60)
        assert "refused: Could not use the store: File too large." in done.stdout, done.stderr
        assert done.stdout.rstrip().endswith("[] []")

    async def test_no_space_left_is_507(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        storage = LocalStorage(tmp_path / "store")

        def no_space(_descriptor: int) -> None:
            raise OSError(28, os.strerror(28))

        monkeypatch.setattr(os, "fsync", no_space)
        with pytest.raises(StorageFull) as full:
            await storage.put_stream(pieces(b"x"), "k")
        assert full.value.status == 507
        monkeypatch.undo()
        assert await keys(storage) == []
        assert list((tmp_path / "store" / INCOMING).iterdir()) == []

    async def test_what_a_killed_process_left_is_collected_when_it_is_old(self, tmp_path: Path) -> None:
        LocalStorage(tmp_path / "store")
        old, young = (tmp_path / "store" / INCOMING / name for name in (".old.tmp", ".young.tmp"))
        old.write_bytes(b"x")
        young.write_bytes(b"x")
        os.utime(old, (1, 1))
        LocalStorage(tmp_path / "store")
        assert (old.exists(), young.exists()) == (False, True)


class TestS3Storage:
    """What only a server can do, or suffer."""

    async def test_a_stream_that_fails_leaves_no_hidden_parts(self, s3_server: str) -> None:
        async def broken() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b"x" * 1_000_000
            raise ConnectionResetError("the client went away")

        with pytest.raises(ConnectionResetError):
            await S3Storage(s3_settings(s3_server)).put_stream(broken(), "broken")
        assert s3_client(s3_server).list_multipart_uploads(Bucket="tunesmith").get("Uploads", []) == []

    async def test_it_is_no_file_of_this_machine(self, s3_server: str) -> None:
        assert S3Storage(s3_settings(s3_server)).local_path("a") is None

    async def test_a_server_that_is_away_is_503(self) -> None:
        storage = S3Storage(s3_settings(f"http://127.0.0.1:{free_port()}"))
        with pytest.raises(StorageUnavailable) as away:
            await storage.check()
        assert away.value.status == 503
        assert "tunesmith" in away.value.message

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            ("507 Insufficient Storage", b""),
            ("503 Slow Down", b"<Error><Code>XMinioStorageFull</Code></Error>"),
        ],
    )
    async def test_a_store_that_is_full_is_told_from_one_that_is_away(self, status: str, body: bytes) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(StorageFull):
                await S3Storage(s3_settings(f"http://127.0.0.1:{port}")).put_stream(pieces(b"x"), "k")

    async def test_a_name_with_the_number_of_a_full_store_says_nothing(self) -> None:
        storage = S3Storage(s3_settings(f"http://127.0.0.1:{free_port()}", bucket="b507-storagefull"))
        with pytest.raises(StorageUnavailable):
            await storage.check()

    async def test_a_bucket_that_is_missing_is_said(self, s3_server: str) -> None:
        with pytest.raises(StorageUnavailable, match="bucket"):
            await S3Storage(s3_settings(s3_server, bucket="nowhere")).check()

    def test_without_the_extra_it_says_how_to_get_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "obstore", None)
        with pytest.raises(MissingExtra) as missing:
            S3Storage(S3Settings())
        assert "tunesmith[scale]" in missing.value.hint
