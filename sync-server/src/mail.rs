//! E-mail through an outbox.
