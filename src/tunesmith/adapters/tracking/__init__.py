"""Trackers that runs are mirrored to: MLflow and Weights & Biases. Each works in a process of its own, and only when configured."""

from __future__ import annotations

from tunesmith.ports.tracking import Tracker
from tunesmith.settings import Settings

__all__ = ["trackers"]


def trackers(settings: Settings) -> list[Tracker]:
    """Those that the settings name."""
    from tunesmith.adapters.tracking.mlflow import MlflowTracker
    from tunesmith.adapters.tracking.wandb import WandbTracker

    wanted: list[Tracker] = []
    if settings.tracking.mlflow_uri:
        wanted.append(MlflowTracker(settings.tracking, settings.child_environment(), settings.data_dir))
    if settings.tracking.wandb_mode != "off":
        wanted.append(WandbTracker(settings.tracking, settings.child_environment(), settings.data_dir))
    return wanted
