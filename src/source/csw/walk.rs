//! Walking the pages of a catalogue service, whatever it says of where the next one begins.

use super::contents::{Contents, first_element};
use super::document::{PageRead, Reading};
use super::request::Asking;
use crate::catalog::with_causes;
use crate::fetch::FetchError;
use crate::source::crawl::{Crawl, SourceError, page_name};
use crate::source::json::interface_error;
use crate::source::json_pages::is_an_answer;
use crate::source::records::PortionSink;
use url::Url;

/// Records to ask for at a time, where a service cannot give so many as it should.
const FEWER: [u64; 3] = [25, 5, 1];
/// Failures in a row after which the service is given up.
const FAILURES: u32 = 3;

/// What a walk knows of the pages before.
#[derive(Debug, Default)]
struct Walk {
    /// Records that the service says it has: at first, and now.
    announced: Option<(u64, u64)>,
    /// Records that came, whatever became of them.
    given: u64,
    failures: u32,
    /// How often fewer were asked for.
    fewer: usize,
    /// The end of the page that failed; where one record was to blame, as many as before are asked for behind it.
    failed_until: u64,
    full_from: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Next(u64),
    End,
}

impl Crawl<'_> {
    /// Walks the records of a service to the end. Fails only when its first page does.
    pub(super) fn records(
        &mut self,
        asking: &Asking,
        endpoint: &Url,
        sink: &mut PortionSink<'_>,
    ) -> Result<(), SourceError> {
        let AcceptedWay { asking, mut first, mut walk } = self.accepted(asking, endpoint)?;
        let mut reading = Reading::of_service(&asking);
        let mut start = 1;
        loop {
            let size = walk.size(start, asking.most);
            let url = asking.name(start, size);
            if self.is_at_its_limit(&url) {
                return Ok(());
            }
            let content = first.take().map_or_else(|| self.page_of(&asking, start, size), Ok);
            let step = match content {
                Ok(content) => {
                    let known = reading.known();
                    let read = self.read_page(&url, &content, &mut reading, sink);
                    self.outcome.pages += 1;
                    let is_new = reading.known() > known || read.broken > 0;
                    self.after(&asking, &mut walk, (start, size), &read, is_new)
                }
                Err(error) => self.past_a_failure(&asking, &mut walk, (start, size), &error),
            };
            match step {
                Step::Next(next) => start = next,
                Step::End => break,
            }
        }
        self.compare(&asking, &walk, &reading);
        Ok(())
    }

    /// Finds a way of asking that the service accepts: at the address that its capabilities name, then at its own, since
    /// capabilities written behind a proxy name addresses of the inside.
    fn accepted(&mut self, asking: &Asking, endpoint: &Url) -> Result<AcceptedWay, SourceError> {
        let refused = match self.accepted_there(asking) {
            Ok(accepted) => return Ok(accepted),
            Err(error) => error,
        };
        let Some(own) = asking.at_its_own_address(endpoint) else { return Err(refused) };
        // What the named address answered is the better word where neither gives records.
        let accepted = self.accepted_there(&own).map_err(|_| refused)?;
        let (named, own) = (asking.address(), own.address());
        self.outcome.notes.push(format!(
            "the capabilities name {named}, which gives no records: {own}, which told the capabilities, was asked instead"
        ));
        Ok(accepted)
    }

    /// Asks for the first page in ways that get simpler, until the service accepts one.
    fn accepted_there(&mut self, asking: &Asking) -> Result<AcceptedWay, SourceError> {
        let mut refused = match self.page_of(asking, 1, asking.most) {
            Ok(content) => return Ok(AcceptedWay::with_its_first_page(asking.clone(), content)),
            Err(error) if !is_an_answer(&error) => return Err(error),
            Err(error) => error,
        };
        for way in asking.other_ways() {
            match self.page_of(&way, 1, way.most) {
                Ok(content) => {
                    self.note_disorder(&way);
                    return Ok(AcceptedWay::with_its_first_page(way, content));
                }
                Err(error) if is_an_answer(&error) => {}
                Err(error) => refused = error,
            }
        }
        self.accepted_record_by_record(asking).ok_or(refused)
    }

    /// One record of the first page may be what the service cannot give: whether it gives one of the first few alone.
    fn accepted_record_by_record(&mut self, asking: &Asking) -> Option<AcceptedWay> {
        let ways = [asking.clone(), asking.without_order()];
        let (way, content) = ways.into_iter().find_map(|way| {
            let content = (1..=u64::from(FAILURES)).find_map(|start| self.page_of(&way, start, 1).ok())?;
            Some((way, content))
        })?;
        self.note_disorder(&way);
        let announced = records_matched(&content).map(|matched| (matched, matched));
        let walk = Walk { announced, fewer: 1, failed_until: 1 + way.most, ..Walk::default() };
        Some(AcceptedWay { asking: way, first: None, walk })
    }

    fn note_disorder(&mut self, way: &Asking) {
        if way.sort.is_none() {
            let message = "the catalogue refuses to sort its records: pages may repeat or lose some";
            self.outcome.notes.push(message.to_owned());
        }
    }

    fn page_of(&self, asking: &Asking, start: u64, size: u64) -> Result<String, SourceError> {
        let (url, document) = asking.page(start, size);
        let (_, content) = self.xml(&url, document.as_deref())?;
        let refused = |message: &str| Err(interface_error(&page_name(&asking.name(start, size)), message));
        match first_element(&content) {
            Contents::Records => Ok(content),
            Contents::Exception(message) => refused(&message),
            Contents::Page => refused("a web page came in place of records"),
            Contents::Capabilities(_) => refused("the service tells what it can do, and was asked for records"),
            Contents::Other(found) => refused(&format!("no records came, but {found}")),
        }
    }

    /// Where to go on after a page.
    fn after(
        &mut self,
        asking: &Asking,
        walk: &mut Walk,
        (start, size): (u64, u64),
        read: &PageRead,
        is_new: bool,
    ) -> Step {
        walk.failures = 0;
        walk.given += read.given + read.broken;
        let url = asking.name(start, size);
        let number = |name: &str| {
            read.results.as_ref().and_then(|results| results.attribute(name)?.trim().parse::<u64>().ok())
        };
        if read.results.is_none() {
            self.fail(&url, None, "the answer has no SearchResults: reading ends here".to_owned());
            return Step::End;
        }
        if let Some(matched) = number("numberOfRecordsMatched") {
            walk.announced = Some((walk.announced.map_or(matched, |(first, _)| first), matched));
        }
        if read.appetite_lost {
            self.outcome.complete = false;
            walk.announced = None;
            return Step::End;
        }
        let came = read.given + read.broken;
        let all = walk.announced.map(|(_, now)| now);
        if came == 0 {
            return Step::End;
        }
        if !is_new && start > 1 && all.is_none_or(|all| start + came <= all) {
            self.fail(
                &url,
                None,
                "this page holds the records of those before it: the catalogue does not heed where a page begins"
                    .to_owned(),
            );
            return Step::End;
        }
        // What the service says of the next page is believed where nothing can be lost by it: servers say 0, the
        // same page again, or a position beyond records that never came. What comes twice is known.
        let stated = number("nextRecord").filter(|next| *next > start);
        let next = stated.unwrap_or(u64::MAX).min(start + came);
        match all {
            Some(all) if next > all => Step::End,
            None if number("nextRecord") == Some(0) => Step::End,
            _ => Step::Next(next),
        }
    }

    /// Asks for fewer records where a page fails, and goes on behind the one record that cannot be had.
    fn past_a_failure(
        &mut self,
        asking: &Asking,
        walk: &mut Walk,
        (start, size): (u64, u64),
        error: &SourceError,
    ) -> Step {
        let all = walk.announced.map(|(_, now)| now);
        if size > 1 && may_be_of_one_record(error) {
            walk.failed_until = walk.failed_until.max(start + size);
            walk.fewer = FEWER.iter().position(|fewer| *fewer < size).map_or(walk.fewer, |position| position + 1);
            return Step::Next(start);
        }
        self.fail(&asking.name(start, size), None, with_causes(error));
        self.outcome.unread += 1;
        walk.failures += 1;
        walk.full_from = Some(walk.failed_until);
        if walk.failures == FAILURES || all.is_none_or(|all| start + size > all) {
            Step::End
        } else {
            Step::Next(start + size)
        }
    }

    /// Compares what the service announced with what came: a difference that nothing explains leaves the crawl
    /// incomplete.
    fn compare(&mut self, asking: &Asking, walk: &Walk, reading: &Reading<'_>) {
        let Some((at_first, announced)) = walk.announced else { return };
        let url = asking.name(1, asking.most);
        if at_first != announced {
            self.fail(
                &url,
                None,
                format!("the catalogue had {at_first} records when reading began and {announced} when it ended: some may be missing"),
            );
        }
        let came = walk.given.saturating_sub(reading.repeated);
        if came < announced {
            let again = match reading.repeated {
                0 => String::new(),
                repeated => format!(", and {repeated} of them again"),
            };
            self.fail(&url, None, format!("the catalogue announces {announced} records and gave {came}{again}"));
        }
    }
}

/// A way of asking that a service accepts.
struct AcceptedWay {
    asking: Asking,
    /// The first page, where it came.
    first: Option<String>,
    walk: Walk,
}

impl AcceptedWay {
    fn with_its_first_page(asking: Asking, content: String) -> Self {
        Self { asking, first: Some(content), walk: Walk::default() }
    }
}

/// How many records a service says that it has.
fn records_matched(content: &str) -> Option<u64> {
    let behind = content.split_once("numberOfRecordsMatched")?.1;
    let number = behind.trim_start().strip_prefix('=')?.trim_start();
    number.trim_start_matches(['"', '\'']).split(['"', '\'']).next()?.trim().parse().ok()
}

impl Walk {
    fn size(&mut self, start: u64, most: u64) -> u64 {
        if self.full_from.is_some_and(|from| start >= from) {
            (self.fewer, self.full_from) = (0, None);
        }
        match self.fewer {
            0 => most,
            step => FEWER[step - 1].min(most),
        }
    }
}

/// Whether an error may be due to one record of a page, or to the size of the page.
fn may_be_of_one_record(error: &SourceError) -> bool {
    match error {
        SourceError::Fetch(FetchError::Status { status, .. }) => {
            *status >= 500 || *status == 413 || *status == 400
        }
        SourceError::Interface { .. }
        | SourceError::Lift(_)
        | SourceError::Fetch(FetchError::Timeout { .. } | FetchError::TooLong { .. } | FetchError::Empty { .. }) => {
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_records_is_read_from_any_page() {
        let page = "<csw:SearchResults nextRecord='0' numberOfRecordsMatched = '12'/>";
        assert_eq!((records_matched(page), records_matched("<a/>")), (Some(12), None));
    }

    #[test]
    fn one_bad_record_does_not_make_the_rest_come_one_by_one() {
        let mut walk = Walk { fewer: 3, failed_until: 101, full_from: Some(101), ..Walk::default() };
        assert_eq!((walk.size(57, 100), walk.size(101, 100), walk.size(201, 100)), (1, 100, 100));
        // A service that bears no more is asked for no more.
        let mut walk = Walk { fewer: 1, failed_until: 101, ..Walk::default() };
        assert_eq!((walk.size(76, 100), walk.size(101, 100)), (25, 25));
    }
}
