//! `/dump/`: whole states of the catalogue as files, made once and sent in parts to whoever wants parts.

use super::answer::{Conditional, not_modified};
use super::problem::Problem;
use super::server::{Shared, State};
use crate::catalog::hex;
use crate::store::{Snapshot, StoreError};
use crate::triples::RdfWriter;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use flate2::write::GzEncoder;
use oxrdfio::RdfFormat;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use tower::ServiceExt;
use tower_http::services::ServeFile;

/// The forms of a dump: all graphs, and all statements as one graph.
const FORMS: [&str; 2] = ["catalog.nq.zst", "catalog.ttl.gz"];
/// Old dumps that stay, for those who are at them.
const KEPT: u64 = 2;

/// The dump of the newest state, with the address under which it stays (RFC 9110, 8.7).
pub(super) async fn newest(
    axum::extract::State(shared): State,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    form_of(&name)?;
    let number = shared.snapshot()?.number();
    let mut response = send(&shared, number, &name, request).await?;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(address) = HeaderValue::from_str(&format!("/dump/{number}/{name}")) {
        headers.insert(header::CONTENT_LOCATION, address);
    }
    Ok(response)
}

/// The dump of a state.
pub(super) async fn of_state(
    axum::extract::State(shared): State,
    Path((number, name)): Path<(u64, String)>,
    request: Request,
) -> Result<Response, Problem> {
    send(&shared, number, &name, request).await
}

/// A dump or its checksum, whole or in parts; made first where nobody asked for it before.
async fn send(shared: &Arc<Shared>, number: u64, name: &str, request: Request) -> Result<Response, Problem> {
    let form = form_of(name)?;
    let path = folder(shared, number).join(name);
    if !path.exists() {
        make(shared, number, form).await?;
    }
    let checksum = fs::read_to_string(folder(shared, number).join(format!("{form}.sha256"))).unwrap_or_default();
    let checksum = checksum.split_whitespace().next().unwrap_or_default().to_owned();
    let tag = format!("\"{checksum}\"");
    if name == form && Conditional::of(request.headers()).has(&tag) {
        return Ok(not_modified(tag));
    }
    let mut response = ServeFile::new(&path).oneshot(request).await.map(|response| response.map(Body::new))?;
    if !response.status().is_success() {
        return Ok(response);
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    if name == form
        && let Ok(tag) = HeaderValue::from_str(&tag)
    {
        headers.insert(header::ETAG, tag);
    }
    if name != form {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    Ok(response)
}

/// The form that a name is of: the file, or its checksum.
fn form_of(name: &str) -> Result<&'static str, Problem> {
    let form = name.strip_suffix(".sha256").unwrap_or(name);
    let found = FORMS.iter().find(|known| **known == form);
    found.copied().ok_or_else(|| Problem::not_found(format!("dumps are called {}", FORMS.join(" and "))))
}

fn folder(shared: &Shared, number: u64) -> PathBuf {
    shared.settings.folder.root().join("dumps").join(number.to_string())
}

/// Makes a dump, unless somebody did meanwhile.
async fn make(shared: &Arc<Shared>, number: u64, form: &'static str) -> Result<(), Problem> {
    // The work keeps it, though its client may go away.
    let alone = Arc::clone(&shared.dumping).lock_owned().await;
    let target = folder(shared, number);
    if target.join(form).exists() {
        return Ok(());
    }
    let snapshot = match shared.settings.folder.snapshot_numbered(number) {
        Ok(snapshot) => snapshot,
        Err(StoreError::NoSnapshot { .. }) => {
            let detail =
                format!("state {number} of the catalogue is not kept any more: the newest is /dump/{form}");
            return Err(Problem::new(StatusCode::GONE, "State not kept", detail));
        }
        Err(error) => return Err(error.into()),
    };
    let written = tokio::task::spawn_blocking(move || {
        let _alone = alone;
        write(&snapshot, &target, form)?;
        remove_old(&target, number);
        io::Result::Ok(())
    });
    Ok(written.await??)
}

fn write(snapshot: &Snapshot, target: &FilePath, form: &str) -> io::Result<()> {
    fs::create_dir_all(target)?;
    let file = tempfile::NamedTempFile::new_in(target)?;
    let mut summed = Summed { out: BufWriter::new(file), hash: Sha256::new() };
    if form == FORMS[0] {
        let encoder = zstd::Encoder::new(&mut summed, 3)?;
        write_all(snapshot, RdfFormat::NQuads, encoder)?.finish()?;
    } else {
        let encoder = GzEncoder::new(&mut summed, flate2::Compression::default());
        write_all(snapshot, RdfFormat::Turtle, encoder)?.finish()?;
    }
    summed.flush()?;
    let hash = hex(&summed.hash.finalize());
    // The checksum is there before the file is.
    fs::write(target.join(format!("{form}.sha256")), format!("{hash}  {form}\n"))?;
    let file = summed.out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(target.join(form)).map_err(|error| error.error)?;
    Ok(())
}

fn write_all<W: Write>(snapshot: &Snapshot, format: RdfFormat, out: W) -> io::Result<W> {
    let mut writer = RdfWriter::new(format, out);
    for quad in &snapshot.store {
        writer.write_quad(&quad.map_err(io::Error::other)?)?;
    }
    Ok(writer.finish()?.0)
}

/// Removes the dumps of states before the last few.
fn remove_old(target: &FilePath, newest: u64) {
    let Some(entries) = target.parent().and_then(|dumps| fs::read_dir(dumps).ok()) else { return };
    for entry in entries.flatten() {
        let number: Option<u64> = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if number.is_some_and(|number| number + KEPT < newest)
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %error, "an old dump stays");
        }
    }
}

/// What is written, with its checksum.
struct Summed<W> {
    out: W,
    hash: Sha256,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let written = self.out.write(part)?;
        self.hash.update(&part[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
