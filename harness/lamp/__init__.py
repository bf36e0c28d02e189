"""LaMP: the seven personalization tasks of Salemi et al. 2023 (arXiv 2304.11406) and their metrics."""

from __future__ import annotations
