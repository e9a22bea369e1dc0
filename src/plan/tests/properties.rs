//! Rules that hold for every world.
