//! What Backhaul is deployed with: images, compositions, manifests and alerts, each strictly read, and
//! what has to agree between them.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

mod tree;
mod installed;
mod renderings;
mod manifest;
mod kinds;
mod custom_resources;
mod agreement;
mod hardening;
mod network;
mod environment;
mod configuration_files;
mod dockerfile;
mod compose;
mod compose_up;
mod command_lines;
mod autoscaling;
mod expressions;
mod monitoring;
