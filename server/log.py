"""Logging of the server: lines of JSON on stderr, and stack traces without the messages that may hold data."""

import json
import logging
import traceback
from types import TracebackType


class Lines(logging.Formatter):
    """One JSON object per record. An exception is told by its class and frames; its text may hold a customer's data."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {"time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"), "level": record.levelname}
        message = record.getMessage()
        if record.name == "touchline.access":
            line |= json.loads(message)
        else:
            line |= {"logger": record.name, "message": message}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["frames"] = frames(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False)


def frames(trace: TracebackType | None) -> list[str]:
    return [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(trace)]


def configure(level: int = logging.INFO) -> None:
    """Send everything through `Lines`; uvicorn's own access log (it prints paths and queries) is off."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("touchline").setLevel(level)
