"""Releases at work: what is approved becomes touches, under caps decided at the moment of sending. The agent has no
door here."""

from delivery.deliverer import Deliverer, WaveReport
from delivery.effects import RealEffects, Slot
from delivery.policy import tighter
from delivery.release import AudienceMoved

__all__ = ["AudienceMoved", "Deliverer", "RealEffects", "Slot", "WaveReport", "tighter"]
