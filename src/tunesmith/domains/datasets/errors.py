"""What can be wrong with a data file or with what is asked of a dataset."""

from __future__ import annotations

from tunesmith.kit.errors import Conflict, InvalidInput, NotFound, TunesmithError, Unsupported


class FileValidationError(InvalidInput):
    """The file cannot be read as data; ``errors`` says where."""

    code, title = "file-validation", "The file cannot be read as training data"
    hint = "Correct the place that is named and upload the file again."


class EmptyDatasetError(InvalidInput):
    """Not one row."""

    code, title = "empty-dataset", "The file has no rows"
    hint = "Upload a file with at least one row."


class UnsupportedFormatError(Unsupported):
    """A kind of file, or a shape of rows, that is not read here."""

    code, title = "unsupported-format", "This kind of file is not supported"
    hint = "Convert the file to UTF-8 JSONL, JSON (an array of objects) or CSV, and upload that."


class UnsupportedEncodingError(Unsupported):
    """Text that is not UTF-8."""

    code, title = "unsupported-encoding", "This text encoding is not supported"
    hint = "Save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8') and upload it again."


class PackedFileError(InvalidInput):
    """A gzip, Zstandard or ZIP file that cannot be unpacked, or must not be."""

    code, title = "packed-file", "The packed file cannot be unpacked"
    hint = "Pack the file again, or upload it unpacked."


class MissingColumnsError(InvalidInput):
    """No known format fits the columns; the message names what is missing and the renaming that would help."""

    code, title = "missing-columns", "Columns that training needs are missing"
    hint = "Rename the columns to `instruction` and `output`, or to `prompt` and `completion`, or send `messages`."


class ColumnMappingError(InvalidInput):
    """A mapping that names columns or fields that do not exist."""

    code, title = "column-mapping", "The mapping of the columns does not fit"
    hint = "Map columns of the file to fields of the format."


class FileSecurityError(TunesmithError):
    """A file name that tries to be a path, or carries control characters."""

    code, status, title = "file-security", 400, "This file name is not allowed"
    hint = "Use a plain file name without '/', '\\', '..' or control characters."


class DatasetCreationError(InvalidInput):
    """The upload form is not as it must be."""

    code, title = "dataset-creation", "The dataset cannot be created"
    hint = "Send multipart/form-data with one `file` and a `name`."


class UploadNotFoundError(NotFound):
    """No such upload: it expired, or belongs to a project that this person does not see."""

    code, title = "upload-not-found", "There is no such upload"
    hint = "Begin a new one: POST /api/v1/admin/uploads."


class UploadOffsetError(Conflict):
    """A part that does not begin where the last one ended; ``received_bytes`` says where that is."""

    code, title = "upload-offset", "The part does not begin where the last one ended"
    hint = "Go on from `received_bytes`."


class UploadIncompleteError(Conflict):
    """Parts are still missing; ``received_bytes`` says what is there."""

    code, title = "upload-incomplete", "The upload is not complete yet"
    hint = "Send the rest from `received_bytes` on."


class UploadStateError(Conflict):
    """The upload is complete, used, or not complete yet."""

    code, title = "upload-state", "The upload is in another state"
    hint = "GET /api/v1/admin/uploads/{id} shows it."


class UploadBusyError(Conflict):
    """Another part is being written at the same time."""

    code, title = "upload-busy", "Another part of this upload is being written"
    hint = "Send one part after the other; if the connection broke, try again in a few seconds."


class UploadSizeError(InvalidInput):
    """More bytes than were promised."""

    code, title = "upload-size", "The upload is larger than was promised"
    hint = "Begin a new upload with the right `size_bytes`."


class UploadChecksumError(InvalidInput):
    """What arrived is not what was promised; the upload begins anew."""

    code, title = "upload-checksum", "The file did not arrive as it was sent"
    hint = "Send it again from the beginning."


class DatasetNotFoundError(NotFound):
    """No such dataset, or it belongs to a project that this person does not see."""

    code, title = "dataset-not-found", "There is no such dataset"
    hint = "GET /api/v1/admin/training/datasets lists what exists."


class DatasetExistsError(Conflict):
    """This name has this version already."""

    code, title = "dataset-exists", "This version of the dataset exists already"


class DatasetNotReadyError(Conflict):
    """The dataset has not been validated yet, or has no usable row."""

    code, title = "dataset-not-ready", "The dataset is not ready"
    hint = "Wait until its status is `ready`; GET the dataset to see it."


class DatasetRedError(Conflict):
    """Some rows cannot be trained on."""

    code, title = "dataset-red", "The dataset has rows that cannot be trained on"
    hint = "Correct the rows that are named and upload a new version, or ask for invalid rows to be left out."


class DatasetFormatError(InvalidInput):
    """The rows have a format that what is asked for cannot use."""

    code, title = "dataset-format", "The format of the dataset does not fit"


class PreprocessingError(InvalidInput):
    """The rows cannot be turned into what was asked for."""

    code, title = "preprocessing", "The data cannot be prepared as asked"


class RowNotFoundError(InvalidInput):
    """An edit names a row, or a place in one, that the dataset does not have."""

    code, title = "row-not-found", "The dataset has no such row"
    hint = "Look at the rows again; their numbers are those before the edit."


class DatasetChangedError(Conflict):
    """Somebody looked at another content than the one that this version has."""

    code, title = "dataset-changed", "This is not the version that was looked at"
    hint = "GET the dataset again and repeat the edit on what it holds now."


class DatasetPurgedError(Conflict):
    """The bytes of this version have been reclaimed."""

    code, title = "dataset-purged", "The content of this version has been purged"
    hint = "Use another version; a purge cannot be taken back."


class DatasetInUseError(Conflict):
    """A job reads this version, or writes about it."""

    code, title = "dataset-in-use", "A job uses this dataset"
    hint = "Wait until the job has ended, or cancel it."


class NoUndoError(Conflict):
    """The version was not made from another one by a change."""

    code, title = "no-undo", "There is nothing to undo"
    hint = "GET /api/v1/admin/training/datasets/{id}/versions lists the versions; delete the one that is not wanted."


class EvaluationSetMissingError(InvalidInput):
    """Nothing to compare with: no such dataset, or none that this one is judged by."""

    code, title = "evaluation-set-missing", "There is no evaluation set to compare with"
    hint = 'Name datasets in `against`, split the dataset, or mark one with `dataset_metadata` {"kind": "benchmark"}.'


class PiiExtraMissingError(InvalidInput):
    """Names and addresses were asked for, and the packages that find them are not installed."""

    code, title = "pii-extra-missing", "The packages that find names are not installed"
    hint = "Install the extra: pip install 'tunesmith[pii]', and a spaCy model; or leave names and addresses out."


class PiiModelMissingError(InvalidInput):
    """No spaCy model is set, or the one that is is neither installed nor a folder."""

    code, title = "pii-model-missing", "The language model that finds names is missing"
    hint = "Set TUNESMITH_DATASETS__NAMES_MODEL to an installed spaCy model (ko_core_news_lg, en_core_web_sm) or the folder of one."


class ColumnUnknownError(InvalidInput):
    """The dataset has no column of that name."""

    code, title = "column-unknown", "The dataset has no such column"
    hint = "Use one of the columns that are named; a field inside an object is named by its JSON pointer."


class TargetExistsError(Conflict):
    """Something lies where a dataset was to be saved."""

    code, title = "target-exists", "There is something at this path already"
    hint = "Choose another path, or send `overwrite: true` to replace it."
