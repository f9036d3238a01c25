"""Canonical JSON (RFC 8785) and the digest that names a document: what a signer signs and delivery re-checks."""

import hashlib
from collections.abc import Iterable
from typing import Any

import rfc8785

from warehouse.errors import DeveloperFixes


def canonical(document: Any) -> bytes:
    """The one byte form of a JSON document.

    Raises:
        DeveloperFixes: something in it is no JSON, or a number beyond what JSON readers agree on.
    """
    try:
        return rfc8785.dumps(document)
    except rfc8785.CanonicalizationError as error:
        raise DeveloperFixes(
            f"This document has no canonical JSON: {error}", "Dump models with mode='json'; write big ids as text."
        ) from None


def digest(document: Any) -> str:
    """`sha256:` and the hexadecimal SHA-256 of the canonical JSON."""
    return f"sha256:{hashlib.sha256(canonical(document)).hexdigest()}"


def list_hash(customer_ids: Iterable[int]) -> str:
    """The content hash of a customer list: SHA-256 over the sorted, distinct ids, one per line."""
    text = "\n".join(str(i) for i in sorted(set(customer_ids)))
    return hashlib.sha256(text.encode()).hexdigest()
