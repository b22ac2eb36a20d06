"""Inputs for whole-model tests: random ones, and real pictures from the shared data."""

import pathlib

import numpy as np
from PIL import Image

PICTURES = ("general/coral/cat.bmp", "general/coral/sunflower.bmp")


def random_input(shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def picture_input(shape, path):
    """A picture as a float tensor of about unit variance, N,C,H,W; None if the shape is not one of pictures."""
    if len(shape) != 4 or shape[1] not in (1, 3):
        return None
    picture = Image.open(path).convert("L" if shape[1] == 1 else "RGB")
    pixels = np.asarray(picture.resize((shape[3], shape[2]), Image.BILINEAR), np.float32) / 127.5 - 1.0
    pixels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return np.repeat(pixels[None], shape[0], axis=0)


def inputs_for(shape, shared):
    """(name, array) pairs for one input shape."""
    found = [("random", random_input(shape))]
    for name in PICTURES:
        path = pathlib.Path(shared) / "data" / name
        array = picture_input(shape, path) if path.exists() else None
        if array is not None:
            found.append((path.stem, array))
    return found
