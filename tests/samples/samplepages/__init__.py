"""Draws the sample pages: text is set in type, the faults of real scans are added, and the result is encoded."""
