"""Typed, strict parsers of recorded market data, one module a format.

Every parser reads plain files and `.zst` files, returns integers (prices in the unit its docstring names, times in
nanoseconds) and raises `tradewright.DataError`, which names the file and the line, for anything it does not understand.
"""
