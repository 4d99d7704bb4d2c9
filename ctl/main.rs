//! The front door of `garminsyncctl`: everything is in the library, so that tests can walk through it too.
//! It must not grow.

fn main() -> std::process::ExitCode {
    garminsync_ctl::main()
}
