"""Where data and models come from: a catalogue of pinned archives, and the ways to fetch and unpack them."""
