# The images of the scheduler, the worker and the simulator: `docker build --target worker .`
#
# No image has a shell. Each runs as a user with a number alone and on a read-only root file system; what is
# written goes to /var/lib/backhaul, a volume.

# The toolchain is this image's, of the workspace's `rust-version`: rust-toolchain.toml stays outside.
FROM rust:1.95.0-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082 AS toolchain
RUN cargo install cargo-chef --version 0.1.78 --locked
WORKDIR /build

FROM toolchain AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

# Dependencies are built by their recipe alone: a change of ours doesn't build them anew.
FROM toolchain AS builder
COPY --from=planner /build/recipe.json recipe.json
RUN cargo chef cook --release --locked --recipe-path recipe.json \
    --package scheduler --package worker --package simulator \
    --features scheduler/parquet,scheduler/s3,scheduler/otel,worker/s3,worker/otel
COPY . .
RUN cargo build --release --locked \
    --package scheduler --package worker --package simulator \
    --features scheduler/parquet,scheduler/s3,scheduler/otel,worker/s3,worker/otel \
    && mkdir -p /out/state/backhaul/archive

# The C library, the system's certificates, and no more. Debian 12, as the toolchain's.
FROM gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f AS runtime
# A volume that is mounted here takes this owner over.
COPY --from=builder --chown=65532:65532 /out/state /var/lib
WORKDIR /var/lib/backhaul
USER 65532:65532

FROM runtime AS scheduler
COPY --from=builder /build/target/release/scheduler /usr/local/bin/scheduler
EXPOSE 8080 9464
# Most of its commands end by themselves; `serve` is asked by whoever starts it.
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/scheduler"]
CMD ["--help"]

FROM runtime AS worker
COPY --from=builder /build/target/release/worker /usr/local/bin/worker
EXPOSE 9464
# What the health check asks at; whoever sets it otherwise sets it for both.
ENV BACKHAUL_METRICS_LISTEN=0.0.0.0:9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/usr/local/bin/worker", "--health-check"]
ENTRYPOINT ["/usr/local/bin/worker"]

FROM runtime AS simulator
COPY --from=builder /build/target/release/simulator /usr/local/bin/simulator
EXPOSE 8090
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/local/bin/simulator", "--listen", "0.0.0.0:8090", "--health-check"]
ENTRYPOINT ["/usr/local/bin/simulator"]
CMD ["--listen", "0.0.0.0:8090"]
