//! Integration tests, one binary: each module is a behaviour of the program seen from outside.

mod shacl_w3c;
mod shared;
