"""Kubikk's tests: unit/ needs nothing but this checkout, cluster/ a running lab."""
