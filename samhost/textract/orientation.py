"""Which way the text of a page runs in its image, told from the shapes of the strips that a detector finds.

A direction is a unit vector in the image: (1, 0) is rightwards, as text runs on an upright page, (0, 1) downwards, as
it does on one that was turned clockwise. Strips are quads, an array (n, 4, 2), whose corners go round clockwise from
any of them. Shapes tell the axis; which of its two directions it is, only reading can tell.
"""

import numpy as np

# More times as long as it is high than this (about 200 characters), a strip is no text but a ruled line.
_LONGEST_TEXT = 100


def likely_direction(quads: np.ndarray) -> np.ndarray:
    """Return rightwards or, where most of what was found stands taller than wide, downwards."""
    edges = np.diff(quads[:, :3], axis=1)
    lengths = np.linalg.norm(edges, axis=2)
    long_edges = edges[np.arange(len(edges)), lengths.argmax(axis=1)]
    width, height = np.abs(long_edges).sum(axis=0)
    return np.array((0, 1) if height > width else (1, 0))


def begun_along(quads: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return the quads, each from the corner where the edge begins that runs closest to `direction`.

    Detectors name the corners of an upright rectangle rightly, those of a tall and tilted one they confuse.
    """
    edges = np.roll(quads, -1, axis=1) - quads
    edges = edges / np.maximum(np.linalg.norm(edges, axis=2, keepdims=True), 1e-6)
    starts = (edges @ direction).argmax(axis=1)
    return np.take_along_axis(quads, ((starts[:, None] + np.arange(4)) % 4)[:, :, None], axis=1)


def most_text_first(quads: np.ndarray) -> np.ndarray:
    """Return the quads, those first that are most times longer than high; ruled lines last."""
    lengths = np.linalg.norm(np.diff(quads[:, :3], axis=1), axis=2)
    ratios = lengths.max(axis=1) / np.maximum(lengths.min(axis=1), 1)
    return quads[np.argsort(np.where(ratios > _LONGEST_TEXT, 0, -ratios), kind="stable")]
