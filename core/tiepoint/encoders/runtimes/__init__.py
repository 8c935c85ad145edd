"""Runtimes: one PyTorch module, run by whatever is fastest on this machine."""

from tiepoint.encoders.runtimes.runner import Runner, compile_model

__all__ = ["Runner", "compile_model"]
