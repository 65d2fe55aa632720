//! Where a job's records come from, as its file says it.

use common::request::JobSource;

use super::{JOB, refused, request};

#[test]
fn a_folder_of_files_is_a_source_by_its_absolute_path() {
    let job = format!("{JOB}source: files\nfolder: /downloads/one\n");
    let source = request(&job).source;
    assert_eq!(source, JobSource::Files("/downloads/one".into()));
    let ending = request(&format!("{JOB}source: files\nfolder: /downloads/./one/\n"));
    assert_eq!(ending.fingerprint(), request(&job).fingerprint());
    let relative = request(&format!("{JOB}source: files\nfolder: downloads\n"));
    match &relative.source {
        JobSource::Files(folder) => assert!(folder.is_absolute(), "{folder:?}"),
        JobSource::Vendor => panic!("taken for the vendor"),
    }
    assert_eq!(request(JOB).source, JobSource::Vendor);
    let written = request(&format!("{JOB}source: vendor\n"));
    assert_eq!(written, request(JOB));
}

#[test]
fn a_folder_is_named_with_files_and_with_them_alone() {
    let files = format!("{JOB}source: files\n");
    refused(&files, &["names no folder", ":11:9", "folder: downloads/"]);
    let files = format!("{JOB}source: files\nfolder: ''\n");
    refused(&files, &["names no folder", ":12:9"]);
    let folder = format!("{JOB}folder: downloads\n");
    refused(&folder, &["from the vendor", ":11:9", "source: files"]);
    let tapes = format!("{JOB}source: tapes\nfolder: downloads\n");
    refused(
        &tapes,
        &["unknown source \"tapes\"", ":11:9", "source: vendor"],
    );
}

#[test]
fn a_vendor_jobs_fingerprint_says_nothing_of_sources_and_a_file_jobs_does() {
    let vendors = request(JOB);
    assert!(vendors.spec().get("folder").is_none());
    assert!(vendors.spec().get("source").is_none());
    let files = request(&format!("{JOB}source: files\nfolder: /downloads/one\n"));
    let others = request(&format!("{JOB}source: files\nfolder: /downloads/two\n"));
    assert_ne!(files.fingerprint(), vendors.fingerprint());
    assert_ne!(files.fingerprint(), others.fingerprint());
}
