"""Random streams of commands through the engine and the reference exchange, held against each other event for event."""
