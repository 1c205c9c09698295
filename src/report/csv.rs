//! A report as CSV (RFC 4180): a line a finding.

use super::document::Head;
use super::fields::spoiled_field;
use super::format::Findings;
use std::io::{self, Write};

const COLUMNS: &str = "severity,rule,record,title,focus_node,property,value,message_en,message_fr,page,line,column,path,suggestion,field,since";

pub(super) fn write(head: &Head, findings: &mut Findings<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{COLUMNS}\r\n")?;
    for finding in findings {
        let finding = finding?;
        let number = |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let place = &finding.place;
        let cells = [
            finding.severity.as_str().to_owned(),
            finding.rule.clone(),
            finding.record.clone(),
            text(&finding.title),
            finding.focus_node.clone(),
            text(&finding.property),
            text(&finding.value),
            finding.message.en.clone(),
            finding.message.fr.clone(),
            head.page(&place.page).to_owned(),
            number(place.line),
            number(place.column),
            text(&place.path),
            text(&finding.suggestion),
            spoiled_field(&finding.rule, finding.property.as_deref()).unwrap_or_default().to_owned(),
            text(&finding.since),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        write!(out, "{}\r\n", cells.join(","))?;
    }
    Ok(())
}

/// A cell. What a spreadsheet would run as a formula gets an apostrophe before it: publishers write what they like.
fn quoted(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_run_nothing() {
        assert_eq!(quoted("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(quoted("plain"), "plain");
    }
}
