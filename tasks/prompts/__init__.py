"""Candidate prompts: keywords that steer a description."""
