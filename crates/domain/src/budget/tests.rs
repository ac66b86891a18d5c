//! Budgets worked out by hand.
