//! Looking inside material: what is seen in real files, how little is read for it, and that no file does harm.
//!
//! | file | shows |
//! |---|---|
//! | `clips.rs` | what is seen in each committed clip, and that other readers see the same |
//! | `damaged.rs` | files that are cut short, or hold a page |
//! | `cost.rs` | how many reads and bytes a large file takes |
//! | `hostile.rs` | thousands of broken files: no panic, no more reads than allowed, no large allocation |
//! | `full_size.rs` | clips as people record them, made by ffmpeg where it is there |

mod clips;
mod cost;
mod damaged;
mod full_size;
mod hostile;
mod material;
