# syntax=docker/dockerfile:1

FROM rust:1.88-slim-bookworm AS build
WORKDIR /src
COPY . .
# The caches are the builder's: what is kept of this stage is the copied binary alone.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/folio /usr/local/bin/folio

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin folio
COPY --from=build /usr/local/bin/folio /usr/local/bin/folio
USER 10001
EXPOSE 8080
# The image has no HTTP client, but its bash can speak to a port.
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=6 CMD ["bash", "-c", "\
    exec 3<>/dev/tcp/127.0.0.1/8080 && \
    printf 'GET /readyz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && \
    read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["folio"]
CMD ["serve", "--listen", "0.0.0.0:8080"]
