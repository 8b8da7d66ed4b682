//! Steps of the project, the same for a person and for CI.
fn main() {}
