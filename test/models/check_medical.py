#!/usr/bin/env python3
"""Runs the medical models of the shared data and compares every row with the reference tables, within 1e-4.

Prints the metrics of each data set beside the MANIFEST's baselines; ends with `N passed, M failed`.
"""

import argparse
import pathlib
import shlex
import sys

import numpy as np

from medical import DATA_SETS, Vessels, read_reference
from tmcnn_tool import Tool

TOLERANCE = 1e-4
BATCH = 32


def area_under_roc(scores, positive):
    """Probability that a positive scores above a negative, ties counting half (Mann and Whitney 1947)."""
    values, inverse = np.unique(scores, return_inverse=True)
    counts = np.bincount(inverse, minlength=len(values))
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    n, m = positive.sum(), (~positive).sum()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))


def run_batches(tool, tmc, rows):
    """Outputs of all rows; runs of BATCH images, planned for that batch where the model allows it."""
    outputs = []
    for start in range(0, len(rows), BATCH):
        images = np.concatenate([row[2] for row in rows[start:start + BATCH]])
        shape = ",".join(map(str, images.shape))
        outputs.extend(tool.run(tmc, [images], options=["--shape", shape])[0])
    return np.array(outputs, np.float64).reshape(len(rows), -1)


def metrics(outputs, labels):
    """As the MANIFEST counts: AUC and accuracy; one output column means a probability."""
    if outputs.shape[1] > 2:
        accuracy = np.mean(outputs.argmax(1) == labels)
        areas = [area_under_roc(softmax(outputs)[:, c], labels == c) for c in range(outputs.shape[1])]
        return f"acc {accuracy:.4f} macroAUC {np.mean(areas):.4f}"
    score = outputs[:, 0] - 0.5 if outputs.shape[1] == 1 else outputs[:, 1] - outputs[:, 0]
    positive = labels == 1
    marked = score > 0
    tp, tn = int((marked & positive).sum()), int((~marked & ~positive).sum())
    return (f"AUC={area_under_roc(score, positive):.4f} acc={np.mean(marked == positive):.4f} "
            f"tp={tp} fn={int(positive.sum()) - tp} tn={tn} fp={int((~positive).sum()) - tn}")


def softmax(x):
    """In fp32, as the baselines were computed: saturated scores tie, and ties count half."""
    x = x.astype(np.float32)
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def numeric_labels(model, labels):
    if not isinstance(labels[0], str):
        return np.array(labels)
    positive = {"malaria-cnn-calebchege": "Parasitized", "malaria-resnetlike-amaanrzv39": "Parasitized",
                "cxr-pneumonia-AM1CODES": "PNEUMONIA"}[model]
    return np.array([int(label == positive) for label in labels])


def check_table(tool, data, model, load):
    rows, reference = list(load(data)), read_reference(data, model)
    tmc = tool.path(model + ".tmc")
    tool.convert(data / "derived-onnx" / f"{model}.onnx", tmc)
    outputs = run_batches(tool, tmc, rows)
    worst = max(float(np.abs(out - reference[row[0]]).max()) for row, out in zip(rows, outputs))
    scores = 1.0 - outputs if model == "malaria-resnetlike-amaanrzv39" else outputs  # it gives P(uninfected)
    ok = worst <= TOLERANCE and len(rows) == len(reference)
    print(f"{'ok' if ok else 'FAILED':6}  {model:30} {len(rows)} rows, largest difference {worst:.1e}; "
          f"{metrics(scores, numeric_labels(model, [row[1] for row in rows]))}", flush=True)
    return ok


def check_vessels(tool, data):
    model, vessels = "vessel-wnet-agaldran", Vessels(data)
    reference = {line.split(",")[0]: float(line.split(",")[1])
                 for line in (data / "reference" / f"{model}.csv").read_text().splitlines()[1:]}
    tmc = tool.path(model + ".tmc")
    tool.convert(data / "derived-onnx" / f"{model}.onnx", tmc)
    worst, dice, scores, truths = 0.0, [], [], []
    for name in vessels.names():
        probability, truth = vessels.scores(name, tool.run(tmc, [vessels.input(name)])[0])
        marked = probability > vessels.THRESHOLD
        dice.append(2.0 * (marked & truth).sum() / (marked.sum() + truth.sum()))
        worst = max(worst, abs(dice[-1] - reference[f"{name}.jpg"]))
        scores.append(probability)
        truths.append(truth)
    area = area_under_roc(np.concatenate(scores), np.concatenate(truths))
    ok = worst <= TOLERANCE and len(dice) == 20
    print(f"{'ok' if ok else 'FAILED':6}  {model:30} {len(dice)} rows, largest difference {worst:.1e}; "
          f"AUC={area:.4f} meanDice={np.mean(dice):.4f}", flush=True)
    return ok


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tmcnn", default="build/tmcnn")
    parser.add_argument("--shared", default="../shared")
    args = parser.parse_args()
    data = pathlib.Path(args.shared) / "data"
    if not data.exists():
        print(f"SKIPPED: no {data}")
        return
    tool = Tool(shlex.split(args.tmcnn))
    results = [check_table(tool, data, model, load) for model, load in DATA_SETS.items()]
    results.append(check_vessels(tool, data))
    for line in (data / "MANIFEST.md").read_text().splitlines():
        if line.startswith(tuple(DATA_SETS)) or line.startswith("vessel-wnet"):
            print(f"baseline  {line}")
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
