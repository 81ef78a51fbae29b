//! The binary under its two names: `padclock` serves and administers, `cronctl` is the client.

pub mod admin;
mod audit;
mod config;
pub mod cronctl;
pub mod demo;
mod hygiene;
mod keys;
mod logging;
mod say;

use zeroizing_alloc::ZeroAlloc;

/// An execution is made and dropped on different threads, which this allocator is better at than the system's: a sixth of
/// the processor time of a busy node. Around it, memory is wiped before it is given back: values are wiped by their own type,
/// and this reaches the copies in buffers that are not ours, of HTTP and of JSON.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<mimalloc::MiMalloc> = ZeroAlloc(mimalloc::MiMalloc);
