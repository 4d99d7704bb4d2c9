//! How things look: text for people, JSON and YAML for machines, a bar for waiting. Commands hand in facts and the present moment and
//! get text back. It must not print (the bar excepted) and must not ask anybody.

pub mod csv;
pub mod doctor;
pub mod ledger;
pub mod object;
pub mod progress;
pub mod table;
pub mod text;
pub mod time;

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub struct Paint(
    /// Whether to use them.
    pub bool,
);

impl Paint {
    /// What matters.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What is only there for order.
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// What is wrong.
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// What works.
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What waits.
    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
    }
}
