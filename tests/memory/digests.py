"""Three digests."""

A, B, C = (bytes([number]) * 16 for number in (1, 2, 3))
