//! The queries of the README, as somebody would copy them. Tests run them and the bench times them; neither knows what they say.

use std::path::Path;

/// A query and the words above it.
#[derive(Clone, Debug)]
pub struct Query {
    /// The comment it begins with.
    pub title: String,
    /// The statement, without the semicolon.
    pub sql: String,
}

/// Every statement of every `sql` block of the README.
///
/// # Errors
/// When the README cannot be read.
pub fn readme_queries() -> std::io::Result<Vec<Query>> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md"))?;
    let blocks = readme.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next());
    let statements = blocks.flat_map(|block| block.split(';')).map(str::trim).filter(|text| !text.is_empty());
    Ok(statements
        .map(|text| {
            let comment = text.lines().take_while(|line| line.starts_with("--"));
            let title = comment.map(|line| line.trim_start_matches("--").trim()).collect::<Vec<_>>().join(" ");
            Query { title, sql: text.to_owned() }
        })
        .collect())
}
