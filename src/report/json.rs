//! A report as JSON: the job's report, groups, findings.

use super::document::{Group, Head};
use super::format::Findings;
use std::io::{self, Write};

pub(super) fn write(
    head: &Head,
    groups: &[Group],
    findings: &mut Findings<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(b"{\n\"report\": ")?;
    serde_json::to_writer_pretty(&mut *out, &head.report)?;
    out.write_all(b",\n\"groups\": ")?;
    serde_json::to_writer_pretty(&mut *out, groups)?;
    out.write_all(b",\n\"findings\": [")?;
    for (number, finding) in findings.enumerate() {
        out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &finding?)?;
    }
    out.write_all(b"\n]\n}\n")
}
