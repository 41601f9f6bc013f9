"""Fetch a model's files from a hub: ``python -m tunesmith.ml.fetch RUN_DIR``. No torch. The token is in HF_TOKEN.

Every file grows as ``NAME.part``, is checked against its hash and then renamed, so a folder only ever has whole files, and
another try (after a cancel, a kill, a broken network) goes on where the last one ended. One process at a time: a lock file.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
import time
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers
from tqdm import tqdm

from tunesmith.ml.guard import forbid_pickle
from tunesmith.ml.report import EXIT_FAILED, Reporter
from tunesmith.wire.hub import FetchSpec, FileToFetch

TRIES = 6
PAUSE_SECONDS = float(os.environ.get("FETCH_PAUSE_SECONDS", "1"))
CHUNK_BYTES = 1 << 20
KIB = 1024
PIECE_BYTES = 64 * KIB
"""What the client writes at once; a transfer that breaks loses at most that much (its own 10 MiB would be a minute on some lines)."""
TOLD_EVERY_SECONDS = 0.25


class Ended(Exception):
    """The job was cancelled; what is here so far stays for the next try."""


class Damaged(Exception):
    """A file is not what the hub said it would be."""


class Meter:
    """Bytes that are here, told every quarter of a second; raises ``Ended`` when that was asked for."""

    def __init__(self, reporter: Reporter, total_bytes: int) -> None:
        self._reporter = reporter
        self._total = total_bytes
        self._told_at = 0.0
        self.done = 0
        self.now = ""

    def add(self, size_bytes: int) -> None:
        """Count ``size_bytes`` (negative when a file begins anew)."""
        self.done += size_bytes
        if time.monotonic() - self._told_at >= TOLD_EVERY_SECONDS:
            self.tell()

    def tell(self) -> None:
        """Tell now."""
        self._told_at = time.monotonic()
        if self._reporter.end_requested():
            raise Ended
        total = max(self._total, self.done, 1)
        self._reporter.progress(self.done // KIB, -(-total // KIB), self.now)  # in KiB: a step is a 32-bit number


def main(run_dir: str) -> int:
    """Fetch all files; answers the exit code."""
    forbid_pickle()
    constants.DOWNLOAD_CHUNK_SIZE = PIECE_BYTES
    with Reporter(run_dir) as reporter:
        spec = FetchSpec.model_validate(reporter.spec)
        folder = Path(spec.folder)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                reporter.failed(
                    "CONFIGURATION_ERROR", f"{spec.model_id} is being fetched by another job.", code="download-running",
                    hint="Wait for that job, or cancel it.",
                )  # fmt: skip
                return EXIT_FAILED
            return fetch_all(reporter, spec, folder)


def fetch_all(reporter: Reporter, spec: FetchSpec, folder: Path) -> int:
    """Fetch what is not here yet; the last word is told here."""
    meter = Meter(reporter, sum(file.size_bytes or 0 for file in spec.files))
    try:
        for file in sorted(spec.files, key=lambda f: f.size_bytes or 0):  # what can be wrong with a model shows early
            meter.now = file.path
            fetch(spec, file, folder, meter, reporter)
        meter.tell()
    except Ended:
        reporter.log(f"{meter.done} bytes stay for the next try")
        return 0
    except Exception as error:
        explain(reporter, spec, error, meter.now)
        return EXIT_FAILED
    reporter.finished({"size_bytes": meter.done, "files": len(spec.files)})
    return 0


def fetch(spec: FetchSpec, file: FileToFetch, folder: Path, meter: Meter, reporter: Reporter) -> None:
    """Fetch one file; a network that breaks is waited for, and a file that is damaged is fetched once more."""
    target, part = folder / file.path, folder / f"{file.path}.part"
    if target.is_file():
        return meter.add(target.stat().st_size)
    damaged = 0
    for attempt in range(1, TRIES + 1):
        before = meter.done
        try:
            transfer(spec, file, part, meter)
            check(file, part)
            os.replace(part, target)
            return None
        except Damaged as error:
            part.unlink(missing_ok=True)
            damaged += 1
            meter.done = before
            if damaged > 1:
                raise
            reporter.log(f"{error} It is fetched again.", "warning")
        except (HTTPError, OSError) as error:
            if attempt == TRIES or not may_pass(error):
                raise
            meter.done = before
            reporter.log(f"{file.path}: {type(error).__name__}; try {attempt + 1} of {TRIES} follows.", "warning")
            time.sleep(min(30.0, PAUSE_SECONDS * 2 ** (attempt - 1)))
    raise Damaged(f"{file.path} could not be fetched.")


def transfer(spec: FetchSpec, file: FileToFetch, part: Path, meter: Meter) -> None:
    """Append to ``part`` what is missing of the file. Its address is asked for anew each time, since signed ones expire."""
    token = os.environ.get("HF_TOKEN") or False
    endpoint = constants.ENDPOINT
    url = hf_hub_url(spec.model_id, file.path, revision=spec.revision, endpoint=endpoint)
    metadata = get_hf_file_metadata(url, token=token, endpoint=endpoint)
    headers = build_hf_headers(token=token)
    if urlsplit(metadata.location).netloc != urlsplit(url).netloc:
        headers.pop("authorization", None)  # a signed address of a storage provider gets no token
    with part.open("ab") as out:
        here = out.seek(0, os.SEEK_END)
        if metadata.size is not None and here > metadata.size:
            out.truncate(0)
            here = 0
        meter.add(here)
        counter = bar_of(meter)
        http_get(
            metadata.location, out, resume_size=here, headers=headers, expected_size=metadata.size, tqdm_class=counter
        )
        out.flush()
        os.fsync(out.fileno())


def bar_of(meter: Meter) -> Any:
    """A progress bar, as the client wants one, that draws nothing and feeds the meter."""

    class Bar(tqdm):
        """Counts."""

        def __init__(self, *args: Any, **given: Any) -> None:
            given.pop("name", None)
            super().__init__(*args, **{**given, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            meter.add(int(n or 0))
            return None

    return Bar


def check(file: FileToFetch, part: Path) -> None:
    """Raise ``Damaged`` unless size and hash are what the hub said."""
    size = part.stat().st_size
    if file.size_bytes is not None and size != file.size_bytes:
        raise Damaged(f"{file.path} has {size} bytes instead of {file.size_bytes}.")
    if file.sha256:
        with part.open("rb") as opened:
            found = digest(opened, hashlib.sha256())
        if found != file.sha256:
            raise Damaged(f"{file.path} has SHA-256 {found} instead of {file.sha256}.")
    elif file.git_sha1 and len(file.git_sha1) == 40:
        with part.open("rb") as opened:
            found = digest(opened, hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False))
        if found != file.git_sha1:
            raise Damaged(f"{file.path} has git's SHA-1 {found} instead of {file.git_sha1}.")


def digest(file: IO[bytes], algorithm: Any) -> str:
    """The hash of what is left of ``file``."""
    while piece := file.read(CHUNK_BYTES):
        algorithm.update(piece)
    return str(algorithm.hexdigest())


def may_pass(error: Exception) -> bool:
    """Whether trying again may help: the network, or a hub that is busy."""
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        return status in (408, 429) or status >= 500 or (status == 403 and not isinstance(error, GatedRepoError))
    return isinstance(error, HTTPError | ConnectionError | TimeoutError) or "consistency" in str(error).lower()


def explain(reporter: Reporter, spec: FetchSpec, error: Exception, name: str) -> None:
    """The last word: what went wrong, for a person."""
    shown = spec.model_id
    if isinstance(error, Damaged):
        reporter.failed("NETWORK_ERROR", f"{shown}: {error}", code="download-damaged",
                        hint="The hub or something on the way to it changes files. Try again later.")  # fmt: skip
    elif isinstance(error, GatedRepoError) or (
        isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 403)
    ):
        reporter.failed("CONFIGURATION_ERROR", f"The hub denies access to {name} of {shown}.", code="hub-token-needed",
                        hint="Start the download again with a token that has access (a job's token is deleted at its end).")  # fmt: skip
    elif isinstance(error, RepositoryNotFoundError | RevisionNotFoundError | EntryNotFoundError):
        reporter.failed("CONFIGURATION_ERROR", f"The hub no longer shows {name} of {shown}.", code="hub-model-not-found",
                        hint="It may have been removed or made private.")  # fmt: skip
    elif isinstance(error, HTTPError | ConnectionError | TimeoutError):
        reporter.failed("NETWORK_ERROR", f"The hub did not answer for {name} ({type(error).__name__}).",
                        code="hub-unreachable", hint="Retry the job: it goes on where it ended.")  # fmt: skip
    else:
        reporter.failed_by(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
