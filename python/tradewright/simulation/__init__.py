"""Simulated time and markets, for research and tests."""

from tradewright.simulation.clock import VirtualClock

__all__ = ["VirtualClock"]
