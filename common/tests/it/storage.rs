//! Storage: the contract of the places where archives are, kept by each of them.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

use std::io::{ErrorKind, Read};

use common::archive::Archive;
use common::archive::storage::Storage;
use testkit::sandbox::Sandbox;

/// More than a part of an upload has.
const LONG: usize = 20_000_000;

fn in_a_folder(story: fn(&dyn Storage)) {
    let sandbox = Sandbox::new();
    let url = format!("file://{}", sandbox.path().join("archive").display());
    let archive = Archive::open(&url, "the vendor").expect("a folder can be an archive");
    story(archive.objects().storage());
}

macro_rules! in_every_place {
    ($($story:ident)*) => {
        mod of_a_folder {
            $(
                #[test]
                fn $story() {
                    super::in_a_folder(super::$story);
                }
            )*
        }

        #[cfg(feature = "s3")]
        mod of_a_bucket {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    super::bucket::in_a_bucket(super::$story).await;
                }
            )*
        }
    };
}

in_every_place! {
    an_object_is_there_once_it_is_finished_and_as_it_was_written
    an_object_that_is_dropped_was_never_there
    an_object_is_written_once
    a_document_is_replaced_whole
    what_is_not_there_can_be_deleted_and_not_opened
    names_are_listed_by_what_they_begin_with_and_all_are_walked
    a_place_can_be_checked_and_leaves_nothing
}

fn bytes(length: usize) -> Vec<u8> {
    let numbers = (0..u32::MAX).map(|number| number.wrapping_mul(2_654_435_761));
    let mut bytes: Vec<u8> = numbers
        .take(length / 4 + 1)
        .flat_map(u32::to_le_bytes)
        .collect();
    bytes.truncate(length);
    bytes
}

fn write(storage: &dyn Storage, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut writing = storage.begin(name)?;
    for piece in bytes.chunks(100_000) {
        writing.write_all(piece)?;
    }
    writing.finish()
}

fn read(storage: &dyn Storage, name: &str) -> Vec<u8> {
    let mut read = Vec::new();
    let mut object = storage.open(name).unwrap();
    object.read_to_end(&mut read).unwrap();
    read
}

fn names(storage: &dyn Storage, prefix: &str) -> Vec<String> {
    let stored = storage.list(prefix).unwrap();
    stored.into_iter().map(|stored| stored.name).collect()
}

fn an_object_is_there_once_it_is_finished_and_as_it_was_written(storage: &dyn Storage) {
    for length in [0, 1, 8 * 1024 * 1024, LONG] {
        let (name, content) = (format!("A/b/{length}.dbn.zst"), bytes(length));
        let mut writing = storage.begin(&name).unwrap();
        writing.write_all(&content).unwrap();
        assert_eq!(
            storage.open(&name).err().unwrap().kind(),
            ErrorKind::NotFound
        );
        assert_eq!(names(storage, &name), [""; 0]);
        writing.finish().unwrap();
        assert!(read(storage, &name) == content, "{length}");
        let stored = storage.list(&name).unwrap();
        assert_eq!(stored[0].bytes, length as u64);
    }
}

fn an_object_that_is_dropped_was_never_there(storage: &dyn Storage) {
    let mut writing = storage.begin("A/dropped").unwrap();
    writing.write_all(&bytes(LONG)).unwrap();
    drop(writing);
    assert_eq!(names(storage, "A/"), [""; 0]);
}

fn an_object_is_written_once(storage: &dyn Storage) {
    for length in [10, LONG] {
        let name = format!("A/{length}");
        write(storage, &name, b"the first").unwrap();
        let refused = write(storage, &name, &bytes(length)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists, "{refused}");
        assert_eq!(read(storage, &name), b"the first");
    }
}

fn a_document_is_replaced_whole(storage: &dyn Storage) {
    storage
        .put("A/document.json", b"the first, longer one")
        .unwrap();
    storage.put("A/document.json", b"the second").unwrap();
    assert_eq!(read(storage, "A/document.json"), b"the second");
}

fn what_is_not_there_can_be_deleted_and_not_opened(storage: &dyn Storage) {
    storage.put("A/document", b"text").unwrap();
    for _ in 0..2 {
        storage.delete("A/document").unwrap();
        let kind = storage.open("A/document").err().unwrap().kind();
        assert_eq!(kind, ErrorKind::NotFound);
    }
}

fn names_are_listed_by_what_they_begin_with_and_all_are_walked(storage: &dyn Storage) {
    let mut all = Vec::new();
    for name in ["A/b/one", "A/b/one.2", "A/b/onex/deep", "A/c/one", "root"] {
        storage.put(name, b"text").unwrap();
        all.push(name.to_owned());
    }
    for number in 10..30 {
        let name = format!("A/b/many.{number}.json");
        storage.put(&name, &bytes(number)).unwrap();
        all.push(name);
    }
    assert_eq!(names(storage, "A/b/one."), ["A/b/one.2"]);
    assert_eq!(names(storage, "A/b/many.").len(), 20);
    assert_eq!(names(storage, "A/b/many.1").len(), 10);
    assert_eq!(names(storage, "nothing/there"), [""; 0]);
    let mut walked = Vec::new();
    let mut each = |stored: common::archive::storage::Stored| {
        walked.push(stored.name);
        Ok(())
    };
    storage.walk(&mut each).unwrap();
    walked.sort();
    all.sort();
    assert_eq!(walked, all);
    let stopped = storage.walk(&mut |_| Err(ErrorKind::Other.into()));
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Other);
}

fn a_place_can_be_checked_and_leaves_nothing(storage: &dyn Storage) {
    storage.check().unwrap();
    let mut found = 0;
    let mut each = |_| {
        found += 1;
        Ok(())
    };
    storage.walk(&mut each).unwrap();
    assert_eq!(found, 0);
}

#[cfg(feature = "s3")]
mod bucket {
    use common::archive::s3::Bucket;
    use common::configuration::settings::environment::BUCKET;
    use object_store::aws::AmazonS3ConfigKey;
    use testkit::s3::S3;

    use super::*;

    const KEYS: (&str, &str) = ("AKIATESTONLY", "a-secret-that-nobody-reads");

    fn open(server: &S3) -> Bucket {
        Bucket::open_at(&server.archive_url(), server.endpoint(), KEYS).unwrap()
    }

    /// The verbs block, as they do on the archive's threads.
    pub(super) async fn in_a_bucket(story: fn(&dyn Storage)) {
        let server = S3::start().await;
        let bucket = open(&server);
        let told = tokio::task::spawn_blocking(move || story(&bucket)).await;
        told.unwrap();
        let below = |name: &String| name.starts_with("some/where/");
        assert!(server.objects().keys().all(below));
    }

    #[test]
    fn the_variables_that_are_documented_are_read() {
        for (name, _) in BUCKET {
            let key = name.to_lowercase().parse::<AmazonS3ConfigKey>();
            assert!(key.is_ok(), "{name}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_server_that_fails_for_a_moment_is_asked_again() {
        let server = S3::start().await;
        let bucket = open(&server);
        for failures in [1, 2] {
            server.fail_next(failures);
            bucket.put("A/document", b"text").unwrap();
            server.fail_next(failures);
            assert_eq!(read(&bucket, "A/document"), b"text");
            server.fail_next(failures);
            assert_eq!(names(&bucket, "A/"), ["A/document"]);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_long_object_goes_in_parts_and_a_dropped_one_is_called_off() {
        let server = S3::start().await;
        let bucket = open(&server);
        write(&bucket, "A/long", &bytes(LONG)).unwrap();
        let parts = server.requests();
        let parts = parts
            .iter()
            .filter(|request| request.contains("partNumber"));
        assert_eq!(parts.count(), 3);
        let mut writing = bucket.begin("A/dropped").unwrap();
        writing.write_all(&bytes(LONG)).unwrap();
        assert_eq!(server.uploads(), 1);
        drop(writing);
        while server.uploads() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(names(&bucket, "A/"), ["A/long"]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_goes_wrong_is_told_without_a_key() {
        let server = S3::start().await;
        let (url, endpoint) = (server.archive_url(), server.endpoint().to_owned());
        let bucket = open(&server);
        drop(server);
        // Somebody else's server, or none any more.
        let error = bucket.delete("A/document").unwrap_err();
        let mut text = format!("{bucket:?} {} {error:?}", bucket.place());
        for (url, endpoint) in [
            ("s3://", &*endpoint),
            ("s3://a:b@bucket/there", &endpoint),
            (&url, "no address"),
        ] {
            let refusal = Bucket::open_at(url, endpoint, KEYS).err();
            text.push_str(&refusal.map_or_else(String::new, |refusal| refusal.to_string()));
        }
        assert!(text.contains("s3://archive/some/where"), "{text}");
        assert!(text.contains("s3://bucket/prefix"), "{text}");
        for secret in [KEYS.0, KEYS.1] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
