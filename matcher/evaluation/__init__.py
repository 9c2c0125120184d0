"""Measure: judged grades, ranking metrics, and the harness that scores the product's own ranking."""
