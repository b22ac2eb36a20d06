"""Resize and Upsample."""

import itertools

import numpy as np

from net import Const, ints, random, refused, single

EMPTY = Const(np.array([], np.float32))


def _scales(*values):
    return Const(np.array(values, np.float32))


def cases():
    x = random(1, 3, 5, 6)
    coordinates = ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners", "half_pixel_symmetric")
    for mode, coordinate in itertools.product(("nearest", "linear", "cubic"), coordinates):
        attributes = {"mode": mode, "coordinate_transformation_mode": coordinate}
        opset = 19 if coordinate == "half_pixel_symmetric" else 18
        yield single(f"Resize {opset} {mode} {coordinate} sizes up", "Resize", x, None, None, Const(ints(1, 3, 8, 11)), opset=opset, **attributes)
        yield single(f"Resize {opset} {mode} {coordinate} sizes down", "Resize", x, None, None, Const(ints(1, 3, 3, 4)), opset=opset,
                     **attributes)
        yield single(f"Resize {opset} {mode} {coordinate} scales 2", "Resize", x, None, _scales(1, 1, 2, 2), opset=opset, **attributes)
    for coordinate in coordinates[:3]:
        yield single(f"Resize 13 linear {coordinate} fractional scales", "Resize", x, EMPTY, _scales(1, 1, 1.3, 0.7), opset=13, mode="linear",
                     coordinate_transformation_mode=coordinate)
    yield refused(single("Resize 19 half_pixel_symmetric fractional", "Resize", x, None, _scales(1, 1, 1.3, 0.7), opset=19, mode="linear",
                         coordinate_transformation_mode="half_pixel_symmetric"), "half_pixel_symmetric")
    for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
        for coordinate in ("half_pixel", "asymmetric"):
            yield single(f"Resize 18 nearest {coordinate} {rounding}", "Resize", x, None, None, Const(ints(1, 3, 7, 9)), opset=18,
                         nearest_mode=rounding, coordinate_transformation_mode=coordinate)
    yield single("Resize 18 axes scales", "Resize", x, None, _scales(2, 0.5), opset=18, axes=[2, 3], mode="linear")
    yield single("Resize 18 axes sizes reversed", "Resize", x, None, None, Const(ints(9, 7)), opset=18, axes=[3, 2], mode="linear")
    yield single("Resize 18 axes negative", "Resize", x, None, None, Const(ints(9)), opset=18, axes=[-1], mode="nearest")
    for policy, mode in itertools.product(("not_larger", "not_smaller"), ("nearest", "linear", "cubic")):
        yield single(f"Resize 18 {policy} {mode}", "Resize", x, None, None, Const(ints(8, 9)), opset=18, axes=[2, 3], mode=mode,
                     keep_aspect_ratio_policy=policy)
    yield single("Resize 18 cubic exclude_outside", "Resize", x, None, None, Const(ints(1, 3, 8, 11)), opset=18, mode="cubic",
                 exclude_outside=1, cubic_coeff_a=-0.5)
    roi = Const(np.array([0, 0, 0.2, 0.35, 1, 1, 0.85, 0.9], np.float32))
    for mode in ("nearest", "linear", "cubic"):
        yield single(f"Resize 13 {mode} tf_crop_and_resize", "Resize", x, roi, EMPTY, Const(ints(1, 3, 4, 4)), opset=13, mode=mode,
                     coordinate_transformation_mode="tf_crop_and_resize")
    outside = Const(np.array([0, 0, -0.4, 0.3, 1, 1, 1.2, 1.5], np.float32))
    net = single("Resize 13 linear tf_crop_and_resize outside", "Resize", x, outside, EMPTY, Const(ints(1, 3, 6, 6)), opset=13, mode="linear",
                 coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=10.0)
    net.judge = "onnx"  # onnxruntime 1.31 differs from it
    yield net
    net = single("Resize 13 linear align_corners fractional scales", "Resize", x, EMPTY, _scales(1, 1, 1.3, 0.7), opset=13, mode="linear",
                 coordinate_transformation_mode="align_corners")
    net.judge = "onnx"  # onnxruntime takes the whole output length
    yield net
    yield single("Resize 11 nearest scales", "Resize", x, EMPTY, _scales(1, 1, 2, 3), opset=11, nearest_mode="floor",
                 coordinate_transformation_mode="asymmetric")
    yield single("Resize 10 linear", "Resize", x, _scales(1, 1, 2, 2), opset=10, mode="linear")
    yield single("Resize 18 1d", "Resize", random(1, 3, 7), None, None, Const(ints(1, 3, 12)), opset=18, mode="linear")
    yield single("Resize 18 batch and channels", "Resize", random(2, 3, 4, 5), None, None, Const(ints(3, 5, 4, 5)), opset=18)
    for mode in ("linear", "cubic"):
        yield refused(single(f"Resize 18 {mode} antialias", "Resize", x, None, None, Const(ints(1, 3, 3, 3)), opset=18, mode=mode, antialias=1),
                      "antialias=1 is not supported")
    yield single("Upsample 9 nearest", "Upsample", x, _scales(1, 1, 2, 3), opset=9)
    yield single("Upsample 9 linear", "Upsample", x, _scales(1, 1, 2, 2), opset=9, mode="linear")
    yield single("Upsample 7 attribute", "Upsample", x, opset=7, scales=[1.0, 1.0, 2.0, 2.0], mode="nearest")
