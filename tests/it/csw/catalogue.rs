//! A stand-in catalogue service, with the faults that servers have.

use std::sync::Arc;
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

pub(crate) const RECORDS: usize = 25;

/// A record of ISO 19139, as short as may be.
pub(crate) fn record(id: &str) -> String {
    format!(
        "<gmd:MD_Metadata><gmd:fileIdentifier><gco:CharacterString>{id}</gco:CharacterString></gmd:fileIdentifier>\
         <gmd:language><gmd:LanguageCode codeListValue='eng'/></gmd:language><gmd:identificationInfo><gmd:MD_DataIdentification>\
         <gmd:citation><gmd:CI_Citation><gmd:title><gco:CharacterString>Record {id}</gco:CharacterString></gmd:title></gmd:CI_Citation></gmd:citation>\
         <gmd:abstract><gco:CharacterString>What {id} is.</gco:CharacterString></gmd:abstract>\
         </gmd:MD_DataIdentification></gmd:identificationInfo></gmd:MD_Metadata>"
    )
}

/// What a stand-in catalogue does otherwise than it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    Next(&'static str),
    NoNext,
    Returned(&'static str),
    FewerThanAsked,
    RepeatsOneOfEachPage,
    TotalChanges,
    AnnouncesMore,
    IgnoresTheStart,
    ExceptionLater,
    FailsWithOneRecord,
    BreaksOneRecord,
    NoResultsLater,
    RefusesSorting,
    RefusesAll,
    OnlyGet,
    StrangeRecord,
}

/// A stand-in catalogue of 25 records, which gives ten at a time at most.
#[derive(Clone)]
pub(crate) struct Catalogue {
    fault: Fault,
    records: Arc<Vec<String>>,
    pub(crate) namespace: &'static str,
}

impl Catalogue {
    pub(crate) fn new(fault: Fault) -> Self {
        let records = (1..=RECORDS).map(|number| record(&format!("r{number}"))).collect();
        Self { fault, records: Arc::new(records), namespace: "http://www.opengis.net/cat/csw/2.0.2" }
    }

    fn answer(&self, request: &Request) -> ResponseTemplate {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let query = request
            .url
            .query_pairs()
            .fold(String::new(), |all, (name, value)| format!("{all} {name}=\"{value}\""));
        let asked = if body.is_empty() { query } else { body };
        let number = |name: &str, default: usize| {
            let behind = asked.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
            behind.and_then(|text| text.parse().ok()).unwrap_or(default)
        };
        let xml = self.page(
            number("startPosition", 1),
            number("maxRecords", 10),
            asked.to_lowercase().contains("sortby"),
        );
        match xml {
            Ok(xml) => ResponseTemplate::new(200).set_body_raw(xml, "application/xml"),
            Err(status) => ResponseTemplate::new(status).set_body_string("no"),
        }
    }

    fn page(&self, start: usize, asked: usize, is_sorted: bool) -> Result<String, u16> {
        let fault = self.fault;
        if fault == Fault::RefusesAll
            || (fault == Fault::RefusesSorting && is_sorted)
            || (fault == Fault::ExceptionLater && start > 10)
        {
            return Ok(exception("NoApplicableCode", "the index is broken"));
        }
        if fault == Fault::NoResultsLater && start > 10 {
            return Ok(format!("<csw:GetRecordsResponse xmlns:csw='{}'/>", self.namespace));
        }
        let size = asked.min(if fault == Fault::FewerThanAsked { 7 } else { 10 });
        let first = if fault == Fault::IgnoresTheStart { 1 } else { start };
        let first = if fault == Fault::RepeatsOneOfEachPage && first > 1 { first - 1 } else { first };
        let range = (first - 1).min(RECORDS)..(first - 1 + size).min(RECORDS);
        if fault == Fault::FailsWithOneRecord && range.contains(&12) {
            return Err(500);
        }
        let mut records: String = self.records[range.clone()].concat();
        if fault == Fault::BreaksOneRecord {
            records = records.replace("Record r13</gco:CharacterString>", "Record r13 & more</gco:Character>");
        }
        if fault == Fault::StrangeRecord {
            records.push_str("<!-- a comment --><?an instruction?><gfc:FC_FeatureCatalogue xmlns:gfc='urn:x'><a/></gfc:FC_FeatureCatalogue>");
        }
        let total = match fault {
            Fault::TotalChanges if start > 1 => 24,
            Fault::AnnouncesMore => 30,
            _ => RECORDS,
        };
        let following = if range.end >= RECORDS { "0".to_owned() } else { (range.end + 1).to_string() };
        let next = match fault {
            Fault::Next("start") => format!(" nextRecord='{start}'"),
            Fault::Next(written) => format!(" nextRecord='{written}'"),
            Fault::NoNext => String::new(),
            _ => format!(" nextRecord='{following}'"),
        };
        let returned =
            if let Fault::Returned(written) = fault { written.to_owned() } else { range.len().to_string() };
        Ok(format!(
            "<?xml version='1.0'?><csw:GetRecordsResponse xmlns:csw='{}' xmlns:gmd='http://www.isotc211.org/2005/gmd' xmlns:gco='http://www.isotc211.org/2005/gco'>\
             <csw:SearchStatus timestamp='2026-01-01T00:00:00Z'/><csw:SearchResults numberOfRecordsMatched='{total}' numberOfRecordsReturned='{returned}'{next}>\
             <!-- a comment -->{records}</csw:SearchResults></csw:GetRecordsResponse>",
            self.namespace
        ))
    }

    pub(crate) fn capabilities(&self, version: &str, address: &str) -> String {
        let post = if self.fault == Fault::OnlyGet || version == "3.0.0" {
            String::new()
        } else {
            format!(
                "<ows:Post xlink:href='{address}/csw'><ows:Constraint name='PostEncoding'><ows:Value>XML</ows:Value></ows:Constraint></ows:Post>"
            )
        };
        format!(
            "<csw:Capabilities version='{version}' xmlns:csw='{}' xmlns:ows='http://www.opengis.net/ows' xmlns:xlink='http://www.w3.org/1999/xlink'>\
             <ows:OperationsMetadata><ows:Operation name='GetRecords'><ows:DCP><ows:HTTP><ows:Get xlink:href='{address}/csw'/>{post}</ows:HTTP></ows:DCP>\
             <ows:Parameter name='outputSchema'><ows:Value>http://www.opengis.net/cat/csw/2.0.2</ows:Value><ows:Value>http://www.isotc211.org/2005/gmd</ows:Value></ows:Parameter>\
             <ows:Parameter name='typeNames'><ows:Value>csw:Record</ows:Value><ows:Value>gmd:MD_Metadata</ows:Value></ows:Parameter>\
             </ows:Operation></ows:OperationsMetadata></csw:Capabilities>",
            self.namespace
        )
    }

    pub(crate) async fn serve(self, version: &str) -> MockServer {
        let server = MockServer::start().await;
        let capabilities = self.capabilities(version, &server.uri());
        Mock::given(method("GET"))
            .and(query_param("request", "GetCapabilities"))
            .respond_with(ResponseTemplate::new(200).set_body_raw(capabilities, "application/xml"))
            .with_priority(1)
            .mount(&server)
            .await;
        Mock::given(path("/csw")).respond_with(move |request: &Request| self.answer(request)).mount(&server).await;
        server
    }
}

pub(crate) fn exception(code: &str, words: &str) -> String {
    format!(
        "<ows:ExceptionReport xmlns:ows='http://www.opengis.net/ows' version='1.2.0'><ows:Exception exceptionCode='{code}'><ows:ExceptionText>{words}</ows:ExceptionText></ows:Exception></ows:ExceptionReport>"
    )
}
