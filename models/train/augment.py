"""Makes endless different heads out of one.

With a single training head the network would learn that head. So each sample
is a new one: geometry is bent (pose, proportions, elastic), tissues are
repainted class by class (as SynthSeg does with label maps: Billot et al.,
Medical Image Analysis 2023), anatomy the training image lacks (jaw, neck) is
replaced by random structure, and the scan itself varies (bias field, noise,
blur, brightness).

`draw` fixes everything about one synthetic head, `render` cuts an axial slice
out of it; slices of one drawn head belong together, which makes whole
synthetic volumes for validation possible.
"""

import functools

import numpy as np
from scipy import ndimage as ndi

import data
from preprocess import PIXEL_MM


@functools.lru_cache(None)
def _spline(size, cells):
    """Cubic B-spline weights [size, cells + 3]: control points to samples."""
    at = np.arange(size) * (cells / size)
    t = at - np.floor(at)
    weights = np.zeros((size, cells + 3), np.float32)
    for k, w in enumerate(((1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6,
                           (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6)):
        weights[np.arange(size), np.floor(at).astype(int) + k] = w
    return weights


def _field(rng, size, cells):
    """Smooth random field [size, size], unit variance, `cells` bumps across.

    Two small matrix products: scipy.ndimage.zoom took three quarters of the
    time of a training sample.
    """
    w = _spline(size, cells)
    coarse = rng.standard_normal((cells + 3, cells + 3)).astype(np.float32)
    return (w @ coarse @ w.T) / 0.479  # mean of the squared weights along one axis


def _rotation(pitch, roll, yaw):
    def turn(a, i, j):
        m = np.eye(3)
        m[i, i] = m[j, j] = np.cos(a)
        m[i, j], m[j, i] = -np.sin(a), np.sin(a)
        return m
    return turn(pitch, 1, 2) @ turn(roll, 0, 2) @ turn(yaw, 0, 1)


def _draw_means(rng, head):
    """New mean intensity per class, white matter = 1, and how much texture stays."""
    old = head.means / head.means[data.WHITE]
    u = rng.uniform
    mode = rng.random()
    keep = np.ones(data.N_CLASSES)
    if mode < 0.3:  # the head's own contrast; gamma and bias still change it
        new = old.copy()
    elif mode < 0.85:  # T1-like: fluid < grey < white, everything outside free
        new = np.array([0, 1, u(.5, .88), u(.05, .4), u(.05, .4), u(.02, .35),
                        u(.25, .7), u(.4, 1.0), u(.7, 1.7)])
        keep = u(.5, 1.3, data.N_CLASSES)
        if rng.random() < 0.2:  # marrow, dura or thick vessels right on the brain
            new[data.FLUID_OUT] = u(.2, 1.0)
        if rng.random() < 0.15:
            new[data.BONE] = u(.2, .9)
    else:  # any contrast: forces the network to use shape
        new = np.concatenate([[0], u(.1, 1.2, data.N_CLASSES - 1)])
        keep = u(.3, 1.3, data.N_CLASSES)
    return new.astype(np.float32), keep.astype(np.float32), mode


def draw(rng, head, size):
    """Everything random about one synthetic head, as a dictionary."""
    p = {}
    wild = 2.2 if rng.random() < 0.12 else 1.0
    angles = np.radians(rng.normal(0, (12, 7, 8)) * wild)
    scale = np.exp(rng.normal(0, 0.07) + rng.normal(0, 0.06, 3))
    flip = np.diag([rng.choice([-1.0, 1.0]), 1, 1])
    # Output millimetres -> head millimetres.
    p["matrix"] = flip @ _rotation(*angles) @ np.diag(1 / np.clip(scale, 0.75, 1.3))
    p["shift"] = rng.normal(0, (5, 8, 3))
    bend = np.zeros((3, size, size), np.float32)
    for cells, most in ((3, 5.0), (6, 3.0), (14, 1.2)):
        amount = rng.uniform(0, most)
        for axis in range(3):
            bend[axis] += amount * 0.6 * _field(rng, size, cells)
    p["bend"] = bend
    p["means"], p["keep"], p["mode"] = _draw_means(rng, head)
    # The same tissue is not equally bright everywhere in a real head.
    p["patch"] = [1 + rng.uniform(0, 0.25) * _field(rng, size, int(rng.integers(3, 12)))
                  for _ in range(2)]
    p["bias"] = np.exp(rng.uniform(0, 0.3) * _field(rng, size, 2)
                       + rng.uniform(0, 0.08) * _field(rng, size, 5))
    p["gamma"] = np.exp(rng.normal(0, 0.22))
    p["white"] = rng.uniform(0.42, 0.98)  # where the percentile scaling puts white matter
    p["blur"] = rng.uniform(0.2, 0.55) if rng.random() < 0.75 else rng.uniform(0.5, 1.1)
    p["noise"] = abs(rng.normal(0, 0.03)) if rng.random() < 0.85 else rng.uniform(0.03, 0.09)
    p["air"] = rng.random() < 0.5  # background noise kept or cleared to zero
    p["junk"] = rng.random()
    p["junk_seed"] = int(rng.integers(1 << 31))
    p["lesion"] = rng.random() < 0.06
    p["crop"] = rng.random() < 0.08
    return p


def _junk(rng, size):
    """Random structure like no organ in particular: 0..1.4 intensities in nested blobs."""
    fine = int(rng.integers(7, 22))
    f = _field(rng, size, fine) + rng.uniform(0.2, 1) * _field(rng, size, max(3, fine // 3))
    cuts = np.sort(rng.uniform(-1.3, 1.3, int(rng.integers(2, 6))))
    paint = rng.uniform(0.0, 1.4, len(cuts) + 1).astype(np.float32)
    out = paint[np.digitize(f, cuts)]
    if rng.random() < 0.5:
        out = out * (1 + 0.2 * _field(rng, size, int(rng.integers(15, 40))))
    return out.astype(np.float32)


def _ellipse(rng, size, offset=(0.0, 0.0)):
    """Wobbly head- or neck-sized outline as a signed field, > 0 inside (in pixels)."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2.0
    ry, rx = rng.uniform(24, 52), rng.uniform(22, 42)
    y, x = y - offset[0] - rng.normal(0, 5), x - offset[1] - rng.normal(0, 3)
    return (1 - np.hypot(y / ry, x / rx)) * min(ry, rx) + 3 * _field(rng, size, 5)


def _add_junk(rng, paint, brain, beyond, kind, size):
    """Fills what the field of view cut off, and sometimes repaints face and scalp."""
    if beyond.any() and kind < 0.75:
        inside = _ellipse(rng, size)
        fill = np.where(inside > 0, _junk(rng, size), 0)
        if rng.random() < 0.6:  # a rim of fat, as skin has
            fill = np.where((inside > 0) & (inside < rng.uniform(1, 4)), rng.uniform(.6, 1.6), fill)
        paint = np.where(beyond, fill, paint)
    if kind > 0.7:
        gap = ndi.distance_transform_cdt(~brain, "taxicab") if brain.any() else np.full(brain.shape, 99)
        where = (_field(rng, size, 4) > rng.uniform(-0.3, 0.8)) & (gap > rng.integers(3, 9))
        if kind < 0.93:  # stay within the head, else let it spill into the air
            where &= paint > 0.02
        paint = np.where(where, _junk(rng, size), paint)
    return paint


def render(p, head, z_mm, size, rng):
    """Axial slice at z_mm (head millimetres above the field of view's bottom).

    Returns the image as the network gets it and the brain fraction, both
    float32 [size, size]. `rng` only makes noise that differs between slices.
    """
    grid = (np.arange(size) - (size - 1) / 2) * PIXEL_MM
    y, x = np.meshgrid(grid, grid, indexing="ij")
    centre = (np.array(head.image.shape) - 1) / 2
    middle = (head.bottom + head.top) / 2
    out = np.stack([x, y, np.full_like(x, head.bottom + z_mm - middle)])
    at = np.tensordot(p["matrix"], out, 1) + p["shift"][:, None, None]
    at += np.array([centre[0], centre[1], middle])[:, None, None] + p["bend"]
    image = ndi.map_coordinates(head.image, at, np.float32, order=1)
    brain = ndi.map_coordinates(head.brain, at, np.float32, order=1) / 255
    cls = ndi.map_coordinates(head.classes, at, np.uint8, order=0)

    old = head.means / head.means[data.WHITE]
    value = image / head.means[data.WHITE]
    paint = p["means"][cls] + p["keep"][cls] * (value - old[cls])
    air = cls == data.AIR
    outside = (cls >= data.FLUID_OUT)
    if p["mode"] >= 0.3:
        paint = np.where(outside, paint * p["patch"][0], paint * (0.5 + 0.5 * p["patch"][1]))
    paint = np.where(air, value, paint)
    if p["junk"] > 0.25:
        j = np.random.default_rng([p["junk_seed"], int(z_mm + 100) // 6])
        # The image ends at a plane below the cerebellum and before the nose.
        beyond = (at[2] < head.bottom + 1) | ((at[1] > 238) & (at[2] < middle))
        paint = _add_junk(j, paint, brain > 0, beyond, (p["junk"] - 0.25) / 0.75, size)
    if p["lesion"]:
        spot = _field(np.random.default_rng(p["junk_seed"] + 1), size, 9) > 1.6
        paint = np.where(spot & (brain > 0.5), p["air"] * 0.9 + 0.1, paint)

    paint = ndi.gaussian_filter(np.clip(paint, 0, None), p["blur"])
    paint = np.clip(paint * p["bias"], 0, None) ** p["gamma"] * p["white"]
    noise = rng.standard_normal((2, size, size)).astype(np.float32) * p["noise"]
    noisy = np.hypot(paint + noise[0], noise[1])  # Rician, as magnitude images are
    if not p["air"]:
        noisy = np.where(paint < 0.01, 0, noisy)
    if p["crop"]:  # scans whose field of view ends within the head
        c = np.random.default_rng(p["junk_seed"] + 2).integers(8, 26, 2)
        noisy[:c[0]] = 0
        noisy[size - c[1]:] = 0
        brain[:c[0]] = 0
        brain[size - c[1]:] = 0
    return np.clip(noisy, 0, 1).astype(np.float32), brain.astype(np.float32)


def negative(rng, size):
    """A slice of neck or jaw: head-like outline, random content, no brain."""
    inside = _ellipse(rng, size)
    paint = np.where(inside > 0, _junk(rng, size), 0)
    if rng.random() < 0.6:
        paint = np.where((inside > 0) & (inside < rng.uniform(1, 4)), rng.uniform(.6, 1.6), paint)
    paint = ndi.gaussian_filter(paint, rng.uniform(0.3, 1.0)) * rng.uniform(0.4, 1.0)
    noise = rng.standard_normal((2, size, size)) * abs(rng.normal(0, 0.03))
    return np.clip(np.hypot(paint + noise[0], noise[1]), 0, 1).astype(np.float32)


def sample(seed, index, head, size):
    """Training pair number `index`, the same on every run with the same seed."""
    rng = np.random.default_rng([seed, index])
    if rng.random() < 0.05:
        return negative(rng, size), np.zeros((size, size), np.float32)
    p = draw(rng, head, size)
    # From 12 mm below the field of view, where only invented structure shows.
    # Skull base and vertex come more often: there the brain is a small part of
    # the slice, and validation Dice was 0.4 to 0.9 when all heights were equal
    # (0.98 to 0.99 between them).
    height = head.top - head.bottom
    low, high = ((-12, height + 4), (-12, 50), (height - 40, height))[rng.choice(3, p=(.6, .27, .13))]
    z = rng.uniform(low, high)
    return render(p, head, z, size, rng)
