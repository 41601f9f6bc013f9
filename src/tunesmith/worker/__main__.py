"""``python -m tunesmith.worker``: one worker process, configured by the environment."""

from __future__ import annotations

import argparse
import asyncio

from tunesmith.bootstrap import build
from tunesmith.settings import load_settings
from tunesmith.worker.loop import serve


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and the settings, then work."""
    parser = argparse.ArgumentParser(prog="python -m tunesmith.worker", description="Run jobs of a data folder.")
    parser.add_argument("--data-dir", help="data folder (default: TUNESMITH_DATA_DIR)")
    parser.add_argument("--until-idle", action="store_true", help="end when there is nothing to do")
    parser.add_argument("--parent", type=int, help="process id of the server: claim nothing more when it is gone")
    parser.add_argument("--name", help="name of this worker (default: host and process id)")
    given = parser.parse_args(arguments)
    services = build(load_settings(data_dir=given.data_dir))
    asyncio.run(serve(services, until_idle=given.until_idle, parent=given.parent, name=given.name))


if __name__ == "__main__":
    main()
