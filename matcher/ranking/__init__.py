"""Rank: queries, scores, evidence, practical signals and eligibility."""
