"""Failures of the registry."""

from tunesmith.kit.errors import Conflict, InvalidInput, NotFound


class ModelVersionNotFound(NotFound):
    """No such version, or not visible to this person."""

    code, title = "model-version-not-found", "There is no such model version"
    hint = "List the versions with GET /api/v1/admin/models or `tunesmith registry list`."


class RegistrationConflict(Conflict):
    """The job is not completed, or the name and version are taken."""

    code, title = "registration", "The model cannot be registered"
    hint = "Wait until the job has succeeded, or take another version."


class RegistrationInvalid(InvalidInput):
    """What is to be registered cannot be used."""

    code, title = "registration-invalid", "The model cannot be registered"
    hint = "Register a training job that has succeeded."


class FilesDamaged(Conflict):
    """A file of a version is missing or is not what was registered."""

    code, title = "model-files-damaged", "The files of this version are damaged"
    hint = "Restore the store from a backup, or train and register again."
