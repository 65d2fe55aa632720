//! Gathering: a folder's files and the lists beside them become deliveries.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use dbn::SType;

use super::batch::{Manifest, Query, pending_days};
use super::delivery::{Delivery, Found};
use super::error::FilesError;
use super::folder::Listing;
use super::header::DataFile;
use super::symbology::Symbology;
use crate::time::Nanos;

impl Found {
    /// Takes in one folder's files.
    ///
    /// # Errors
    /// [`FilesError::Refused`] when one of them can't be used.
    pub fn take(&mut self, root: &Path, listing: &Listing) -> Result<(), FilesError> {
        if listing.files.is_empty() && listing.beside("metadata.json").is_none() {
            return Ok(());
        }
        let manifest = Manifest::beside(listing)?;
        let symbology = Symbology::beside(listing)?;
        let mut files = Vec::with_capacity(listing.files.len());
        for path in &listing.files {
            let mut file = DataFile::read(root, path)?;
            let listed = manifest.as_ref();
            file.listed_sha256 = listed.and_then(|manifest| manifest.sha256(path));
            files.push(Arc::new(file));
        }
        let query = match &manifest {
            None => None,
            Some(manifest) => Query::beside(listing, manifest)?
                .filter(|_| manifest.is_all_dbn())
                .map(|query| (manifest, query)),
        };
        let asked = query.as_ref().map(|(_, query)| query.dataset.as_str());
        let about = match symbology {
            None => None,
            Some(symbology) => one_dataset(listing, asked, &files)?.zip(Some(symbology)),
        };
        let before = self.deliveries.len();
        let (of_batch, single): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| {
            let listed = query.as_ref();
            listed.is_some_and(|(manifest, _)| manifest.lists(&file.path))
        });
        if let Some((_, query)) = query {
            self.deliveries.push(batch(listing, query, of_batch)?);
        }
        self.deliveries.extend(single.into_iter().map(one_file));
        if let Some((dataset, symbology)) = about {
            for delivery in &mut self.deliveries[before..] {
                delivery.learn(&symbology);
            }
            self.symbologies.push((dataset, symbology));
        }
        Ok(())
    }
}

/// The dataset that the symbology beside files is about.
fn one_dataset(
    listing: &Listing,
    asked: Option<&str>,
    files: &[Arc<DataFile>],
) -> Result<Option<String>, FilesError> {
    let of_files = files.iter().map(|file| file.metadata.dataset.as_str());
    let mut datasets: Vec<_> = asked.into_iter().chain(of_files).collect();
    datasets.sort_unstable();
    datasets.dedup();
    if let [_, _, ..] = datasets[..] {
        let message = format!(
            "nothing says which of the datasets beside it the symbology is about: {}",
            datasets.join(", ")
        );
        let help = "give each batch download a folder of its own";
        let path = listing.folder.join("symbology.json");
        return Err(FilesError::refuse(&path, message, help));
    }
    Ok(datasets.first().map(|dataset| (*dataset).to_owned()))
}

fn one_file(file: Arc<DataFile>) -> Delivery {
    let problem = file
        .problem()
        .map(|(message, help)| (file.path.clone(), message, help));
    let mut delivery = Delivery {
        dataset: file.metadata.dataset.clone(),
        schema: file.schema,
        stype_in: file.stype_in().unwrap_or(SType::RawSymbol),
        symbols: file.symbols(),
        span: file.span(),
        pending: Vec::new(),
        path: file.path.clone(),
        files: vec![file],
        windows: BTreeMap::new(),
        problem,
    };
    delivery.read_windows();
    delivery
}

fn batch(
    listing: &Listing,
    query: Query,
    files: Vec<Arc<DataFile>>,
) -> Result<Delivery, FilesError> {
    for file in &files {
        fits(file, &query)?;
    }
    let of_file = |file: &Arc<DataFile>| {
        let (message, help) = file.problem()?;
        Some((file.path.clone(), message, help))
    };
    let limited = query.limited.then_some((
        listing.folder.join("metadata.json"),
        "the batch was asked for with a limit: what lies beyond it is not in it",
        "download the range again without `limit`, or move the folder elsewhere",
    ));
    let too_early = (query.span.end > Nanos::now()).then_some((
        listing.folder.join("metadata.json"),
        "the batch was asked for until a time that is yet to come: what follows is not in it",
        "download it again once the time is past, or move the folder elsewhere",
    ));
    let mut delivery = Delivery {
        dataset: query.dataset,
        schema: query.schema,
        stype_in: query.stype_in,
        symbols: query.symbols,
        span: query.span,
        pending: pending_days(listing)?,
        path: listing.folder.clone(),
        problem: limited
            .or(too_early)
            .or_else(|| files.iter().find_map(of_file)),
        files,
        windows: BTreeMap::new(),
    };
    delivery.read_windows();
    Ok(delivery)
}

/// A batch's file is of what the batch was asked for.
fn fits(file: &DataFile, query: &Query) -> Result<(), FilesError> {
    if file.metadata.dataset != query.dataset || file.schema != query.schema {
        let message = format!(
            "the file holds {} of {}, and metadata.json beside it speaks of {} of {}",
            file.schema, file.metadata.dataset, query.schema, query.dataset
        );
        let help = "give each batch download a folder of its own";
        return Err(FilesError::refuse(&file.path, message, help));
    }
    let (range, asked) = (file.span(), query.span);
    let within = asked.start <= range.start && range.end <= asked.end;
    if file.problem().is_some() || (within && file.stype_in() == Some(query.stype_in)) {
        return Ok(());
    }
    let message = format!(
        "the file's header speaks of {range} as {}, and metadata.json beside it of {asked} as {}",
        file.stype_in().map_or("nothing", |stype| stype.as_str()),
        query.stype_in.as_str(),
    );
    let help = "download the batch again, all of it, into a folder of its own";
    Err(FilesError::refuse(&file.path, message, help))
}
