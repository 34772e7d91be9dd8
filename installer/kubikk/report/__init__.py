"""A run as a page: one HTML file that needs nothing else."""

from kubikk.report.page import render

__all__ = ["render"]
