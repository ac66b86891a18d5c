//! Bounded reading of CBOR.
