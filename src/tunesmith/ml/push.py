"""Push a folder to a hub as one commit: ``python -m tunesmith.ml.push RUN_DIR``. No torch. The token is in HF_TOKEN.

Large files go first, one by one; a hub that has one already says so and it is not sent again, so another try after a broken
network only sends what is missing. The commit comes last: others see the old state or the new one.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from huggingface_hub import CommitOperationAdd, HfApi, constants
from huggingface_hub.errors import HfHubHTTPError, HTTPError

from tunesmith.ml.guard import forbid_pickle
from tunesmith.ml.report import EXIT_FAILED, Reporter
from tunesmith.wire.hub import PushSpec

T = TypeVar("T")
TRIES = 4
PAUSE_SECONDS = float(os.environ.get("FETCH_PAUSE_SECONDS", "1"))
KIB = 1024


class Ended(Exception):
    """The job was cancelled; nothing was committed."""


def main(run_dir: str) -> int:
    """Push; answers the exit code."""
    forbid_pickle()
    with Reporter(run_dir) as reporter:
        spec = PushSpec.model_validate(reporter.spec)
        try:
            result = push(reporter, spec)
        except Ended:
            return 0
        except Exception as error:
            explain(reporter, spec, error)
            return EXIT_FAILED
        reporter.finished(result)
    return 0


def push(reporter: Reporter, spec: PushSpec) -> dict[str, object]:
    """Make the repository, send the files, commit."""
    api = HfApi(endpoint=constants.ENDPOINT, token=os.environ.get("HF_TOKEN") or False)
    again = Again(reporter)
    url = again(lambda: api.create_repo(spec.repo_id, private=spec.private, exist_ok=True))
    repo_id = url.repo_id
    if spec.revision:
        branch = spec.revision
        again(lambda: api.create_branch(repo_id, branch=branch, exist_ok=True))
    operations = operations_of(spec)
    total = sum(operation.upload_info.size for operation in operations)
    done = 0
    for operation in operations:
        reporter.progress(done // KIB, max(1, -(-total // KIB)), operation.path_in_repo)
        send = partial(api.preupload_lfs_files, repo_id, [operation], revision=spec.revision, num_threads=1)
        again(send)
        done += operation.upload_info.size
    reporter.progress(done // KIB, max(1, -(-total // KIB)), "commit")
    commit = again(lambda: api.create_commit(repo_id, operations, commit_message=spec.message, revision=spec.revision))
    return {
        "repo_id": repo_id,
        "url": f"{constants.ENDPOINT}/{repo_id}",
        "commit": commit.oid,
        "files": [operation.path_in_repo for operation in operations],
        "size_bytes": total,
    }


def operations_of(spec: PushSpec) -> list[CommitOperationAdd]:
    """What to add: the folder's files (no hidden ones, no links), and the card where there is none."""
    source = Path(spec.folder)
    if source.is_file():
        files = [source]
    else:
        files = sorted(
            f for f in source.rglob("*")
            if f.is_file() and not f.is_symlink() and not any(part.startswith(".") for part in f.relative_to(source).parts)
        )  # fmt: skip
    root = source if source.is_dir() else source.parent
    added = [CommitOperationAdd(f.relative_to(root).as_posix(), _content(f)) for f in files]
    if spec.card and all(operation.path_in_repo != "README.md" for operation in added):
        added.append(CommitOperationAdd("README.md", spec.card.encode()))
    return added


def _content(file: Path) -> str | bytes:
    """The file; of an adapter's configuration a copy in which no path of this machine stands for the base model."""
    if file.name == "adapter_config.json":
        config = json.loads(file.read_bytes())
        base = config.get("base_model_name_or_path")
        if isinstance(base, str) and base.startswith(("/", ".", "~")):
            config["base_model_name_or_path"] = Path(base).name
            return json.dumps(config, ensure_ascii=False, indent=2).encode() + b"\n"
    return str(file)


class Again:
    """Calls what talks to the hub until it works: a network that breaks and a hub that is busy are waited for."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def __call__(self, call: Callable[[], T]) -> T:
        """The answer of ``call``; raises what its last try raised, and ``Ended`` when the job is cancelled."""
        for attempt in range(1, TRIES + 1):
            if self._reporter.end_requested():
                raise Ended
            try:
                return call()
            except (HTTPError, OSError, RuntimeError) as error:
                if attempt == TRIES or not may_pass(error):
                    raise
                self._reporter.log(f"{type(error).__name__}; try {attempt + 1} of {TRIES} follows.", "warning")
                time.sleep(min(30.0, PAUSE_SECONDS * 2 ** (attempt - 1)))
        raise AssertionError("unreachable")


def may_pass(error: BaseException) -> bool:
    """Whether trying again may help."""
    cause = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
    if isinstance(cause, HfHubHTTPError):
        return cause.response.status_code in (408, 429) or cause.response.status_code >= 500
    return isinstance(cause, HTTPError | ConnectionError | TimeoutError)


def explain(reporter: Reporter, spec: PushSpec, error: Exception) -> None:
    """The last word: what went wrong, for a person."""
    cause = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
    status = cause.response.status_code if isinstance(cause, HfHubHTTPError) else 0
    if status in (401, 403, 404):
        reporter.failed(
            "CONFIGURATION_ERROR",
            f"The hub does not let this token write to {spec.repo_id}.",
            code="hub-access-denied",
            hint="Use a token with write access to that owner, and push again (a job's token is deleted at its end).",
        )
    elif isinstance(cause, HTTPError | ConnectionError | TimeoutError):
        reporter.failed(
            "NETWORK_ERROR",
            f"The hub did not take {spec.repo_id} ({type(cause).__name__}, status {status or 'none'}).",
            code="hub-unreachable",
            hint="Push again: large files that it has are not sent twice.",
        )
    else:
        reporter.failed_by(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
