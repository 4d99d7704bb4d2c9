//! The person's own desktop: opens an address in their browser, where there is one to be seen. Commands call it; that nothing
//! opens is never a failure, because the address is printed as well. The system's own opener is one line a platform, so no library.

use std::process::{Command, Stdio};

/// Opens a web address, if this process has a desktop in front of it. Whether a page appeared is not known.
pub fn open(address: &str) {
    // The address came over the socket: nothing but a web page is opened, and no opener takes it for a flag.
    if !is_web(address) || !is_here() {
        return;
    }
    let mut command = opener();
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    {
        // Ctrl-C at our prompt is not meant for the browser.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    if let Ok(mut child) = command.spawn() {
        std::thread::spawn(move || child.wait());
    }
}

fn is_web(address: &str) -> bool {
    (address.starts_with("https://") || address.starts_with("http://"))
        && !address.contains(|c: char| c.is_control() || c.is_whitespace() || "\"'`$\\".contains(c))
}

/// Whether the person sits at this machine, as far as the environment tells.
fn is_here() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let remote = set("SSH_CONNECTION") || set("SSH_TTY");
    let desktop = cfg!(any(windows, target_os = "macos")) || set("DISPLAY") || set("WAYLAND_DISPLAY");
    desktop && !remote
}

#[cfg(target_os = "macos")]
fn opener() -> Command {
    Command::new("/usr/bin/open")
}

#[cfg(windows)]
fn opener() -> Command {
    // Not `cmd /c start`: a shell would read the address's `&`.
    let mut command = Command::new("rundll32.exe");
    command.arg("url.dll,FileProtocolHandler");
    command
}

#[cfg(not(any(windows, target_os = "macos")))]
fn opener() -> Command {
    Command::new("xdg-open")
}

#[cfg(test)]
mod tests {
    use super::is_web;

    #[test]
    fn only_web_pages_are_opened() {
        assert!(is_web(
            "https://sso.garmin.com/sso/signin?service=https%3A%2F%2Fmobile.integration.garmin.com%2Fgcm%2Fandroid"
        ));
        assert!(is_web("http://127.0.0.1:8899/sso/sso/signin?service=x"));
        for address in
            ["file:///etc/passwd", "--help", "javascript:alert(1)", "https://a b", "https://a\n", "https://a\"", ""]
        {
            assert!(!is_web(address), "{address}");
        }
    }
}
