"""Reads the one training head and turns its tissue labels into what training needs.

The labels mark grey and white matter only. A brain mask as radiology tools
draw it is a closed surface, so the gaps (ventricles, sulci, cisterns) are
closed here. Tissues outside the brain have no labels at all; they are split
by intensity and by distance from the brain, because the augmentation repaints
each class with a random brightness and needs classes that really differ from
head to head (fluid, bone, marrow, muscle, fat).
"""

import gzip
from dataclasses import dataclass

import nibabel as nib
import numpy as np
from scipy import ndimage as ndi

# Class numbers of `Head.classes`.
AIR, WHITE, GREY, FLUID_IN, FLUID_OUT, BONE, SOFT_DARK, SOFT, FAT = range(9)
N_CLASSES = 9


@dataclass
class Head:
    """One head on a 1 mm grid, axes running to the right, front and top (RAS)."""

    image: np.ndarray    # uint8
    classes: np.ndarray  # uint8, one of the numbers above
    brain: np.ndarray    # uint8, 0 or 255: linear sampling then keeps sub-voxel edges
    means: np.ndarray    # float32 [N_CLASSES], mean intensity of each class
    top: int             # highest axial slice that holds any head
    bottom: int          # lowest axial slice of the field of view


def _dilate(mask, radius):
    return ndi.distance_transform_edt(~mask) <= radius


def _erode(mask, radius):
    return ndi.distance_transform_edt(mask) > radius


def _largest(mask):
    labels, count = ndi.label(mask)
    if count == 0:
        raise ValueError("empty mask")
    return labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])


def brain_mask(tissue, close_mm=8.0, margin_mm=1.0):
    """Closed brain mask from a boolean grey+white matter volume at 1 mm.

    False islands hang on thin bridges, so only what lies within 5 mm of the
    eroded core stays (278 of 1,253,752 voxels go on the training head). 8 mm
    closing fills the lateral ventricles and the Sylvian fissure of that head
    and stays out of the orbits, as pictures in three planes showed. The 1 mm
    margin takes in the thin layer of fluid on the cortex that
    brain-extraction masks by convention keep.
    """
    core = _largest(_erode(tissue, 2.0))
    tissue = _largest(tissue & _dilate(core, 5.0))
    padded = np.pad(tissue, int(close_mm) + 2)
    closed = _erode(_dilate(padded, close_mm), close_mm)
    inner = (slice(int(close_mm) + 2, -(int(close_mm) + 2)),) * 3
    closed = _largest(ndi.binary_fill_holes(closed[inner]))
    return _dilate(closed, margin_mm)


def _classes(image, labels, brain):
    head = ndi.binary_fill_holes(ndi.binary_closing(image > 20, iterations=3))
    from_brain = ndi.distance_transform_edt(~brain)
    outside = head & ~brain
    # Thresholds relative to white matter: the grey/white contrast of any T1
    # image puts fluid and cortical bone far below, fat at or above it.
    white = float(np.median(image[labels == 1]))
    out = np.full(image.shape, AIR, np.uint8)
    out[outside & (image < 0.35 * white)] = BONE
    out[outside & (image < 0.35 * white) & (from_brain <= 3.0)] = FLUID_OUT
    out[outside & (image >= 0.35 * white)] = SOFT_DARK
    out[outside & (image >= 0.6 * white)] = SOFT
    out[outside & (image >= 0.95 * white)] = FAT
    out[brain] = FLUID_IN
    out[brain & (labels == 2)] = GREY
    out[brain & (labels == 1)] = WHITE
    # Labelled "fluid" voxels as bright as cortex are cortex the labels missed.
    out[(out == FLUID_IN) & (image > 0.7 * white)] = GREY
    return out


def _to_ras(array, affine):
    return np.asarray(nib.as_closest_canonical(nib.Nifti1Image(array, affine)).dataobj)


def load_head(t1_path, labels_path):
    """Loads a 1 mm T1 image and its raw (gzip, uint8, same shape) tissue labels."""
    nifti = nib.load(t1_path)
    if not np.allclose(nifti.header.get_zooms()[:3], 1.0, atol=1e-3):
        raise ValueError("the training head has to be on a 1 mm grid")
    image = np.asarray(nifti.dataobj).astype(np.uint8)
    with gzip.open(labels_path) as f:
        labels = np.frombuffer(f.read(), np.uint8)
    if labels.size != image.size:
        raise ValueError("labels and image differ in size")
    labels = _to_ras(labels.reshape(image.shape), nifti.affine)
    image = _to_ras(image, nifti.affine)

    brain = brain_mask(labels > 0)
    classes = _classes(image, labels, brain)
    means = np.array([image[classes == c].mean() if (classes == c).any() else 0.0
                      for c in range(N_CLASSES)], np.float32)
    filled = np.flatnonzero((image > 20).any(axis=(0, 1)))
    return Head(image, classes, brain.astype(np.uint8) * 255, means,
                int(filled[-1]), int(filled[0]))
