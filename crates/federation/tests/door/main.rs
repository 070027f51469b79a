//! Real servers and clients over loopback, with certificates of every kind.

mod admission;
mod house;
mod limits;
mod observed;
