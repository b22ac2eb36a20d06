"""Starts workers, each in a process of its own on chosen cores."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

WORKER = pathlib.Path(__file__).with_name("worker.py")


def available_cores():
    return sorted(os.sched_getaffinity(0))


def pinned(command, cores, timeout):
    """(exit status, standard output, end of standard error); the whole group dies with a timeout or an interruption."""
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             errors="replace", start_new_session=True, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    try:
        output, errors = child.communicate(timeout=timeout)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        raise
    return child.returncode, output, errors[-500:]


def work(job, cores, timeout=300):
    """The worker's answer; a worker that dies or hangs gives {"failed": how}."""
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
        question, answer = pathlib.Path(folder) / "job.json", pathlib.Path(folder) / "answer.json"
        question.write_text(json.dumps(job))
        try:
            status, _, errors = pinned([sys.executable, WORKER, question, answer], cores, timeout)
        except subprocess.TimeoutExpired:
            return {"failed": f"no answer within {timeout} s"}
        if not answer.exists():
            return {"failed": f"the process ended with {status}: {errors.strip()}"}
        return json.loads(answer.read_text())


@contextlib.contextmanager
def busy_core(core):
    """One process that does nothing but spin on the core."""
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=lambda: os.sched_setaffinity(0, [core]))
    try:
        yield
    finally:
        child.kill()
        child.wait()
