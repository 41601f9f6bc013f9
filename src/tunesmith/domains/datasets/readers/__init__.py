"""Reading data files a record at a time, in bounded memory, each record with its row, its line and its byte offset."""

from tunesmith.domains.datasets.readers.reading import DataFile, open_data_file
from tunesmith.domains.datasets.readers.records import Fault, FileKind, Position, Record
from tunesmith.domains.datasets.readers.sniff import kind_of_name
from tunesmith.domains.datasets.readers.values import escape_pointer

__all__ = [
    "DataFile",
    "Fault",
    "FileKind",
    "Position",
    "Record",
    "escape_pointer",
    "kind_of_name",
    "open_data_file",
]
