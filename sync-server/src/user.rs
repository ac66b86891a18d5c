//! Accounts, sign-in, homes, members, devices, invitations.
