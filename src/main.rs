//! The `folio` binary: parse the command line, run, exit code.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Measured against the system's: requests are many small allocations that live short.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    folio::cli::main()
}
