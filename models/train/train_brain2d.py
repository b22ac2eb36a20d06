"""Trains the brain marker and writes it as ONNX.

  python train_brain2d.py --t1 t1_crop.nii.gz --labels labels.raw.gz --out brain2d.onnx

The training head is the only data; model selection uses synthetic heads with
seeds that training never draws. The test head plays no part here: see
evaluate.py.
"""

import argparse
import multiprocessing as mp
import os
import time

import numpy as np

import augment
import data
import preprocess

TRAIN_SIZE = 112  # smaller than the network's 128: only air is lost, and a quarter of the work
VALIDATION_SEED = 900_000


def validation_set(head, volumes=6, step=5):
    """Synthetic whole heads, every 5 mm, as [v, n, s, s] images and brains."""
    images, brains = [], []
    for v in range(volumes):
        rng = np.random.default_rng([VALIDATION_SEED, v])
        p = augment.draw(rng, head, preprocess.SIZE)
        pairs = [augment.render(p, head, z, preprocess.SIZE, rng)
                 for z in range(2, head.top - head.bottom, step)]
        images.append([a for a, _ in pairs])
        brains.append([b for _, b in pairs])
    return np.array(images, np.float32), np.array(brains, np.float32)


def validate(model, images, brains):
    """Mean and lowest Dice over the validation heads."""
    scores = []
    for x, y in zip(images, brains):
        logits = model.predict_on_batch(x[..., None])[..., 0]
        scores.append(preprocess.dice(logits >= 0, y >= 0.5))
    return float(np.mean(scores)), float(np.min(scores))


def _produce(queue, head, seed, batch):
    """Background process: one is enough: 13 ms a sample, its training step 20 ms."""
    b = 0
    while True:
        pairs = [augment.sample(seed, b * batch + i, head, TRAIN_SIZE) for i in range(batch)]
        queue.put((np.stack([a for a, _ in pairs])[..., None],
                   np.stack([m for _, m in pairs])[..., None]))
        b += 1


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("--t1", required=True, help="training head, 1 mm NIfTI")
    ap.add_argument("--labels", required=True, help="its tissue labels, gzip raw uint8")
    ap.add_argument("--out", required=True, help="ONNX file to write")
    ap.add_argument("--steps", type=int, default=5000)
    ap.add_argument("--batch", type=int, default=16)
    ap.add_argument("--rate", type=float, default=3e-3)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()

    head = data.load_head(args.t1, args.labels)
    print(f"brain {int((head.brain > 0).sum()) / 1e3:.0f} ml, slices {head.bottom}..{head.top}", flush=True)
    # The producer starts before TensorFlow is imported: forking after its threads exist can hang.
    queue = mp.get_context("fork").Queue(8)
    worker = mp.get_context("fork").Process(
        target=_produce, args=(queue, head, args.seed, args.batch), daemon=True)
    worker.start()
    val = validation_set(head)

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    import export_onnx
    import model as net
    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.keras.utils.set_random_seed(args.seed)
    tf.config.experimental.enable_op_determinism()
    model = net.build()
    rate = tf.keras.optimizers.schedules.CosineDecay(
        0.0, args.steps, alpha=0.005, warmup_target=args.rate, warmup_steps=min(200, args.steps // 10))
    optimizer = tf.keras.optimizers.Adam(rate, clipnorm=1.0)

    @tf.function(input_signature=[tf.TensorSpec([None, TRAIN_SIZE, TRAIN_SIZE, 1])] * 2)
    def step(x, y):
        with tf.GradientTape() as tape:
            value = net.loss(y, model(x, training=True))
        grads = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return value

    start, running = time.time(), None
    for i in range(1, args.steps + 1):
        value = float(step(*(tf.constant(a) for a in queue.get())))
        running = value if running is None else 0.98 * running + 0.02 * value
        if i % 100 == 0:
            print(f"step {i} loss {running:.4f} {time.time() - start:.0f} s", flush=True)
        if i % 500 == 0 or i == args.steps:
            print("step %d validation Dice mean %.4f lowest %.4f" % (i, *validate(model, *val)), flush=True)
    worker.terminate()

    proto = export_onnx.to_onnx(model, preprocess.SIZE)
    error = export_onnx.max_error(model, proto, val[0][:, 5:30:5].reshape(-1, preprocess.SIZE, preprocess.SIZE))
    print(f"ONNX against Keras: largest difference {error:.2e}")
    if error > 1e-4:
        raise SystemExit("the exported model differs from the trained one")
    export_onnx.save(proto, args.out)
    weights, macs, ops = export_onnx.describe(proto)
    print(f"weights {weights}, multiply-adds {macs / 1e6:.1f} M, file {os.path.getsize(args.out)} bytes, "
          f"operators {' '.join(ops)}, {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
