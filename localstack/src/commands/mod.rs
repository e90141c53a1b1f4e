//! One module for each command.

pub(crate) mod demo;
pub(crate) mod down;
pub(crate) mod lambda;
pub(crate) mod test;
pub(crate) mod up;
