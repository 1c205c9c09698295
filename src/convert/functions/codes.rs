//! Codes and names of the alias tables: frequencies, themes, licences, formats, checksums, languages.

use super::{interval, local_name};
use crate::convert::tables::{FORMATS, FREQUENCIES, LANGUAGES, LICENCE_ALIASES, LICENCE_READINGS, THEME_LABELS};
use oxrdf::{Literal, Term};
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;

pub(super) fn frequency(written: &str) -> Option<&'static str> {
    let lower = written.trim().to_lowercase();
    let by_name = || FREQUENCIES.get(local_name(&lower));
    FREQUENCIES.get(lower.as_str()).or_else(by_name).copied().or_else(|| interval::frequency(&lower))
}

/// Finds a licence by its address or name, alone or within a sentence or HTML.
pub(super) fn licence(written: &str) -> Option<&'static str> {
    static ADDRESS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"https?://[^\s<>"'()]+"#).expect("a static expression"));
    let whole = normal_licence(written);
    if let Some(id) = LICENCE_ALIASES.get(whole.as_str()) {
        return Some(id);
    }
    ADDRESS
        .find_iter(written)
        .find_map(|address| LICENCE_ALIASES.get(normal_licence(address.as_str()).as_str()).copied())
}

/// The addresses of the versions that a licence's name leaves open.
pub(super) fn licence_readings(written: &str) -> Option<String> {
    let [former, latest] = LICENCE_READINGS.get(normal_licence(written).as_str())?;
    Some(format!("{former} or {latest}"))
}

pub(super) fn normal_licence(written: &str) -> String {
    let lower = written.trim().to_lowercase();
    let bare = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")).unwrap_or(&lower);
    bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches(['/', '.']).to_owned()
}

pub(super) fn media_type(written: &str) -> Option<String> {
    let lower = written.trim().to_lowercase();
    let bare = short_media_type(&lower);
    static MEDIA_TYPE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^(application|audio|font|image|message|model|multipart|text|video)/[a-z0-9][a-z0-9!#$&^_.+-]*$",
        )
        .expect("a static expression")
    });
    if MEDIA_TYPE.is_match(&bare) {
        return Some(bare);
    }
    FORMATS.get(bare.as_str()).map(|row| row.media_type.to_owned()).filter(|found| !found.is_empty())
}

/// The media type that was meant by one that is none: with a letter too many or too few, or two the other way round,
/// beside one that the table of formats has. Another letter may make another type: `text/css` is not `text/csv`.
pub(super) fn media_type_meant(written: &str) -> Option<&'static str> {
    let bare = short_media_type(written);
    bare.contains('/').then_some(())?;
    let known: BTreeSet<&'static str> =
        FORMATS.values().map(|row| row.media_type).filter(|known| !known.is_empty()).collect();
    if known.contains(bare.as_str()) || FORMATS.contains_key(bare.as_str()) {
        return None;
    }
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    let is_slip = |known: &str| {
        let is_other_letter = known.len() == bare.len() && sorted(known) != sorted(&bare);
        !is_other_letter && strsim::osa_distance(known, &bare) == 1
    };
    known.into_iter().find(|known| is_slip(known))
}

pub(super) fn file_type(written: &str) -> Option<&'static str> {
    let lower = written.trim().trim_start_matches('.').to_lowercase();
    let bare = short_media_type(&lower);
    FORMATS.get(bare.as_str()).or_else(|| FORMATS.get(local_name(&bare))).map(|row| row.file_type)
}

/// The short name of a format, as records have it: `csv`, `geojson`, `wms`.
pub(super) fn short_format(written: &str) -> String {
    match file_type(written) {
        Some(code) => code.trim_end_matches("_SRVC").to_lowercase().replace("rdf_", "rdf-").replace('_', "-"),
        None => local_name(written.trim()).to_lowercase(),
    }
}

/// A media type without the IANA registry's address.
pub(super) fn short_media_type(written: &str) -> String {
    let lower = written.trim().to_lowercase();
    match lower.split_once("iana.org/assignments/media-types/") {
        Some((_, media_type)) => media_type.trim_end_matches('/').to_owned(),
        None => lower,
    }
}

pub(super) fn checksum_type(written: &str) -> Option<&'static str> {
    let lower = local_name(written).to_lowercase().replace(['-', '_'], "");
    ["md5", "sha1", "sha256", "sha384", "sha512"].into_iter().find(|name| lower.ends_with(name))
}

/// The rank of a text's language, below 1000: the preferred ones in their order, then none, then the others
/// by the alphabet.
pub(super) fn language_rank(tag: &str, preferred: &[String]) -> i64 {
    let tag = tag.split('-').next().unwrap_or_default();
    if let Some(position) = preferred.iter().take(100).position(|language| language == tag) {
        return i64::try_from(position).unwrap_or(99);
    }
    let mut letters = tag.bytes().map(|byte| i64::from(byte.saturating_sub(b'a').min(25)));
    match (letters.next(), letters.next()) {
        (None, _) => 100,
        (Some(first), second) => 101 + first * 26 + second.unwrap_or(0),
    }
}

/// The EU authority table's code of a language: the terminological one of ISO 639-2, in capitals.
pub(super) fn language_code(named: &str) -> Option<String> {
    /// The bibliographic codes, which the table does not have.
    const BIBLIOGRAPHIC: [&str; 20] = [
        "alb", "arm", "baq", "bur", "chi", "cze", "dut", "fre", "geo", "ger", "gre", "ice", "mac", "mao", "may",
        "per", "rum", "slo", "tib", "wel",
    ];
    let tag = language_tag(named)?;
    let codes = LANGUAGES.iter().filter(|(code, known)| code.len() == 3 && **known == tag);
    let code = codes.map(|(code, _)| *code).filter(|code| !BIBLIOGRAPHIC.contains(code)).min()?;
    Some(code.to_uppercase())
}

/// The label of a theme of the EU in English or French.
pub(super) fn theme_label(theme: &str, language: &str) -> Option<Term> {
    let [en, fr] = THEME_LABELS.get(local_name(theme))?;
    let label = match language {
        "en" => en,
        "fr" => fr,
        _ => return None,
    };
    Some(Literal::new_language_tagged_literal_unchecked(*label, language).into())
}

/// The tag of a language that is named by a code, or by an IRI that ends in one.
pub(crate) fn language_tag(named: &str) -> Option<String> {
    let code = local_name(named).trim().to_lowercase();
    let is_tag = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_lowercase());
    if is_tag { Some(code) } else { LANGUAGES.get(code.as_str()).map(|tag| (*tag).to_owned()) }
}
