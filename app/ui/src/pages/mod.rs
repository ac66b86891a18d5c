//! The screens.

pub mod alerts;
pub mod budgets;
pub mod first_run;
pub mod history;
pub mod home;
pub mod meters;
pub mod now;
pub mod sharing;
pub mod words;
