"""Texts from language models: local weights or any OpenAI-compatible server, one cache for all."""
