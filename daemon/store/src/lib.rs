//! daemon/store
