//! Immutable rollups of one recorder, meter and UTC day, by hash, and their merge.
