# Written by `make stubs` from crates/python. Change the Rust source, not this file.

from typing import final

__all__ = ["BuildInfo", "build_info"]

@final
class BuildInfo:
    """
    How the compiled extension was built. A figure without these facts cannot be compared.
    """
    def __repr__(self, /) -> str: ...
    @property
    def commit(self, /) -> str:
        """
        The git commit, or "unknown" outside a clone.
        """
    @property
    def is_release(self, /) -> bool:
        """
        Whether measurements of this build count: it was compiled under the release profile.
        """
    @property
    def profile(self, /) -> str:
        """
        The Cargo profile: "release" in wheels, "fast" in an editable install.
        """
    @property
    def rustc(self, /) -> str:
        """
        The version line of the compiler.
        """
    @property
    def target(self, /) -> str:
        """
        The target triple.
        """
    @property
    def target_cpu(self, /) -> str:
        """
        The processor the compiler may assume; "generic" is the oldest of the target.
        """
    @property
    def version(self, /) -> str:
        """
        The version of the package.
        """

def build_info() -> BuildInfo:
    """
    Return how the compiled extension was built.
    """
