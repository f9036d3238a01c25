"""Ways out of the house. `file` is the embedded default."""

from delivery.channels.base import BATCH, Batch, Channel, HandedOver, Message
from delivery.channels.file import FileChannel

__all__ = ["BATCH", "Batch", "Channel", "FileChannel", "HandedOver", "Message"]
