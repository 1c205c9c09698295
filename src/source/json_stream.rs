//! Reading a JSON page record by record, so that a file of any length needs the memory of one record.

use super::crawl::Appetite;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;
use std::io::Read;

/// What a page holds beside its records: totals, error messages, what the catalogue says of itself.
pub(super) type Envelope = Map<String, Value>;

/// Takes a record and the JSON pointer at which it stands.
pub(super) type TakeRecord<'t> = dyn FnMut(Value, &str) -> Appetite + 't;

/// A page whose JSON is broken: what was read before is good.
#[derive(Debug)]
pub(super) struct BrokenJson {
    /// The parser's words.
    pub(super) message: String,
    /// The line, from 1.
    pub(super) line: u32,
}

/// Where a document has its records.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout<'l> {
    /// The keys that lead to them: those of each level, any of which will do; none for the document itself.
    pub(super) path: &'l [&'l [&'l str]],
    /// Keys that hold documents of the same layout.
    pub(super) nested: &'l [&'l str],
}

/// Reads the records of a document: the members of the lists at the end of its path, or the one object there.
pub(super) fn read_records(
    reader: impl Read,
    layout: Layout<'_>,
    take: &mut TakeRecord<'_>,
) -> Result<Envelope, BrokenJson> {
    let mut envelope = Envelope::new();
    let mut is_enough = false;
    let mut parser = serde_json::Deserializer::from_reader(std::io::BufReader::with_capacity(1 << 16, reader));
    let level = Level {
        layout,
        is_nested: false,
        is_within: false,
        pointer: String::new(),
        envelope: &mut envelope,
        take,
        is_enough: &mut is_enough,
    };
    let outcome = level.deserialize(&mut parser).and_then(|scalar| {
        if let Some(scalar) = scalar {
            return Err(serde_json::Error::custom(format!("an object was expected, and here is {scalar}")));
        }
        parser.end()
    });
    match outcome {
        Err(_) if is_enough => Ok(envelope),
        Err(error) => {
            let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
            Err(BrokenJson { message: error.to_string(), line })
        }
        Ok(()) => Ok(envelope),
    }
}

/// One level of the path. Gives the value back when it is neither an object nor a list.
struct Level<'l, 't> {
    layout: Layout<'l>,
    /// Whether what is here is a document of the same layout, or a list of such.
    is_nested: bool,
    /// Whether it is within such a document: what that says of itself is not said of the whole.
    is_within: bool,
    pointer: String,
    envelope: &'l mut Envelope,
    take: &'l mut TakeRecord<'t>,
    is_enough: &'l mut bool,
}

impl Level<'_, '_> {
    fn give<E: Error>(&mut self, record: Value, pointer: &str) -> Result<(), E> {
        if (self.take)(record, pointer) == Appetite::Enough {
            *self.is_enough = true;
            return Err(E::custom("enough"));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_, '_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_, '_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<Self::Value, A::Error> {
        let Some((wanted, rest)) = self.layout.path.split_first() else {
            let mut record = Map::new();
            while let Some((key, value)) = fields.next_entry()? {
                record.insert(key, value);
            }
            let pointer = std::mem::take(&mut self.pointer);
            self.give(Value::Object(record), &pointer)?;
            return Ok(None);
        };
        while let Some(key) = fields.next_key::<String>()? {
            let is_nested = self.layout.nested.contains(&key.as_str());
            if !is_nested && !wanted.contains(&key.as_str()) {
                let value: Value = fields.next_value()?;
                if !self.is_within {
                    self.envelope.insert(key, value);
                }
                continue;
            }
            let path = if is_nested { self.layout.path } else { rest };
            let level = Level {
                layout: Layout { path, ..self.layout },
                is_nested,
                is_within: self.is_within || is_nested,
                pointer: format!("{}/{key}", self.pointer),
                envelope: self.envelope,
                take: self.take,
                is_enough: self.is_enough,
            };
            if let Some(scalar) = fields.next_value_seed(level)? {
                self.envelope.insert(key, scalar);
            }
        }
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut position = 0;
        if self.is_nested {
            loop {
                let level = Level {
                    layout: self.layout,
                    is_nested: false,
                    is_within: true,
                    pointer: format!("{}/{position}", self.pointer),
                    envelope: &mut *self.envelope,
                    take: &mut *self.take,
                    is_enough: &mut *self.is_enough,
                };
                if members.next_element_seed(level)?.is_none() {
                    return Ok(None);
                }
                position += 1;
            }
        }
        while let Some(record) = members.next_element::<Value>()? {
            let pointer = format!("{}/{position}", self.pointer);
            self.give(record, &pointer)?;
            position += 1;
        }
        Ok(None)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Some(Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, path: &[&str]) -> (Vec<(String, String)>, Result<Envelope, BrokenJson>) {
        let path: Vec<&[&str]> = path.iter().map(std::slice::from_ref).collect();
        read_layout(text, Layout { path: &path, nested: &["catalog"] })
    }

    fn read_layout(text: &str, layout: Layout<'_>) -> (Vec<(String, String)>, Result<Envelope, BrokenJson>) {
        let mut found = Vec::new();
        let outcome = read_records(text.as_bytes(), layout, &mut |record, pointer| {
            found.push((pointer.to_owned(), record.to_string()));
            Appetite::More
        });
        (found, outcome)
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(pointer, text)| ((*pointer).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn gives_the_records_below_a_path_and_the_rest_apart() {
        let text = r#"{"success": true, "result": {"count": 2, "results": [{"a": 1}, {"a": 2}], "sort": "x"}}"#;
        let (found, envelope) = read(text, &["result", "results"]);
        assert_eq!(found, pairs(&[("/result/results/0", r#"{"a":1}"#), ("/result/results/1", r#"{"a":2}"#)]));
        let envelope = envelope.unwrap();
        assert_eq!((&envelope["success"], &envelope["count"]), (&Value::Bool(true), &Value::from(2)));
        let (found, _) = read(r#"{"result": {"a": 1}}"#, &["result"]);
        assert_eq!(found, pairs(&[("/result", r#"{"a":1}"#)]));
        let (found, _) = read(r#"[{"a": 1}]"#, &[]);
        assert_eq!(found, pairs(&[("/0", r#"{"a":1}"#)]));
    }

    #[test]
    fn documents_in_a_document_have_records_too() {
        let text = r#"{"dataset": [1], "catalog": [{"service": [2], "title": "x"}, {"catalog": [{"dataset": [3]}]}, null]}"#;
        let layout = Layout { path: &[&["dataset", "service"]], nested: &["catalog"] };
        let (found, _) = read_layout(text, layout);
        let expected =
            [("/dataset/0", "1"), ("/catalog/0/service/0", "2"), ("/catalog/1/catalog/0/dataset/0", "3")];
        assert_eq!(found, pairs(&expected));
    }

    #[test]
    fn keeps_what_comes_before_a_fault_and_says_where_it_is() {
        let (found, broken) = read("{\"dataset\": [{\"a\": 1},\n{\"a\": oops}]}", &["dataset"]);
        assert_eq!(found.len(), 1);
        assert_eq!(broken.unwrap_err().line, 2);
        let (found, broken) = read("\"Access denied\"", &["dataset"]);
        assert!(found.is_empty() && broken.unwrap_err().message.contains("Access denied"));
    }
}
