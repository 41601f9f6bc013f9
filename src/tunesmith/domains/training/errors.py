"""What can go wrong with a fine-tuning job before it runs, and with its checkpoints after."""

from __future__ import annotations

from tunesmith.kit.errors import Conflict, InvalidInput, NotFound, Unsupported


class FinetuningJobNotFound(NotFound):
    """No fine-tuning job has this id, or the person may not see it."""

    code, title = "finetuning-job-not-found", "There is no such fine-tuning job"
    hint = "GET /api/v1/admin/finetuning/jobs lists the jobs of your projects."


class CheckpointNotFound(NotFound):
    """The job has no checkpoint of this id."""

    code, title = "checkpoint-not-found", "There is no such checkpoint"
    hint = "GET /api/v1/admin/finetuning/jobs/{id}/checkpoints lists those that are kept."


class CheckpointError(Conflict):
    """A checkpoint that does not verify, or is gone."""

    code, title = "checkpoint", "The checkpoint cannot be used"
    hint = "Resume from another checkpoint, or leave checkpoint_id out: the newest one that verifies is taken."


class UnsupportedMethod(Unsupported):
    """A method, objective or field of the short form that this version does not have."""

    code, title = "unsupported-method", "This way of training is not supported"
    hint = (
        "Methods are lora, qlora, full (supervised), and dpo, orpo, kto, reward, grpo, cpt; a recipe can combine them."
    )


class GpuIdsAbsent(InvalidInput):
    """GPUs that this machine does not have."""

    code, title = "gpu-ids", "There are no such GPUs"
    hint = "Name GPUs that tunesmith system lists, or leave gpu_ids out."


class DataMismatch(InvalidInput):
    """The data is not the data that the recipe names by its SHA-256."""

    code, title = "data-mismatch", "The data is not what the recipe was written for"
    hint = "Correct data.sha256, or leave it out to train on the data as it is now."


class RunActive(Conflict):
    """The run has not ended, and what was asked needs that."""

    code, title = "run-active", "The run has not ended"
    hint = "Stop it first (POST /api/v1/admin/finetuning/jobs/{id}/stop), or wait for its end."


class RecipeNotFound(NotFound):
    """No saved recipe has this id, or the person may not see it."""

    code, title = "recipe-not-found", "There is no such recipe"
    hint = "GET /api/v1/admin/recipes lists the recipes that are kept and those that come with the program."


class RecipeNameTaken(Conflict):
    """Another recipe of the project has this name."""

    code, title = "recipe-name-taken", "The name is taken"
    hint = "Choose another name, or change the recipe that has it."


class SaveTargetExists(Conflict):
    """Something lies where a model is to be saved."""

    code, title = "save-target-exists", "There is something at that path already"
    hint = "Choose another path, or send overwrite: true to replace a folder."
