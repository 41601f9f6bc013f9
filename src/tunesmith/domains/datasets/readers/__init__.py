"""Reading data files a record at a time, in bounded memory, each record with its row, its line and its byte offset."""

from tunesmith.domains.datasets.readers.layout import Layout, layout_of, named_kind, plain_pieces
from tunesmith.domains.datasets.readers.reading import DataFile, open_data_file, open_file
from tunesmith.domains.datasets.readers.records import Fault, FileKind, Packing, Position, Record
from tunesmith.domains.datasets.readers.unpacking import UnpackLimits
from tunesmith.domains.datasets.readers.values import escape_pointer

__all__ = [
    "DataFile",
    "Fault",
    "FileKind",
    "Layout",
    "Packing",
    "Position",
    "Record",
    "UnpackLimits",
    "escape_pointer",
    "layout_of",
    "named_kind",
    "open_data_file",
    "open_file",
    "plain_pieces",
]
