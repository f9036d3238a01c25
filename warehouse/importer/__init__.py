"""From a bank's files to a home: a mapping says what they mean, bad rows go to quarantine with a reason, nothing is lost."""

from warehouse.importer.mapping import Mapping, MappingError, load_mapping
from warehouse.importer.replace import complete
from warehouse.importer.report import ImportReport, Reason, SourceReport, TableReport
from warehouse.importer.run import Progress, run

__all__ = [
    "ImportReport",
    "Mapping",
    "MappingError",
    "Progress",
    "Reason",
    "SourceReport",
    "TableReport",
    "complete",
    "load_mapping",
    "run",
]
