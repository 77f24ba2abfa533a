"""Write python/tradewright/_core.pyi from the signatures that the Rust sources record."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

STUB = Path("python/tradewright/_core.pyi")
HEADER = "# Written by `make stubs` from crates/python. Change the Rust source, not this file.\n"

# PyO3 has no word for numpy's types, so the sources give them as text:
# `#[pyo3(signature = (orders: "numpy.typing.NDArray[numpy.void]"))]`.
QUOTED_NUMPY = re.compile(r'"(numpy\.[^"]+)"')


def main() -> int:
    """Generate, finish and write the stub; return the exit code of the generator."""
    with tempfile.TemporaryDirectory() as folder:
        generated = subprocess.run(
            [
                *("maturin", "generate-stubs", "--locked", "--profile", "dev"),
                *("--manifest-path", "crates/python/Cargo.toml", "--features", "stubs"),
                *("--out", folder),
            ],
            check=False,
        )
        if generated.returncode != 0:
            return generated.returncode
        stub = Path(folder, "tradewright", "_core.pyi").read_text(encoding="utf-8")
    STUB.write_text(finish(stub), encoding="utf-8", newline="\n")
    return 0


def finish(stub: str) -> str:
    """Return `stub` with numpy's types unquoted and imported."""
    stub = QUOTED_NUMPY.sub(r"\1", stub)
    modules = [name for name in ("numpy", "numpy.typing") if f"{name}." in stub]
    imports = "".join(f"import {name}\n" for name in modules)
    return f"{HEADER}\n{imports}{stub}"


if __name__ == "__main__":
    sys.exit(main())
