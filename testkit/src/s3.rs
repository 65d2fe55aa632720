//! A bucket on localhost that speaks S3's protocol, as far as an archive needs it: PUT once or in parts,
//! GET from a byte on, HEAD, DELETE, and lists by pages. Everybody may do everything; it is in memory.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_NONE_MATCH, LAST_MODIFIED, RANGE,
};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

const BUCKET: &str = "archive";
/// Names on one page of a list: few, so that lists have pages.
const NAMES_PER_PAGE: usize = 3;
const MODIFIED: &str = "Thu, 04 Jan 2024 00:00:00 GMT";

/// A bucket. Dropped, it is gone.
#[derive(Debug)]
pub struct S3 {
    url: String,
    contents: Arc<Mutex<Contents>>,
    serving: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Contents {
    objects: BTreeMap<String, Bytes>,
    /// Parts by upload and number.
    uploads: BTreeMap<String, BTreeMap<u32, Bytes>>,
    requests: Vec<String>,
    /// Requests that are answered with an error before others are served.
    failing: usize,
}

impl S3 {
    /// A bucket on a free port.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("localhost has a free port");
        let address = listener.local_addr().expect("a bound socket has one");
        let contents = Arc::new(Mutex::new(Contents::default()));
        let router = Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&contents));
        let serving = tokio::spawn(async move {
            let served = axum::serve(listener, router).await;
            served.expect("the bucket is served until it is dropped");
        });
        Self {
            url: format!("http://{address}"),
            contents,
            serving,
        }
    }

    /// The server's address, as in `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.url
    }

    /// The address of an archive in the bucket, as in `ARCHIVE_URL`.
    #[must_use]
    pub fn archive_url(&self) -> String {
        format!("s3://{BUCKET}/some/where")
    }

    /// The objects, by their names in the bucket.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Bytes> {
        self.lock().objects.clone()
    }

    /// Puts an object into the bucket, past everybody.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        self.lock().objects.insert(name.to_owned(), bytes.into());
    }

    /// Uploads that were begun, and neither completed nor called off.
    #[must_use]
    pub fn uploads(&self) -> usize {
        self.lock().uploads.len()
    }

    /// The requests so far, as `METHOD /path?query`.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.lock().requests.clone()
    }

    /// Answers the next requests with an error of the server's.
    pub fn fail_next(&self, requests: usize) {
        self.lock().failing = requests;
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().expect("no test fails in here")
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    State(contents): State<Arc<Mutex<Contents>>>,
    method: Method,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut contents = contents.lock().expect("no request fails in here");
    contents.requests.push(format!("{method} {uri}"));
    if contents.failing > 0 {
        contents.failing -= 1;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let name = uri.path().trim_start_matches('/');
    let name = name.strip_prefix(BUCKET).unwrap_or_default();
    let name = name.trim_start_matches('/').to_owned();
    let upload = query.get("uploadId").cloned();
    match (&method, upload) {
        (&Method::GET, None) if name.is_empty() => contents.list(&query),
        (&Method::GET | &Method::HEAD, None) => contents.get(&name, &headers),
        (&Method::PUT, None) => contents.put(name, body, headers.contains_key(IF_NONE_MATCH)),
        (&Method::DELETE, None) => {
            contents.objects.remove(&name);
            StatusCode::NO_CONTENT.into_response()
        }
        (&Method::POST, None) if query.contains_key("uploads") => {
            let id = format!("upload-{}", contents.requests.len());
            let text = format!(
                "<InitiateMultipartUploadResult><UploadId>{id}</UploadId>\
                 </InitiateMultipartUploadResult>"
            );
            contents.uploads.insert(id, BTreeMap::new());
            text.into_response()
        }
        (&Method::PUT, Some(id)) => {
            let number = query.get("partNumber").and_then(|part| part.parse().ok());
            match (contents.uploads.get_mut(&id), number) {
                (Some(parts), Some(number)) => {
                    parts.insert(number, body);
                    [(ETAG, format!("\"part-{number}\""))].into_response()
                }
                _ => StatusCode::NOT_FOUND.into_response(),
            }
        }
        (&Method::POST, Some(id)) => contents.complete(name, &id),
        (&Method::DELETE, Some(id)) => {
            contents.uploads.remove(&id);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

impl Contents {
    fn get(&self, name: &str, headers: &HeaderMap) -> Response {
        let Some(object) = self.objects.get(name) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let all = [
            (ETAG, "\"object\"".to_owned()),
            (LAST_MODIFIED, MODIFIED.to_owned()),
        ];
        let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
        let from = range.and_then(|range| {
            let range = range.strip_prefix("bytes=")?;
            range.split('-').next()?.parse::<usize>().ok()
        });
        match from {
            Some(from) if from < object.len() => {
                let range = format!("bytes {from}-{}/{}", object.len() - 1, object.len());
                let rest = object.slice(from..);
                let length = [(CONTENT_LENGTH, rest.len().to_string())];
                let range = [(CONTENT_RANGE, range)];
                (StatusCode::PARTIAL_CONTENT, all, length, range, rest).into_response()
            }
            _ => {
                let length = [(CONTENT_LENGTH, object.len().to_string())];
                (all, length, object.clone()).into_response()
            }
        }
    }

    fn put(&mut self, name: String, body: Bytes, once: bool) -> Response {
        if once && self.objects.contains_key(&name) {
            return StatusCode::PRECONDITION_FAILED.into_response();
        }
        self.objects.insert(name, body);
        [(ETAG, "\"object\"")].into_response()
    }

    fn complete(&mut self, name: String, id: &str) -> Response {
        let Some(parts) = self.uploads.remove(id) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let whole: Vec<u8> = parts.into_values().flatten().collect();
        self.objects.insert(name, whole.into());
        "<CompleteMultipartUploadResult><ETag>\"object\"</ETag></CompleteMultipartUploadResult>"
            .into_response()
    }

    fn list(&self, query: &BTreeMap<String, String>) -> Response {
        let value = |name: &str| query.get(name).map_or("", String::as_str);
        let after = value("start-after").max(value("continuation-token"));
        let found = self
            .objects
            .iter()
            .filter(|(name, _)| name.starts_with(value("prefix")) && name.as_str() > after);
        let found: Vec<_> = found.collect();
        let mut text = "<ListBucketResult>".to_owned();
        for (name, object) in found.iter().take(NAMES_PER_PAGE) {
            let _infallible = write!(
                text,
                "<Contents><Key>{name}</Key><LastModified>2024-01-04T00:00:00.000Z</LastModified>\
                 <ETag>\"object\"</ETag><Size>{}</Size></Contents>",
                object.len()
            );
        }
        if let (Some((last, _)), true) =
            (found.get(NAMES_PER_PAGE - 1), found.len() > NAMES_PER_PAGE)
        {
            let _infallible = write!(
                text,
                "<NextContinuationToken>{last}</NextContinuationToken>"
            );
        }
        text.push_str("</ListBucketResult>");
        text.into_response()
    }
}
