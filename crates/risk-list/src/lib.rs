//! Risk list.
