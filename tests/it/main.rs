//! Integration tests, one binary: each module is a behaviour of the program seen from outside.

mod catalogues;
mod ckan;
mod crash;
mod dcat_us;
mod detection;
mod faults;
mod filters;
mod following;
mod generated;
mod layers;
mod mapping;
mod moisson;
mod opendatasoft;
mod queries;
mod readme;
mod resilience;
mod server;
mod shacl_cases;
mod shacl_command;
mod shacl_shapes;
mod shacl_w3c;
mod shared;
