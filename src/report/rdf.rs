//! A report as a `sh:ValidationReport` (SHACL 3.6), with the places, the suggestions and the records beside it.

use super::document::Head;
use super::format::Findings;
use crate::harvest::{report_triples, result_triples};
use crate::triples::RdfWriter;
use crate::vocab::sh;
use oxrdf::{BlankNode, NamedOrBlankNode, Term, Triple};
use oxrdfio::RdfFormat;
use std::io::{self, Write};

pub(super) fn write(
    format: RdfFormat,
    head: &Head,
    findings: &mut Findings<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut writer = RdfWriter::new(format, out);
    let report = NamedOrBlankNode::from(BlankNode::default());
    let conforms = head.counts.violation + head.counts.warning + head.counts.info == 0;
    for triple in report_triples(&report, conforms) {
        writer.write_triple(&triple)?;
    }
    for finding in findings {
        let node = NamedOrBlankNode::from(BlankNode::default());
        writer.write_triple(&Triple::new(report.clone(), sh::RESULT, Term::from(node.clone())))?;
        for triple in result_triples(&node, &finding?) {
            writer.write_triple(&triple)?;
        }
    }
    writer.finish()?;
    Ok(())
}
