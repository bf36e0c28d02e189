"""The harness behind the interfaces of other libraries, each imported by whoever wants it."""

from __future__ import annotations
