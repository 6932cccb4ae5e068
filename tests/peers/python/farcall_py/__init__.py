"""A second implementation of the farcall protocol, written from the three SPEC.md alone, with the standard library."""
