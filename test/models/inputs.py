"""Inputs for whole-model tests: random ones, and real pictures from the shared data."""

import pathlib

import numpy as np
from PIL import Image

# Models trained on pixels from 0 to 1. Outside that range the W-Net is so ill-conditioned that onnxruntime differs from
# itself, with and without its graph optimisations, by 9e-5 of the output's range; inside by 3e-6.
UNIT_RANGE = ("vessel-wnet", "pathmnist", "malaria-resnetlike", "cxr-pneumonia")

PICTURES = ("general/coral/cat.bmp", "general/coral/sunflower.bmp")


def random_input(shape, unit_range, seed=1):
    rng = np.random.default_rng(seed)
    return (rng.random(shape) if unit_range else rng.standard_normal(shape)).astype(np.float32)


def picture_input(shape, path, unit_range):
    """A picture as a float tensor from -1 to 1 or 0 to 1, N,C,H,W; None if the shape is not one of pictures."""
    if len(shape) != 4 or shape[1] not in (1, 3):
        return None
    picture = Image.open(path).convert("L" if shape[1] == 1 else "RGB")
    pixels = np.asarray(picture.resize((shape[3], shape[2]), Image.BILINEAR), np.float32) / 255.0
    pixels = pixels if unit_range else pixels * 2.0 - 1.0
    pixels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return np.repeat(pixels[None], shape[0], axis=0)


def inputs_for(model, shape, shared):
    """(name, array) pairs for the input of a model."""
    unit_range = model.startswith(UNIT_RANGE)
    found = [("random", random_input(shape, unit_range))]
    for name in PICTURES:
        path = pathlib.Path(shared) / "data" / name
        array = picture_input(shape, path, unit_range) if path.exists() else None
        if array is not None:
            found.append((path.stem, array))
    return found
