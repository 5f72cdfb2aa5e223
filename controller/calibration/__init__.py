"""Calibrations as records: points taken, judged against limits, accepted or not by a person."""
