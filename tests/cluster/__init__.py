"""Tests against a running lab cluster."""
