"""Proposals: everything a release needs and an approver must see, by value, handed over to people."""

from tools.proposal.audience import Ids, pack, unpack
from tools.proposal.build import audience, build_payload
from tools.proposal.schema import Audience, Payload, ReleaseStep, Words

__all__ = ["Audience", "Ids", "Payload", "ReleaseStep", "Words", "audience", "build_payload", "pack", "unpack"]
