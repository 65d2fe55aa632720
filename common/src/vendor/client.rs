//! Requests to the vendor: metadata and symbology through its own client, data through ours.
//!
//! Data is streamed by our own request because the client hides the answer's headers and takes a
//! stream that was cut for a complete one.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use databento::HistoricalClient;
use databento::historical::DateRange;
use databento::historical::metadata::{DatasetRange, GetDatasetConditionParams};
use databento::historical::symbology::ResolveParams;
use dbn::{SType, Schema};
use reqwest::header::{ACCEPT, RETRY_AFTER};

use super::conditions::DayCondition;
use super::dates::{date, nanos};
use super::error::VendorError;
use super::limiter::{Class, Limiter, Limits, Permit, WAIT_MAX};
use super::range_request::RangeRequest;
use super::recent::{RecentConditions, RecentMeanings};
use super::resolution::{Resolution, SymbolWindow, parse_id};
use super::retry::RetryDelays;
use crate::configuration::document::Refusal;
use crate::configuration::settings::{ApiKey, Settings};
use crate::metrics::VENDOR_ANSWERS;
use crate::money::Usd;
use crate::request::SYMBOLS_PER_REQUEST_MAX;
use crate::time::{DayRange, Span};

/// Tries of a metadata or symbology request, which cost nothing.
const FREE_REQUEST_TRIES_MAX: u32 = 8;
/// Bytes of an error's body that are read.
const ERROR_BODY_BYTES_MAX: usize = 64 * 1024;
/// Where streams of records come from.
const GET_RANGE: &str = "timeseries.get_range";
/// Where the meaning of symbols comes from.
const RESOLVE: &str = "symbology.resolve";

/// The vendor's service, at its pace. Clones share the pace.
#[derive(Clone)]
pub struct Vendor {
    key: ApiKey,
    range_url: reqwest::Url,
    http: reqwest::Client,
    client: HistoricalClient,
    limiter: Limiter,
    retry: RetryDelays,
    pub(super) recent_conditions: RecentConditions,
    pub(super) recent_meanings: RecentMeanings,
}

impl fmt::Debug for Vendor {
    /// The address alone: the vendor's own client would show a part of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.range_url.as_str();
        f.debug_struct("Vendor")
            .field("range_url", &url)
            .finish_non_exhaustive()
    }
}

impl Vendor {
    /// A client by the settings, which has the vendor's limits for itself. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Refusal`] when the key or the address can't be used.
    pub fn new(settings: &Settings) -> Result<Self, Refusal> {
        Self::with_limiter(settings, Limiter::in_process(Limits::by(settings)))
    }

    /// A client by the settings that shares the vendor's limits with others.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_limiter(settings: &Settings, limiter: Limiter) -> Result<Self, Refusal> {
        let key = settings.require_api_key()?.clone();
        let bad_url = |message: String| {
            let help = "write for example https://hist.databento.com";
            Refusal::of("DATABENTO_URL", message, help)
        };
        let mut url = settings.databento_url.clone();
        if !url.ends_with('/') {
            url.push('/');
        }
        let url = reqwest::Url::parse(&url).map_err(|error| bad_url(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad_url(format!("{} is not a web address", url.scheme())));
        }
        let range_url = url
            .join(&format!("v0/{GET_RANGE}"))
            .map_err(|error| bad_url(error.to_string()))?;
        // Both answers are the same: whoever was first has installed the one provider there is.
        drop(rustls::crypto::ring::default_provider().install_default());
        let read_timeout = Duration::from_secs_f64(settings.read_timeout_seconds);
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("backhaul/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(Duration::from_secs(20).min(read_timeout))
                .read_timeout(read_timeout)
        };
        let http = builder()
            .build()
            .map_err(|error| bad_url(error.to_string()))?;
        let client = HistoricalClient::builder()
            .key(key.expose())
            .map_err(|_| bad_url("the client refuses the API key".to_owned()))?
            .base_url(url)
            .http_client_builder(builder())
            .build()
            .map_err(|error| bad_url(error.to_string()))?;
        Ok(Self {
            key,
            range_url,
            http,
            client,
            limiter,
            retry: RetryDelays::by(settings),
            recent_conditions: RecentConditions::default(),
            recent_meanings: RecentMeanings::default(),
        })
    }

    /// The datasets that the vendor has.
    ///
    /// # Errors
    /// [`VendorError`] after retries.
    pub async fn datasets(&self) -> Result<Vec<String>, VendorError> {
        let ask = |mut client: HistoricalClient| async move {
            client.metadata().list_datasets(None).await
        };
        self.metadata("metadata.list_datasets", ask).await
    }

    /// The schemas that the dataset has.
    ///
    /// # Errors
    /// [`VendorError`] after retries.
    pub async fn schemas(&self, dataset: &str) -> Result<Vec<Schema>, VendorError> {
        let dataset = dataset.to_owned();
        let ask = |mut client: HistoricalClient| {
            let dataset = dataset.clone();
            async move { client.metadata().list_schemas(dataset).await }
        };
        self.metadata("metadata.list_schemas", ask).await
    }

    /// From when until when the vendor has records of the schema.
    ///
    /// # Errors
    /// [`VendorError`] after retries.
    pub async fn available(&self, dataset: &str, schema: Schema) -> Result<Span, VendorError> {
        let dataset = dataset.to_owned();
        let ask = |mut client: HistoricalClient| {
            let dataset = dataset.clone();
            async move { client.metadata().get_dataset_range(dataset).await }
        };
        let range = self.metadata("metadata.get_dataset_range", ask).await?;
        Ok(available_of(&range, schema))
    }

    /// How many records the request would bring.
    ///
    /// # Errors
    /// [`VendorError`] after retries; [`VendorError::NoSession`] when no symbol resolves.
    pub async fn record_count(&self, request: &RangeRequest) -> Result<u64, VendorError> {
        let params = request.query()?;
        let ask = |mut client: HistoricalClient| {
            let params = params.clone();
            async move { client.metadata().get_record_count(&params).await }
        };
        self.metadata("metadata.get_record_count", ask).await
    }

    /// How many bytes the vendor would bill.
    ///
    /// # Errors
    /// As [`Self::record_count`].
    pub async fn billable_bytes(&self, request: &RangeRequest) -> Result<u64, VendorError> {
        let params = request.query()?;
        let ask = |mut client: HistoricalClient| {
            let params = params.clone();
            async move { client.metadata().get_billable_size(&params).await }
        };
        self.metadata("metadata.get_billable_size", ask).await
    }

    /// What the vendor would bill.
    ///
    /// # Errors
    /// As [`Self::record_count`].
    pub async fn cost(&self, request: &RangeRequest) -> Result<Usd, VendorError> {
        let params = request.query()?;
        let ask = |mut client: HistoricalClient| {
            let params = params.clone();
            async move { client.metadata().get_cost(&params).await }
        };
        let quote = self.metadata("metadata.get_cost", ask).await?;
        Usd::from_quote(quote)
            .ok_or_else(|| VendorError::Unreadable(format!("a cost of {quote} dollars")))
    }

    /// How good the vendor's data of each day is, of those given; days without a session may have
    /// no condition.
    ///
    /// # Errors
    /// [`VendorError`] after retries.
    pub async fn conditions(
        &self,
        dataset: &str,
        days: DayRange,
    ) -> Result<Vec<DayCondition>, VendorError> {
        // This one end date is inclusive.
        let range = DateRange::from((date(days.start()), date(days.end().plus(-1))));
        let params = GetDatasetConditionParams::builder()
            .dataset(dataset)
            .date_range(range)
            .build();
        let ask = |mut client: HistoricalClient| {
            let params = params.clone();
            async move { client.metadata().get_dataset_condition(&params).await }
        };
        let conditions = self.metadata("metadata.get_dataset_condition", ask).await?;
        let mut read: Vec<_> = conditions.iter().filter_map(DayCondition::read).collect();
        read.retain(|of| days.contains(of.day));
        Ok(read)
    }

    /// Which instruments the symbols mean over the days. Symbols that are instrument ids mean
    /// themselves; nothing is asked for them.
    ///
    /// # Errors
    /// [`VendorError`] after retries.
    pub async fn resolve(
        &self,
        dataset: &str,
        stype_in: SType,
        symbols: &[String],
        days: DayRange,
    ) -> Result<Resolution, VendorError> {
        let mut resolution = Resolution::default();
        if stype_in == SType::InstrumentId {
            for symbol in symbols {
                let instrument_id = parse_id(symbol)?;
                let window = SymbolWindow {
                    instrument_id,
                    days,
                };
                resolution.windows.insert(symbol.clone(), vec![window]);
            }
            return Ok(resolution);
        }
        // A parent is answered by its members' names: one a request, so that they are told apart.
        let parents = stype_in == SType::Parent;
        let most = if parents { 1 } else { SYMBOLS_PER_REQUEST_MAX };
        for group in symbols.chunks(most) {
            let params = ResolveParams::builder()
                .dataset(dataset)
                .symbols(group.to_vec())
                .stype_in(stype_in)
                .date_range(DateRange::from((date(days.start()), date(days.end()))))
                .build();
            let ask = |mut client: HistoricalClient| {
                let params = params.clone();
                async move { client.symbology().resolve(&params).await }
            };
            match self.retrying(Class::Symbology, RESOLVE, ask).await {
                Ok(answer) => resolution.take(answer, group.first().filter(|_| parents))?,
                // None of them means anything there.
                Err(VendorError::NoSession { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(resolution)
    }

    /// Opens a stream of records. It is tried once: what was sent is billed, so the caller decides.
    /// The stream is one of the vendor's connections until it is dropped.
    ///
    /// # Errors
    /// [`VendorError`]; a 429 holds back all requests for streams.
    pub async fn get_range(&self, request: &RangeRequest) -> Result<RangeStream, VendorError> {
        let permit = self.limiter.admit(Class::Timeseries).await;
        let symbols = request.symbols.to_string();
        let (start, end) = (
            request.span.start.0.to_string(),
            request.span.end.0.to_string(),
        );
        let form = [
            ("dataset", request.dataset.as_str()),
            ("schema", &request.schema),
            ("encoding", "dbn"),
            ("compression", "zstd"),
            ("stype_in", &request.stype_in),
            ("stype_out", "instrument_id"),
            ("symbols", &symbols),
            ("start", &start),
            ("end", &end),
        ];
        let sent = self
            .http
            .post(self.range_url.clone())
            .basic_auth(self.key.expose(), None::<&str>)
            .header(ACCEPT, "application/octet-stream")
            .form(&form)
            .send()
            .await;
        let status = sent
            .as_ref()
            .ok()
            .map(|response| response.status().as_u16());
        count_answer(GET_RANGE, status);
        let response = sent.map_err(|error| VendorError::Connection(error.without_url()))?;
        if response.status().is_success() {
            return Ok(RangeStream {
                response,
                _permit: permit,
            });
        }
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = error_body(response).await;
        drop(permit);
        let retry_after = retry_after
            .map(Duration::from_secs)
            .map(|wait| wait.min(WAIT_MAX));
        let error = VendorError::from_answer(status, retry_after, &body);
        let error = error.without(self.key.expose());
        if let VendorError::RateLimited { retry_after } = &error {
            let wait = retry_after.unwrap_or_else(|| self.retry.after(1));
            self.limiter.hold(Class::Timeseries, wait).await;
        }
        Err(error)
    }

    async fn metadata<T, F>(
        &self,
        endpoint: &'static str,
        ask: impl Fn(HistoricalClient) -> F,
    ) -> Result<T, VendorError>
    where
        F: Future<Output = databento::Result<T>>,
    {
        self.retrying(Class::Metadata, endpoint, ask).await
    }

    /// Asks what costs nothing until there is an answer, or an error that would come again.
    async fn retrying<T, F>(
        &self,
        class: Class,
        endpoint: &'static str,
        ask: impl Fn(HistoricalClient) -> F,
    ) -> Result<T, VendorError>
    where
        F: Future<Output = databento::Result<T>>,
    {
        let mut tries = 0;
        loop {
            let permit = self.limiter.admit(class).await;
            let answer = ask(self.client.clone()).await;
            drop(permit);
            count_answer(endpoint, status_of(&answer));
            let error = match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => VendorError::from(error).without(self.key.expose()),
            };
            tries += 1;
            let passing = match &error {
                VendorError::RateLimited { .. }
                | VendorError::Unavailable { .. }
                | VendorError::Connection(_) => true,
                VendorError::Unauthorized { .. }
                | VendorError::AccountHeld { .. }
                | VendorError::NotYet { .. }
                | VendorError::BeforeStart { .. }
                | VendorError::NoSession { .. }
                | VendorError::Refused { .. }
                | VendorError::Unreadable(_) => false,
            };
            if !passing || tries == FREE_REQUEST_TRIES_MAX {
                return Err(error);
            }
            let wait = self.retry.after(tries);
            tracing::debug!(tries, ?wait, %error, "a free request to the vendor is tried again");
            match error {
                VendorError::RateLimited { .. } => self.limiter.hold(class, wait).await,
                _ => tokio::time::sleep(wait).await,
            }
        }
    }
}

/// The HTTP status of an answer; `None` when there was none.
fn status_of<T>(answer: &databento::Result<T>) -> Option<u16> {
    match answer {
        Ok(_) => Some(200),
        Err(databento::Error::Api(api)) => Some(api.status_code.as_u16()),
        Err(databento::Error::Http(error)) => error.status().map(|status| status.as_u16()),
        // It answered, and not what can be understood.
        Err(_) => Some(200),
    }
}

fn count_answer(endpoint: &'static str, status: Option<u16>) {
    let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    VENDOR_ANSWERS.add(1, [endpoint.to_owned(), status]);
}

/// From when until when there are records of the schema, by the vendor's answer.
#[must_use]
pub fn available_of(range: &DatasetRange, schema: Schema) -> Span {
    let of_schema = range.range_by_schema.get(&schema);
    let (start, end) = of_schema.map_or((range.start, range.end), |of| (of.start, of.end));
    Span {
        start: nanos(start),
        end: nanos(end),
    }
}

/// An open stream of raw bytes, as the vendor compressed them.
#[derive(Debug)]
pub struct RangeStream {
    response: reqwest::Response,
    /// Given back after the response is closed.
    _permit: Permit,
}

impl RangeStream {
    /// The next bytes, or `None` when the HTTP body ended; that alone does not prove that the
    /// stream is complete.
    ///
    /// # Errors
    /// [`VendorError::Connection`] when the connection failed or stalled.
    pub async fn next(&mut self) -> Result<Option<Bytes>, VendorError> {
        let received = self.response.chunk().await;
        received.map_err(|error| VendorError::Connection(error.without_url()))
    }
}

/// The first part of an error's body; the rest of it, or of an endless one, tells nothing more.
async fn error_body(mut response: reqwest::Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        body.extend_from_slice(&piece);
        if body.len() >= ERROR_BODY_BYTES_MAX {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}
