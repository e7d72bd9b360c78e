//! Tests of AF_XDP: frames without a kernel, then a server with a kernel and a wire.

mod batch;
mod floor;
mod frames;
mod kernel;
mod wire;
