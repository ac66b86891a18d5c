//! What every route has: errors, limits, health, metrics.
