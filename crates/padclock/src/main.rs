//! The binary `padclock`. Under the name `cronctl` it is the client.

use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

/// An execution is made and dropped on different threads, which this allocator is better at than the system's: a sixth of
/// the processor time of a busy node. Around it, memory is wiped before it is given back: values are wiped by their own type,
/// and this reaches the copies in buffers that are not ours, of HTTP and of JSON.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<mimalloc::MiMalloc> = ZeroAlloc(mimalloc::MiMalloc);

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    if std::path::Path::new(&name)
        .file_stem()
        .is_some_and(|stem| stem == "cronctl")
    {
        padclock::cronctl::main()
    } else {
        padclock::admin::main()
    }
}
