//! What app and server say to each other over HTTP: accounts, homes, members, devices, blocks.
