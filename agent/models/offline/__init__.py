"""The offline model: reads Chinese and English requests without a network, accounts for every word, asks when it cannot."""

from agent.models.offline.model import OfflineModel

__all__ = ["OfflineModel"]
