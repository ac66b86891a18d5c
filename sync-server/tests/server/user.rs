//! Accounts, sign-in, homes and members, as browsers and apps meet them. Each attack on them is a
//! test here.

mod accounts;
mod attacks;
mod crash;
mod export;
mod homes;
mod mail;
mod oauth;
mod oidc;
mod site;
mod stores;
