//! Alias rows of a source's own, beside those of `data/`: what its publishers write, and what it stands for.

use super::functions::reads;
use std::collections::BTreeMap;

/// The tables that rows can be added to, the function that reads each first, and the others that do.
const TABLES: [(&str, &[&str]); 5] = [
    ("frequency", &["frequency"]),
    ("theme", &["theme"]),
    ("licence", &["licence", "licence_id"]),
    ("format", &["file_type", "media_type", "short_format", "short_media_type"]),
    ("language", &["language"]),
];

/// Alias rows by table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases {
    tables: BTreeMap<&'static str, BTreeMap<String, String>>,
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AliasError {
    /// No such table.
    #[error(
        "there is no table {table:?} of aliases: the tables are frequency, theme, licence, format and language"
    )]
    Table {
        /// Its name.
        table: String,
    },
    /// What the row says a text stands for is not known either.
    #[error("{table}: {written:?} cannot stand for {means:?}, which is no {table} that the program knows")]
    Means {
        /// The table.
        table: String,
        /// What is written.
        written: String,
        /// What it is said to stand for.
        means: String,
    },
}

impl Aliases {
    /// Adds a row: `written` is read as `means` wherever the table is asked, without regard to case.
    pub fn add(&mut self, table: &str, written: &str, means: &str) -> Result<(), AliasError> {
        let Some((table, functions)) = TABLES.iter().find(|(name, _)| *name == table) else {
            return Err(AliasError::Table { table: table.to_owned() });
        };
        if !reads(functions[0], means) {
            let (table, written, means) = ((*table).to_owned(), written.to_owned(), means.to_owned());
            return Err(AliasError::Means { table, written, means });
        }
        self.tables.entry(table).or_default().insert(normal(written), means.to_owned());
        Ok(())
    }

    /// What a text given to a function stands for.
    pub(super) fn of(&self, function: &str, written: &str) -> Option<&str> {
        let (table, _) = TABLES.iter().find(|(_, functions)| functions.contains(&function))?;
        self.tables.get(table)?.get(&normal(written)).map(String::as_str)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    pub(super) fn fingerprint(&self) -> String {
        if self.is_empty() { String::new() } else { format!("{:?}", self.tables) }
    }
}

fn normal(written: &str) -> String {
    written.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_for_what_is_known_and_for_nothing_else() {
        let mut aliases = Aliases::default();
        aliases.add("licence", "Licence de la  Ville", "lov2").unwrap();
        assert_eq!(aliases.of("licence_id", " licence de la ville "), Some("lov2"));
        assert_eq!(aliases.of("frequency", "licence de la ville"), None);
        for table in ["frequency", "theme", "format", "language"] {
            assert!(aliases.add(table, "x", "no such thing at all").is_err(), "{table}");
        }
        assert!(aliases.add("colour", "x", "y").unwrap_err().to_string().contains("colour"));
    }
}
