//! The servers that tests run against, the browser that they lead, and the programs that documents use: found, or installed where the
//! system's packages can be.

// The tests look for them in the same way: it is told in one place.
#[path = "../../testkit/src/installed.rs"]
mod installed;

use std::process::{Command, Stdio};

const POSTGRES_PACKAGES: [&str; 1] = ["postgresql"];
const REDIS_PACKAGES: [&str; 2] = ["redis-server", "redis-tools"];
const DOCUMENT_PACKAGES: [&str; 2] = ["sqlite3", "curl"];
const PROMETHEUS_PACKAGES: [&str; 1] = ["prometheus"];
const BROWSER_PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Makes sure that tests find `PostgreSQL`, Redis, and what documents use beside our programs; and Prometheus
/// and a browser, where they can be had. It says so where there is no `kubectl`: Debian 12's package is too
/// old to render components.
///
/// # Errors
/// Says what to install where it can't be installed, or was and still isn't found.
pub fn ensure() -> Result<(), String> {
    if !installed::kubectl() {
        println!("── kubectl is not installed: manifests are checked as written, not as rendered");
    }
    for missing in could_be_there() {
        let reason = missing.reason.clone();
        if install(&[missing]).is_err() {
            println!("── some tests are left out: {reason}");
        }
    }
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    install(&missing)?;
    let missing = self::missing();
    if missing.is_empty() {
        return Ok(());
    }
    Err(advice(&missing, "the system's packages were not enough"))
}

fn install(missing: &[Missing]) -> Result<(), String> {
    for command in plan(missing, way())? {
        println!("── {}", command.join(" "));
        run(&command)?;
    }
    Ok(())
}

/// A server or program that tests need and don't find.
#[derive(Debug)]
struct Missing {
    /// What the search said.
    reason: String,
    /// Debian's packages that bring it.
    packages: &'static [&'static str],
}

/// How packages can be installed here.
#[derive(Clone, Copy, Debug)]
enum Way {
    Root,
    SudoWithoutPassword,
    NotPermitted,
    NoAptGet,
}

/// The commands that install what is missing, in order.
fn plan(missing: &[Missing], way: Way) -> Result<Vec<Vec<&'static str>>, String> {
    // No question may stop the run: nobody answers.
    let quiet = ["env", "DEBIAN_FRONTEND=noninteractive"];
    let prefix = match way {
        Way::Root => quiet.to_vec(),
        Way::SudoWithoutPassword => [["sudo", "-n"], quiet].concat(),
        Way::NotPermitted => return Err(advice(missing, "only root may install packages")),
        Way::NoAptGet => return Err(advice(missing, "there is no apt-get here")),
    };
    let mut update = prefix.clone();
    update.extend(["apt-get", "update"]);
    let mut install = prefix;
    install.extend(["apt-get", "install", "--yes", "--no-install-recommends"]);
    install.extend(missing.iter().flat_map(|missing| missing.packages));
    Ok(vec![update, install])
}

fn advice(missing: &[Missing], hindrance: &str) -> String {
    let reasons: Vec<_> = missing
        .iter()
        .map(|missing| missing.reason.as_str())
        .collect();
    let packages: Vec<_> = missing
        .iter()
        .flat_map(|missing| missing.packages)
        .copied()
        .collect();
    format!(
        "tests need PostgreSQL 15 or newer, Redis, sqlite3 and curl: {}; {hindrance}\n\
         install them, on Debian or Ubuntu with\n    \
         sudo apt-get install --no-install-recommends {}\n\
         elsewhere so that `initdb`, `postgres`, `psql`, `redis-server`, `redis-cli`, `sqlite3` and \
         `curl` are found by the shell",
        reasons.join(", "),
        packages.join(" "),
    )
}

fn missing() -> Vec<Missing> {
    let postgres = installed::postgres().err().map(|reason| Missing {
        reason,
        packages: &POSTGRES_PACKAGES,
    });
    let redis = installed::redis().err().map(|reason| Missing {
        reason,
        packages: &REDIS_PACKAGES,
    });
    let tools = installed::document_tools().err().map(|reason| Missing {
        reason,
        packages: &DOCUMENT_PACKAGES,
    });
    postgres.into_iter().chain(redis).chain(tools).collect()
}

/// What some tests use and do without: systems have it under other names, or in no package.
fn could_be_there() -> Vec<Missing> {
    let prometheus = installed::prometheus().err().map(|reason| Missing {
        reason,
        packages: &PROMETHEUS_PACKAGES,
    });
    let browser = installed::browser().err().map(|reason| Missing {
        reason,
        packages: &BROWSER_PACKAGES,
    });
    prometheus.into_iter().chain(browser).collect()
}

fn way() -> Way {
    if !succeeds(&["apt-get", "--version"]) {
        Way::NoAptGet
    } else if installed::is_root() {
        Way::Root
    } else if succeeds(&["sudo", "-n", "true"]) {
        Way::SudoWithoutPassword
    } else {
        Way::NotPermitted
    }
}

fn succeeds(command: &[&str]) -> bool {
    let answer = Command::new(command[0]).args(&command[1..]).output();
    answer.is_ok_and(|answer| answer.status.success())
}

fn run(command: &[&str]) -> Result<(), String> {
    let status = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` failed: {status}", command.join(" "))),
        Err(error) => Err(format!("{} can't be started: {error}", command[0])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redis() -> Missing {
        Missing {
            reason: "redis-server is not installed".to_owned(),
            packages: &REDIS_PACKAGES,
        }
    }

    fn postgres() -> Missing {
        Missing {
            reason: "no PostgreSQL server is installed".to_owned(),
            packages: &POSTGRES_PACKAGES,
        }
    }

    fn lines(missing: &[Missing], way: Way) -> Vec<String> {
        let commands = plan(missing, way).unwrap();
        commands.iter().map(|command| command.join(" ")).collect()
    }

    #[test]
    fn root_installs_what_is_missing_and_no_more() {
        let expected = [
            "env DEBIAN_FRONTEND=noninteractive apt-get update",
            "env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
             redis-server redis-tools",
        ];
        assert_eq!(lines(&[redis()], Way::Root), expected);
    }

    #[test]
    fn sudo_is_asked_only_without_a_password() {
        let expected = [
            "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get update",
            "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install --yes \
             --no-install-recommends postgresql redis-server redis-tools",
        ];
        let missing = [postgres(), redis()];
        assert_eq!(lines(&missing, Way::SudoWithoutPassword), expected);
    }

    #[test]
    fn where_nothing_can_be_installed_it_says_what_to_install() {
        for (way, hindrance) in [
            (Way::NotPermitted, "only root may install packages"),
            (Way::NoAptGet, "there is no apt-get here"),
        ] {
            let said = plan(&[postgres(), redis()], way).unwrap_err();
            for part in [
                hindrance,
                "no PostgreSQL server is installed, redis-server is not installed",
                "sudo apt-get install --no-install-recommends postgresql redis-server redis-tools",
            ] {
                assert!(said.contains(part), "{said}");
            }
        }
    }
}
