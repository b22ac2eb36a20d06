"""The medical data sets and their preprocessing, as the shared data's MANIFEST describes them.

Each data set yields (id, label, input array N,C,H,W). Resizing is Pillow's, on RGB.
"""

import json
import pathlib

import numpy as np
from PIL import Image


def _picture(path, size, resample):
    return np.asarray(Image.open(path).convert("RGB").resize(size, resample), np.float32)


def _channels_first(pixels):
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))[None].astype(np.float32)


def pneumoniamnist(data):
    archive = np.load(data / "data" / "pneumoniamnist.npz")
    for i, (image, label) in enumerate(zip(archive["test_images"], archive["test_labels"])):
        yield str(i), int(label[0]), ((image.astype(np.float32) / 255 - 0.5) / 0.5)[None, None]


def pathmnist(data):
    archive = np.load(data / "data" / "pathmnist_test718.npz")
    images = archive["test_images"] if "test_images" in archive else archive["images"]
    labels = archive["test_labels"] if "test_labels" in archive else archive["labels"]
    for i, (image, label) in enumerate(zip(images, labels)):
        yield str(i), int(np.ravel(label)[0]), _channels_first(image.astype(np.float32) / 255)


def _folder(data, name, pattern):
    root = data / "data" / name
    return [(str(p.relative_to(root)), p.parent.name, p) for p in sorted(root.glob(pattern))]


def malaria_cnn(data):
    constants = json.loads((data / "models" / "malaria-cnn-calebchege" / "normalization.json").read_text())
    mean, std = np.float32(constants["mean"]), np.float32(constants["std"])
    for name, label, path in _folder(data, "malaria-test", "*/*.png"):
        yield name, label, _channels_first((_picture(path, (128, 128), Image.BILINEAR) / 255 - mean) / std)


def malaria_resnet(data):
    for name, label, path in _folder(data, "malaria-test", "*/*.png"):
        yield name, label, _channels_first(_picture(path, (224, 224), Image.BILINEAR) / 255)


def chest_xray(data):
    for name, label, path in _folder(data, "cxr-kermany224-testA", "*/*.jp*g"):
        yield name, label, _channels_first(_picture(path, (150, 150), Image.NEAREST) / 255)


DATA_SETS = {
    "pneumoniamnist-cnn-pathakis": pneumoniamnist,
    "pathmnist-resnet20-hexonfox": pathmnist,
    "malaria-cnn-calebchege": malaria_cnn,
    "malaria-resnetlike-amaanrzv39": malaria_resnet,
    "cxr-pneumonia-AM1CODES": chest_xray,
}


def read_reference(data, model):
    """{id: outputs} of a reference table."""
    lines = (pathlib.Path(data) / "reference" / f"{model}.csv").read_text().splitlines()[1:]
    rows = (line.split(",") for line in lines)
    return {row[0]: np.array([float(v) for v in row[2:]]) for row in rows}


class Vessels:
    """CHASE_DB1 with the W-Net: the field of view is cropped and resized to 512 x 512, the answer resized back."""

    THRESHOLD = 0.42

    def __init__(self, data):
        self.root = pathlib.Path(data) / "data"

    def names(self):
        return sorted(p.stem for p in (self.root / "chase_db1-A" / "images").glob("*.jpg"))

    def _mask(self, name):
        return np.array(Image.open(self.root / "chase_db1-masks" / f"{name}.gif").convert("L")) > 0

    def input(self, name):
        ys, xs = np.where(self._mask(name))
        picture = Image.open(self.root / "chase_db1-A" / "images" / f"{name}.jpg").convert("RGB")
        box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
        return _channels_first(np.asarray(picture.crop(box).resize((512, 512), Image.BILINEAR), np.float32) / 255)

    def scores(self, name, output):
        """(probability, truth) of the pixels inside the field of view."""
        mask = self._mask(name)
        ys, xs = np.where(mask)
        rows, columns = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
        size = (int(xs.max() - xs.min()) + 1, int(ys.max() - ys.min()) + 1)
        probability = np.array(Image.fromarray(output[0, 0]).resize(size, Image.BICUBIC))
        manual = np.array(Image.open(self.root / "chase_db1-A" / "manual1" / f"{name}_1stHO.png").convert("L")) > 0
        inside = mask[rows, columns]
        return probability[inside], manual[rows, columns][inside]
