//! The rules of the layout, kept by a test: what a newcomer was told stays true.

use contract::{Access, FUNCTIONS};
use localstack::functions::{cargo, repository};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The jobs have no route.
const JOBS: [&str; 2] = ["jobs/migrate", "jobs/sweep"];

/// The crates that each talk to one thing. They know neither each other nor the host.
const CLIENTS: [&str; 8] =
    ["cache", "face", "kafka", "objects", "passwords", "postgres", "tokens", "telemetry"];

/// Libraries that weigh, with the only functions that may link them.
const LINKED_BY: [(&str, &[&str]); 6] = [
    ("ort", &["face-verification-service/get_vector", "face-verification-service/verify_photo"]),
    ("rdkafka", &["api-gateway/healthz_ready", "auth-service/verify", "jobs/sweep"]),
    (
        "aws-sdk-s3",
        &[
            "api-gateway/healthz_ready",
            "auth-service/verify",
            "face-verification-service/get_vector",
            "face-verification-service/verify_photo",
        ],
    ),
    ("argon2", &["auth-service/register", "auth-service/auth"]),
    ("utoipa", &["api-gateway/docs"]),
    ("refinery", &["jobs/migrate"]),
];

/// What belongs to tests and to the local stack, and to no function.
const NEVER_LINKED: [&str; 4] = ["testkit", "localstack", "reqwest", "s3s"];

fn folders() -> BTreeSet<String> {
    let below = |path: &Path| -> Vec<_> {
        let entries = fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
        entries.filter(|path| path.is_dir()).collect()
    };
    let functions = repository().join("functions");
    let services = below(&functions);
    let folders = services.iter().flat_map(|service| below(service));
    folders.map(|folder| folder.strip_prefix(&functions).expect("below").display().to_string()).collect()
}

fn package_name(folder: &str) -> String {
    folder.replace(['/', '_'], "-")
}

/// The names of everything that is linked into a package, itself first.
fn linked(package: &str) -> Vec<String> {
    let mut tree = cargo();
    tree.args([
        "tree",
        "--package",
        package,
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    tree.args(["--offline", "--locked"]);
    let output = tree.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let names: Vec<_> = text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert_eq!(names.first().map(String::as_str), Some(package));
    names
}

fn metadata() -> Value {
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--locked"]);
    serde_json::from_slice(&command.output().expect("cargo runs").stdout).expect("JSON")
}

#[test]
fn every_folder_is_a_route_or_a_job_and_every_route_has_a_folder() {
    let expected: BTreeSet<String> =
        FUNCTIONS.iter().map(|function| function.folder).chain(JOBS).map(Into::into).collect();
    assert_eq!(folders(), expected);
}

#[test]
fn the_package_and_its_binary_are_named_after_the_folder() {
    let metadata = metadata();
    let root = metadata["workspace_root"].as_str().expect("a path");
    let mut binaries = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let manifest = package["manifest_path"].as_str().expect("a path");
        let Some(folder) = manifest.strip_prefix(&format!("{root}/functions/")) else { continue };
        let folder = folder.strip_suffix("/Cargo.toml").expect("a manifest").to_owned();
        assert_eq!(package["name"], package_name(&folder));
        let targets = package["targets"].as_array().expect("targets");
        let named: Vec<_> = targets
            .iter()
            .filter(|target| target["kind"][0] == "bin")
            .map(|bin| bin["name"].clone())
            .collect();
        binaries.insert(folder, named);
    }
    for folder in folders() {
        assert_eq!(binaries[&folder], [Value::from(package_name(&folder))], "{folder}");
    }
}

#[test]
fn every_function_has_tests_of_its_row_of_the_contract() {
    for folder in folders() {
        let tests = repository().join("functions").join(&folder).join("tests");
        let named = ["http.rs", "events.rs", "job.rs"].map(|name| tests.join(name));
        assert!(named.iter().any(|file| file.is_file()), "{folder}");
    }
}

#[test]
fn functions_link_only_what_they_use_and_never_each_other() {
    let packages: BTreeSet<_> = folders().iter().map(|folder| package_name(folder)).collect();
    for folder in folders() {
        let linked = linked(&package_name(&folder));
        let other =
            linked[1..].iter().find(|name| packages.contains(*name) || NEVER_LINKED.contains(&name.as_str()));
        assert_eq!(other, None, "{folder}");
        for (library, allowed) in LINKED_BY {
            let links = linked.iter().any(|name| name == library);
            assert_eq!(links, allowed.contains(&folder.as_str()), "{folder} and {library}");
        }
    }
}

#[test]
fn clients_know_neither_each_other_nor_the_host() {
    for client in CLIENTS {
        let linked = linked(client);
        let other = linked[1..].iter().find(|name| CLIENTS.contains(&name.as_str()) || *name == "host");
        assert_eq!(other, None, "{client}");
    }
}

#[test]
fn the_contract_is_pure_data() {
    let linked = linked("contract");
    for library in ["tokio", "hyper", "http", "lambda_http", "tokio-postgres"] {
        assert!(!linked.iter().any(|name| name == library), "{library}");
    }
}

#[test]
fn cargo_lambda_watch_routes_what_the_table_of_routes_says() {
    let metadata = metadata();
    let router = metadata["metadata"]["lambda"]["watch"]["router"].as_object().expect("a router");
    let routed: BTreeMap<&str, &str> =
        router.iter().map(|(path, function)| (path.as_str(), function.as_str().expect("a name"))).collect();
    let open: Vec<_> = FUNCTIONS.iter().filter(|function| function.access != Access::Internal).collect();
    let mut expected = BTreeMap::new();
    for function in open {
        for path in function.paths {
            let spellings = match path.strip_suffix('*') {
                Some(prefix) => vec![format!("{prefix}{{*file}}")],
                // The router tells both spellings apart.
                None => {
                    vec![path.trim_end_matches('/').to_owned(), format!("{}/", path.trim_end_matches('/'))]
                }
            };
            expected.extend(spellings.into_iter().map(|spelling| (spelling, function.name())));
        }
    }
    let expected = expected.iter().map(|(path, name)| (path.as_str(), name.as_str())).collect();
    assert_eq!(routed, expected);
}
