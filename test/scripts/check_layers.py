#!/usr/bin/env python3
"""Checks that includes only point down the layers of docs/architecture.md, and who may see the kernels."""

import pathlib
import re
import sys

# A file may include its own layer and those named here.
ALLOWED = {
    "src/base": [],
    "src/cpu": ["src/base"],
    "src/format": ["src/base"],
    "src/arena": ["src/base"],
    "src/graph": ["src/base", "src/format"],
    "kernels": ["src/base", "src/format"],
    "src/ops": ["src/base", "src/format", "src/graph", "kernels"],
    "src/plan": ["src/base", "src/format", "src/graph", "src/arena", "src/cpu", "src/ops", "kernels"],
    "src/runtime": ["src/base", "src/format", "src/graph", "src/arena", "src/cpu", "src/ops", "src/plan", "kernels"],
    "tools/io": ["src/base", "src/graph", "src/format"],
    "tools/convert": ["src/base", "src/format", "src/graph", "tools/io"],
    "tools/tmcnn": ["src/base", "src/format", "tools/io", "tools/convert"],
    "examples": ["tools/io"],
    "bench": ["src/base", "src/cpu", "kernels", "tools/io"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
ROOTS = ["src", "tools", "."]


def layer_of(path):
    for layer in sorted(ALLOWED, key=len, reverse=True):
        if path.startswith(layer + "/"):
            return layer
    return None


def resolve(root, file, name):
    """The repository path an include names, or None for the public header and generated files."""
    beside = file.parent / name
    if beside.exists():
        return beside.resolve().relative_to(root).as_posix()
    for base in ROOTS:
        candidate = root / base / name
        if candidate.exists():
            return candidate.resolve().relative_to(root).as_posix()
    return None


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    wrong, checked = [], 0
    for top in ("src", "kernels", "tools", "examples", "bench"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in (".c", ".h", ".inl", ".inc"):
                continue
            own = layer_of(file.relative_to(root).as_posix())
            for name in INCLUDE.findall(file.read_text()):
                target = resolve(root, file, name)
                layer = layer_of(target) if target else None
                checked += 1
                if own and layer and layer != own and layer not in ALLOWED[own]:
                    wrong.append(f"{file.relative_to(root)} includes {name}: {own} may not see {layer}")
    print("\n".join(wrong) if wrong else f"layers: {checked} includes, all point down")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
