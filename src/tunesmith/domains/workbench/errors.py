"""What the workbench refuses."""

from __future__ import annotations

from tunesmith.kit.errors import Conflict, NotFound


class NoCurrentModel(NotFound):
    """Nothing is loaded for this person."""

    code, title = "no-current-model", "No model is loaded"
    hint = "Load one with POST /model/upload?model_path=…; `tunesmith/tiny` is always there."


class NoCurrentDataset(NotFound):
    """Nothing has been uploaded by this person, or what was is gone."""

    code, title = "no-current-dataset", "There is no current dataset"
    hint = "Upload one with POST /dataset/upload (multipart, field `file`)."


class DatasetBusy(Conflict):
    """A change of the current dataset goes on."""

    code, title = "dataset-busy", "The current dataset is being changed"
    hint = "Wait for the job that is named, or cancel it; then try again."


class NoCurrentRun(NotFound):
    """This person has started no run, or what was started was deleted."""

    code, title = "no-current-run", "There is no run"
    hint = "Start one with POST /train/start."


class RunGoesOn(Conflict):
    """A run of this person has not ended."""

    code, title = "training-active", "A run of yours has not ended"
    hint = "Wait for it, stop it, or send queue: true to have this one wait behind it."
