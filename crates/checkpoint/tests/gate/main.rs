//! The whole gate over a small federation of its own: desk, state directory, door and program.

mod desk;
mod door;
mod mirror;
mod program;
mod refresh;
mod scene;
