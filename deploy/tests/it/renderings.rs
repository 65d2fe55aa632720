//! What `kubectl kustomize` makes of the overlays: asked once for each state of the files, not by each test,
//! for every test is a process of its own.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::installed;
use crate::tree::{files_below, root, text};

/// The overlays: what each is called here, and its secrets' template.
const OVERLAYS: [(&str, &str); 3] = [
    ("dev", "k8s/overlays/dev/secret.template.yaml"),
    ("prod", "k8s/secret.template.yaml"),
    ("prod with other components", "k8s/secret.template.yaml"),
];

/// A name, the file of its secrets' templates, and what is rendered for each overlay; `None` with a printed
/// line where `kubectl` isn't installed.
pub fn all() -> Option<[(&'static str, &'static str, String); 3]> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rendered.json");
    let state = state();
    let kept = std::fs::read(&file).ok();
    let kept: Option<(u64, [String; 3])> = kept.and_then(|it| serde_json::from_slice(&it).ok());
    let texts = match kept.filter(|(of, _)| *of == state) {
        Some((_, texts)) => texts,
        None => {
            let texts = render()?;
            // In one move: other tests read it, or do the same.
            let part = file.with_extension(std::process::id().to_string());
            std::fs::write(&part, serde_json::to_vec(&(state, &texts)).unwrap()).unwrap();
            std::fs::rename(&part, &file).unwrap();
            texts
        }
    };
    let mut texts = texts.into_iter();
    Some(OVERLAYS.map(|(name, secrets)| (name, secrets, texts.next().unwrap())))
}

/// A number that is another one when a file is.
fn state() -> u64 {
    let mut state = DefaultHasher::new();
    let files = ["k8s", "configs"].into_iter().flat_map(files_below);
    for file in files.chain(["deploy/tests/it/renderings.rs".to_owned()]) {
        (&file, text(&file)).hash(&mut state);
    }
    state.finish()
}

fn render() -> Option<[String; 3]> {
    let kustomize = |folder: &Path| installed::output("kubectl", &["kustomize", "."], folder);
    let copy = tempfile::tempdir().unwrap();
    Some([
        kustomize(&root().join("k8s/overlays/dev"))?,
        kustomize(&root().join("k8s/overlays/prod"))?,
        kustomize(&with_other_components(copy.path()))?,
    ])
}

/// A copy of all manifests in which the overlay `prod` is scaled by the CPU, and sends traces; its folder.
fn with_other_components(copy: &Path) -> PathBuf {
    for file in ["k8s", "configs"].into_iter().flat_map(files_below) {
        let to = copy.join(&file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, text(&file)).unwrap();
    }
    let folder = copy.join("k8s/overlays/prod");
    let file = folder.join("kustomization.yaml");
    let prod = std::fs::read_to_string(&file).unwrap();
    let keda = "  - ../../components/keda ";
    assert!(prod.contains(keda), "the overlay scales by KEDA");
    let others = "  - ../../components/opentelemetry\n  - ../../components/hpa ";
    std::fs::write(&file, prod.replace(keda, others)).unwrap();
    folder
}
