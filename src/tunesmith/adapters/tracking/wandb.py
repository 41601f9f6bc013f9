"""Weights & Biases: the client library works in ``wandb_child``; this side starts it and asks."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from tunesmith.kit.answering import AnsweringProcess, NoAnswer
from tunesmith.ports.tracking import Delivery, Receipt, TrackerAway, TrackerRefused
from tunesmith.settings import TrackingSettings


class WandbTracker:
    """Online, or offline into the data folder, from where ``wandb sync`` takes it."""

    name = "wandb"
    title = "Weights & Biases"

    def __init__(self, settings: TrackingSettings, environment: dict[str, str], data_dir: Path) -> None:
        self._settings = settings
        self._folder = data_dir / "tracking"
        own = {
            "WANDB_MODE": settings.wandb_mode,
            "WANDB_DIR": str(self._folder),
            "WANDB_CACHE_DIR": str(self._folder / "wandb-cache"),
            "WANDB_DATA_DIR": str(self._folder / "wandb-staging"),
            "WANDB_CONFIG_DIR": str(self._folder / "wandb-config"),
            "WANDB_SILENT": "true",
            "WANDB_CONSOLE": "off",
            "WANDB_DISABLE_GIT": "true",
            "WANDB_DISABLE_CODE": "true",
            "WANDB_ERROR_REPORTING": "false",
            "WANDB__DISABLE_STATS": "true",  # our metric store measures the machine
        }
        if settings.wandb_api_key is not None:
            own["WANDB_API_KEY"] = settings.wandb_api_key.get_secret_value()
        if settings.wandb_base_url:
            own["WANDB_BASE_URL"] = settings.wandb_base_url
        if settings.wandb_entity:
            own["WANDB_ENTITY"] = settings.wandb_entity
        command = [sys.executable, "-W", "ignore", "-m", "tunesmith.adapters.tracking.wandb_child"]
        self._child = AnsweringProcess(command, environment | own)

    @property
    def target(self) -> str:
        """Its address, or the folder of offline runs."""
        if self._settings.wandb_mode == "offline":
            return str(self._folder / "wandb")
        return self._settings.wandb_base_url or "https://api.wandb.ai"

    def is_installed(self) -> bool:
        """Whether the client is there."""
        return importlib.util.find_spec("wandb") is not None

    async def find_obstacle(self) -> str | None:
        """Only what is known without asking: the client and the key."""
        if not self.is_installed():
            return "its client is not installed (pip install 'tunesmith[tracking]')"
        if self._settings.wandb_mode == "online" and self._settings.wandb_api_key is None:
            return "there is no key (TUNESMITH_TRACKING__WANDB_API_KEY)"
        return None

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Hand over what is owed. Raises TrackerAway and TrackerRefused."""
        obstacle = await self.find_obstacle()
        if obstacle:
            raise TrackerAway(obstacle)
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            answer = await self._child.ask(delivery.model_dump(mode="json"), self._settings.timeout_seconds)
        except NoAnswer as error:
            raise TrackerAway(str(error)) from None
        if "away" in answer:
            raise TrackerAway(answer["away"])
        if "refused" in answer:
            raise TrackerRefused(answer["refused"])
        return Receipt.model_validate(answer)

    async def close(self) -> None:
        """Finish the runs that are open, and end the child."""
        await self._child.close()
