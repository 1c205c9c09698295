//! Content negotiation (RFC 9110, 12.5.1).

/// Picks the offered media type that an Accept header likes best; ties go to the earlier offer.
///
/// Without a header, or with one that does not parse, the first offer is given. `None` when the header
/// excludes every offer.
#[must_use]
pub fn best_match<'o>(accept: Option<&str>, offers: &[&'o str]) -> Option<&'o str> {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
        return offers.first().copied();
    };
    let ranges: Vec<Range<'_>> = accept.split(',').filter_map(Range::parse).collect();
    if ranges.is_empty() {
        return offers.first().copied();
    }
    let mut best: Option<(&str, f32)> = None;
    for offer in offers {
        let quality = quality(&ranges, offer);
        if quality > 0.0 && best.is_none_or(|(_, found)| quality > found) {
            best = Some((offer, quality));
        }
    }
    best.map(|(offer, _)| offer)
}

struct Range<'a> {
    main: &'a str,
    sub: &'a str,
    quality: f32,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';');
        let (main, sub) = parts.next()?.trim().split_once('/')?;
        let quality: f32 = parts
            .find_map(|parameter| parameter.trim().strip_prefix("q="))
            .map_or(1.0, |quality| quality.trim().parse().unwrap_or(0.0));
        Some(Self { main, sub, quality: quality.clamp(0.0, 1.0) })
    }

    /// How precisely the range names an offer; `None` when it does not.
    fn precision(&self, offer: &str) -> Option<u8> {
        let (main, sub) = offer.split_once('/')?;
        if self.main.eq_ignore_ascii_case(main) && self.sub.eq_ignore_ascii_case(sub) {
            Some(2)
        } else if self.main.eq_ignore_ascii_case(main) && self.sub == "*" {
            Some(1)
        } else {
            (self.main == "*" && self.sub == "*").then_some(0)
        }
    }
}

fn quality(ranges: &[Range<'_>], offer: &str) -> f32 {
    ranges
        .iter()
        .filter_map(|range| Some((range.precision(offer)?, range.quality)))
        .max_by(|(a, _), (b, _)| a.cmp(b))
        .map_or(0.0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_what_the_client_likes_best() {
        let offers = ["text/html", "text/turtle", "application/ld+json"];
        assert_eq!(best_match(None, &offers), Some("text/html"));
        assert_eq!(best_match(Some("*/*"), &offers), Some("text/html"));
        assert_eq!(best_match(Some("text/turtle"), &offers), Some("text/turtle"));
        assert_eq!(best_match(Some("text/html;q=0.5, application/ld+json"), &offers), Some("application/ld+json"));
        assert_eq!(best_match(Some("text/*;q=0.1, */*;q=0.9"), &offers), Some("application/ld+json"));
        assert_eq!(best_match(Some("text/html;q=0, text/*"), &offers), Some("text/turtle"));
        assert_eq!(best_match(Some("image/png"), &offers), None);
        assert_eq!(best_match(Some("nonsense"), &offers), Some("text/html"));
    }
}
