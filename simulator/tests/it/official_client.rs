//! The vendor's own Rust client, unmodified.

use databento::{
    HistoricalClient, Symbols,
    historical::{
        metadata::{GetDatasetConditionParams, GetQueryParams, ListFieldsParams},
        symbology::ResolveParams,
        timeseries::GetRangeParams,
    },
};
use dbn::{Encoding, SType, Schema, SymbolIndex, TradeMsg, decode::DbnMetadata};
use simulator::{DEMO_KEY, Simulator};
use time::{Date, Month};

use crate::ask;

fn client(simulator: &Simulator) -> HistoricalClient {
    let url = simulator.url().parse().expect("a URL");
    // Built with the workspace, the client brings TLS along without a provider of its own.
    drop(tokio_rustls::rustls::crypto::ring::default_provider().install_default());
    HistoricalClient::builder()
        .key(DEMO_KEY)
        .expect("a key")
        .base_url(url)
        .build()
        .expect("a client")
}

fn date(month: Month, day: u8) -> Date {
    Date::from_calendar_date(2024, month, day).expect("a date")
}

#[tokio::test]
async fn metadata_is_understood() {
    let simulator = ask::small().await;
    let mut client = client(&simulator);
    let mut metadata = client.metadata();
    assert!(
        metadata
            .list_publishers()
            .await
            .expect("publishers")
            .iter()
            .any(|known| known.dataset == "GLBX.MDP3")
    );
    assert_eq!(
        metadata.list_datasets(None).await.expect("datasets"),
        ["GLBX.MDP3", "XNAS.ITCH"]
    );
    assert!(
        metadata
            .list_schemas("GLBX.MDP3")
            .await
            .expect("schemas")
            .contains(&Schema::Statistics)
    );
    let prices = metadata
        .list_unit_prices("GLBX.MDP3")
        .await
        .expect("prices");
    assert_eq!(prices.len(), 3);
    let fields = ListFieldsParams::builder()
        .encoding(Encoding::Dbn)
        .schema(Schema::Definition)
        .build();
    assert!(
        metadata
            .list_fields(&fields)
            .await
            .expect("fields")
            .iter()
            .any(|field| field.name == "raw_symbol")
    );
    let range = metadata
        .get_dataset_range("GLBX.MDP3")
        .await
        .expect("a range");
    assert_eq!(
        range.start.date(),
        Date::from_calendar_date(2010, Month::June, 6).expect("a date")
    );
    assert_eq!(range.end.date(), date(Month::July, 1));
}

#[tokio::test]
async fn conditions_cover_the_end_date_but_no_saturday() {
    let simulator = ask::small().await;
    let mut client = client(&simulator);
    let params = GetDatasetConditionParams::builder()
        .dataset("GLBX.MDP3")
        .date_range(date(Month::January, 5)..date(Month::January, 8))
        .build();
    let conditions = client
        .metadata()
        .get_dataset_condition(&params)
        .await
        .expect("conditions");
    let days: Vec<u8> = conditions
        .iter()
        .map(|condition| condition.date.day())
        .collect();
    assert_eq!(days, [5, 7, 8]);
}

#[tokio::test]
async fn the_quotes_agree_with_the_stream() {
    let simulator = ask::small().await;
    let mut client = client(&simulator);
    let days = date(Month::January, 4)..date(Month::January, 9);
    let query = GetQueryParams::builder()
        .dataset("GLBX.MDP3")
        .symbols("ES.c.0")
        .stype_in(SType::Continuous)
        .schema(Schema::Trades)
        .date_time_range(days.clone())
        .build();
    let records = client
        .metadata()
        .get_record_count(&query)
        .await
        .expect("a count");
    let bytes = client
        .metadata()
        .get_billable_size(&query)
        .await
        .expect("a size");
    let cost = client.metadata().get_cost(&query).await.expect("a cost");
    let params = GetRangeParams::builder()
        .dataset("GLBX.MDP3")
        .symbols("ES.c.0")
        .stype_in(SType::Continuous)
        .schema(Schema::Trades)
        .date_time_range(days)
        .build();
    let mut decoder = client
        .timeseries()
        .get_range(&params)
        .await
        .expect("a stream");
    let map = decoder.metadata().symbol_map().expect("mappings");
    let mut streamed = 0;
    while let Some(trade) = decoder.decode_record::<TradeMsg>().await.expect("a trade") {
        assert_eq!(map.get_for_rec(trade).map(String::as_str), Some("ES.c.0"));
        streamed += 1;
    }
    assert_eq!(streamed, records);
    assert_eq!(bytes, records * 48);
    assert!((cost - 28.0 * f64::from(u32::try_from(bytes).expect("few")) / 1e9).abs() < 1e-9);
    let billed: u64 = simulator
        .requests()
        .iter()
        .map(|request| request.bytes)
        .sum();
    assert_eq!(billed, bytes);
}

#[tokio::test]
async fn a_continuous_symbol_resolves_through_its_roll() {
    let simulator = ask::small().await;
    let mut client = client(&simulator);
    let params = ResolveParams::builder()
        .dataset("GLBX.MDP3")
        .symbols(Symbols::Symbols(vec![
            "ES.c.0".to_owned(),
            "ES.x.0".to_owned(),
        ]))
        .stype_in(SType::Continuous)
        .date_range(date(Month::March, 1)..date(Month::April, 1))
        .build();
    let resolution = client
        .symbology()
        .resolve(&params)
        .await
        .expect("a resolution");
    let windows = &resolution.mappings["ES.c.0"];
    assert_eq!(windows.len(), 2);
    assert_eq!(windows[0].end_date, date(Month::March, 16));
    assert_eq!(windows[1].start_date, date(Month::March, 16));
    assert_eq!(resolution.not_found, ["ES.x.0"]);
}

#[tokio::test]
async fn all_symbols_carry_no_mappings_but_resolve() {
    let simulator = ask::small().await;
    let mut client = client(&simulator);
    let params = GetRangeParams::builder()
        .dataset("XNAS.ITCH")
        .symbols(Symbols::All)
        .schema(Schema::Trades)
        .date_time_range(date(Month::January, 4))
        .build();
    let decoder = client
        .timeseries()
        .get_range(&params)
        .await
        .expect("a stream");
    assert!(decoder.metadata().mappings.is_empty());
    let resolution = client
        .symbology()
        .resolve(&ResolveParams::from(params))
        .await
        .expect("a resolution");
    assert!(resolution.mappings.contains_key("SPY"));
}

#[tokio::test]
async fn refusals_arrive_with_case_and_payload() {
    let simulator = ask::small().await;
    let mut client = client(&simulator);
    let params = GetRangeParams::builder()
        .dataset("GLBX.MDP3")
        .symbols("ESH4")
        .schema(Schema::Trades)
        .date_time_range(date(Month::June, 1)..date(Month::August, 1))
        .build();
    let Err(databento::Error::Api(error)) = client.timeseries().get_range(&params).await else {
        panic!("it must be refused");
    };
    assert_eq!(error.case.as_deref(), Some("data_end_after_available_end"));
    let payload = error.payload.expect("a payload");
    assert_eq!(payload["available_end"], "2024-07-01T00:00:00.000000000Z");
    assert!(error.request_id.is_some());
}
