"""Measures brain2d.onnx on a head it has never seen, exactly as the model card says.

  python evaluate.py --model ../brain2d.onnx --t1 ch2.nii.gz --brain ch2bet.nii.gz

The figures are the reference for any other implementation of the
preprocessing: all axial slices, threshold 0.5, nothing after it. Two more
figures are for information only: the Dice with nothing but the largest 3-D
component kept, and with --closed the Dice against the reference after the
same closing and margin as the training mask. Brain masks differ in whether
open sulci and the fluid on the cortex belong to them; the second figure
tells that difference of convention from errors of the network.
"""

import argparse

import nibabel as nib
import numpy as np
import onnxruntime as ort
from scipy import ndimage as ndi

import data
import preprocess

HEIGHTS = (0.35, 0.50, 0.65)  # of the reference brain, from its lowest slice


def segment(session, volume, zooms):
    """Brain probability of every voxel; volume axes are right, front, top."""
    scaled = preprocess.normalise(volume)
    out = np.zeros(volume.shape, np.float32)
    nx, ny, nz = volume.shape
    for k in range(nz):
        plane = preprocess.to_network(scaled[:, :, k].T, zooms[1], zooms[0])
        prob = session.run(None, {"slice": plane[None, None]})[0][0, 0]
        out[:, :, k] = preprocess.from_network(prob, ny, nx, zooms[1], zooms[0]).T
    return out


def heights(reference):
    """Slice numbers at HEIGHTS between the lowest and highest slice with brain."""
    filled = np.flatnonzero(reference.any(axis=(0, 1)))
    low, high = int(filled[0]), int(filled[-1])
    return [low + int(np.floor(f * (high - low) + 0.5)) for f in HEIGHTS]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("--model", required=True)
    ap.add_argument("--t1", required=True, help="head, NIfTI")
    ap.add_argument("--brain", required=True, help="NIfTI on the same grid, nonzero = brain")
    ap.add_argument("--closed", action="store_true", help="also compare with the closed reference (1 mm voxels only)")
    ap.add_argument("--save", help="write the brain mask here (.nii.gz)")
    args = ap.parse_args()

    nifti = nib.as_closest_canonical(nib.load(args.t1))
    volume = np.asarray(nifti.dataobj, np.float32)
    reference = np.asarray(nib.as_closest_canonical(nib.load(args.brain)).dataobj) > 0
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(args.model, options, providers=["CPUExecutionProvider"])
    mask = segment(session, volume, nifti.header.get_zooms()) >= 0.5

    print(f"Dice, all {mask.shape[2]} slices: {preprocess.dice(mask, reference):.4f}")
    print(f"voxels marked {int(mask.sum())}, reference {int(reference.sum())}, "
          f"both {int((mask & reference).sum())}")
    for fraction, k in zip(HEIGHTS, heights(reference)):
        print(f"slice {k} ({fraction:.0%} of the brain's height): Dice "
              f"{preprocess.dice(mask[:, :, k], reference[:, :, k]):.4f}, marked {int(mask[:, :, k].sum())}, "
              f"reference {int(reference[:, :, k].sum())}")
    labels, count = ndi.label(mask)
    if count:
        largest = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
        print(f"largest component only: Dice {preprocess.dice(largest, reference):.4f} ({count} components)")
    if args.closed:
        closed = data.brain_mask(reference)
        print(f"against the closed reference ({int(closed.sum())} voxels): Dice {preprocess.dice(mask, closed):.4f}; "
              f"the reference itself against it: {preprocess.dice(reference, closed):.4f}")
    if args.save:
        nib.save(nib.Nifti1Image(mask.astype(np.uint8), nifti.affine), args.save)


if __name__ == "__main__":
    main()
