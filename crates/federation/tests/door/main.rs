//! Real servers and clients over loopback, with certificates of every kind.

mod admission;
mod authorities;
mod hostile;
mod house;
mod limits;
mod observed;
mod raw;
mod swap;
mod web;
