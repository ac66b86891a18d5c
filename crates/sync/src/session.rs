//! Sans-I/O sync sessions: bytes in, effects out.
