"""The preprocessing that a user of the model repeats, and its way back.

Kept apart from training and in plain NumPy so that it reads as the
specification of models/brain2d.md; a C program has to match it.
"""

import numpy as np

SIZE = 128      # network input, pixels
PIXEL_MM = 2.0  # network pixel


def normalise(volume):
    """Scales a volume so that 0..1 spans 0 to the 99.5th percentile of voxels > 0.

    The percentile is the value at rank floor(0.995 * (n - 1)) of the sorted
    positive voxels, no interpolation: a histogram or a partial sort gives it.
    """
    volume = np.asarray(volume, np.float32)
    positive = volume[volume > 0]
    if positive.size == 0:
        return np.zeros_like(volume)
    high = np.partition(positive, int(0.995 * (positive.size - 1)))[
        int(0.995 * (positive.size - 1))]
    return np.clip(volume / high, 0.0, 1.0).astype(np.float32)


def _bilinear(image, rows, cols):
    """image at rows x cols (outer product); a neighbour outside the image counts 0."""
    def axis(pos, n):
        low = np.floor(pos).astype(int)
        frac = (pos - low).astype(np.float32)
        taps = []
        for index, weight in ((low, 1 - frac), (low + 1, frac)):
            inside = (index >= 0) & (index < n)
            taps.append((np.clip(index, 0, n - 1), np.where(inside, weight, 0)))
        return taps

    out = np.zeros((len(rows), len(cols)), np.float32)
    for r_index, r_weight in axis(rows, image.shape[0]):
        for c_index, c_weight in axis(cols, image.shape[1]):
            out += (image[np.ix_(r_index, c_index)]
                    * r_weight[:, None].astype(np.float32) * c_weight[None, :].astype(np.float32))
    return out


def to_network(slice_yx, dy, dx):
    """Axial slice [row = y towards the front][column = x] -> SIZE x SIZE at PIXEL_MM."""
    ny, nx = slice_yx.shape
    grid = np.arange(SIZE) - (SIZE - 1) / 2
    return _bilinear(slice_yx, (ny - 1) / 2 + grid * (PIXEL_MM / dy),
                     (nx - 1) / 2 + grid * (PIXEL_MM / dx))


def from_network(prob, ny, nx, dy, dx):
    """Network output SIZE x SIZE -> probability on the slice's own grid."""
    rows = (np.arange(ny) - (ny - 1) / 2) * (dy / PIXEL_MM) + (SIZE - 1) / 2
    cols = (np.arange(nx) - (nx - 1) / 2) * (dx / PIXEL_MM) + (SIZE - 1) / 2
    return _bilinear(prob, rows, cols)


def dice(a, b):
    """Dice overlap of two boolean arrays; 1 when both are empty."""
    total = int(a.sum()) + int(b.sum())
    return 1.0 if total == 0 else 2.0 * int((a & b).sum()) / total
