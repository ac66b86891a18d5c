//! The home document and the members' preferences, typed.
