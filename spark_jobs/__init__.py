"""Spark jobs that turn raw dumps into tables, one folder a corpus."""
