"""Airflow pipelines: one thin file each, and the helper that makes steps of registry entries."""
