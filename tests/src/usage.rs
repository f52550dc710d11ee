use std::path::Path;
use std::time::Duration;

/// What a program and its children have used, as the fake `measure` writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// The processor time, of the system and of the user, of the whole tree as far as it was waited for.
    pub cpu: Duration,
    /// The time on the clock.
    pub wall: Duration,
    /// The most memory that one process of the tree had, in bytes.
    pub peak_bytes: u64,
}

impl Usage {
    /// Reads the file that `measure FILE COMMAND…` has written.
    ///
    /// # Panics
    /// If it is not there or not of that form.
    pub fn read(path: &Path) -> Usage {
        let text =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Usage::parse(&text).unwrap_or_else(|| panic!("{}: {text}", path.display()))
    }

    fn parse(text: &str) -> Option<Usage> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        Some(Usage {
            cpu: Duration::from_secs_f64(value["cpu_s"].as_f64()?),
            wall: Duration::from_secs_f64(value["wall_s"].as_f64()?),
            peak_bytes: value["peak_bytes"].as_u64()?,
        })
    }

    /// Returns the peak in MiB.
    pub fn peak_mib(&self) -> f64 {
        self.peak_bytes as f64 / f64::from(1 << 20)
    }
}
