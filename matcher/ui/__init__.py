"""The pages. Owns what is shown and how; every number and every change comes from ``matcher.services``."""
