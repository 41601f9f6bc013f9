"""MLflow: the client library works in ``mlflow_child``; this side starts it and asks."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tunesmith.kit.answering import AnsweringProcess, NoAnswer
from tunesmith.ports.tracking import Delivery, Receipt, TrackerAway, TrackerRefused
from tunesmith.settings import TrackingSettings

PROBE_SECONDS = 0.5
PORTS = {"http": 80, "https": 443}


class MlflowTracker:
    """A tracking server (``http…``) or a database of MLflow (``sqlite:///…``, ``postgresql://…``)."""

    name = "mlflow"
    title = "MLflow"

    def __init__(self, settings: TrackingSettings, environment: dict[str, str], data_dir: Path) -> None:
        self._uri = settings.mlflow_uri or ""
        self._timeout_seconds = settings.timeout_seconds
        quiet = {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_TRACKING_URI": self._uri,
            "MLFLOW_HTTP_REQUEST_TIMEOUT": str(max(1, round(self._timeout_seconds / 4))),
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
            "GIT_PYTHON_REFRESH": "quiet",
        }
        command = [sys.executable, "-W", "ignore", "-m", "tunesmith.adapters.tracking.mlflow_child"]
        if urlsplit(self._uri).scheme not in PORTS:  # a bare database says nothing of where files go
            command.append(str(data_dir / "tracking" / "mlflow"))
        self._child = AnsweringProcess(command, environment | quiet)

    @property
    def target(self) -> str:
        """The address without user and password."""
        parts = urlsplit(self._uri)
        return self._uri.replace(f"{parts.netloc.rsplit('@', 1)[0]}@", "***@") if "@" in parts.netloc else self._uri

    def is_installed(self) -> bool:
        """Whether ``mlflow-skinny`` or ``mlflow`` is there."""
        return importlib.util.find_spec("mlflow") is not None

    async def find_obstacle(self) -> str | None:
        """Whether something listens there; a database is asked when it is used."""
        if not self.is_installed():
            return "its client is not installed (pip install 'tunesmith[tracking]')"
        parts = urlsplit(self._uri)
        if parts.scheme not in PORTS or not parts.hostname:
            return None
        try:
            port = parts.port or PORTS[parts.scheme]
            opening = asyncio.open_connection(parts.hostname, port)
            _reader, writer = await asyncio.wait_for(opening, PROBE_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            return str(error) or f"no connection within {PROBE_SECONDS} s"
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return None

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Hand over what is owed. Raises TrackerAway and TrackerRefused."""
        obstacle = await self.find_obstacle()
        if obstacle:
            raise TrackerAway(obstacle)
        try:
            answer = await self._child.ask(delivery.model_dump(mode="json"), self._timeout_seconds)
        except NoAnswer as error:
            raise TrackerAway(str(error)) from None
        if "away" in answer:
            raise TrackerAway(answer["away"])
        if "refused" in answer:
            raise TrackerRefused(answer["refused"])
        return Receipt.model_validate(answer)

    async def close(self) -> None:
        """End the child."""
        await self._child.close()
