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
