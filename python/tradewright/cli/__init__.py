"""The command `tradewright`: one module a command group, wired in `main`."""
