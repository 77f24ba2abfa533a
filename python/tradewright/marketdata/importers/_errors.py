"""What is wrong with a recording, and where."""

from __future__ import annotations


class DataError(ValueError):
    """A recording is damaged, cut short, or holds something its format does not know.

    `line` counts from 1 in the unpacked file; 0 means the file as a whole.
    """

    def __init__(self, file: str, line: int, problem: str) -> None:
        self.file = file
        self.line = line
        self.problem = problem
        super().__init__(f"{file}:{line}: {problem}" if line else f"{file}: {problem}")
