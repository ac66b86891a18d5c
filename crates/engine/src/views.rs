//! What the screens show, computed from the store's rollups and the state in memory.

mod cache;
pub(crate) mod history;
pub(crate) mod live;
pub(crate) mod meters;
pub(crate) mod overview;
mod period;
pub(crate) mod rows;
pub(crate) mod verdict;

pub(crate) use cache::Cache;
