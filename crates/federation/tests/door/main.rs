//! Real servers and clients over loopback, with certificates of every kind.

mod admission;
mod hostile;
mod house;
mod limits;
mod observed;
mod raw;
mod swap;
