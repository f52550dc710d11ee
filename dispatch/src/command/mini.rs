//! mini-swe-agent: `mini --task=TEXT -y --exit-immediately -o FILE`, a trajectory in a file.

use serde::Deserialize;
use shared::section::{Status, Usage};

use super::{Invocation, Printed, fault, unique, with_system};
use crate::backend::{Draft, Job};

/// How it is started.
pub(super) fn invoke(job: &Job) -> Invocation {
    let path = std::env::temp_dir().join(format!("dispatch-{}.traj.json", unique()));
    let mut arguments = Vec::new();
    if let Some(model) = &job.model {
        arguments.extend(["-m".to_owned(), model.clone()]);
    }
    arguments.push(format!("--task={}", with_system(job)));
    arguments.extend(["-y", "--exit-immediately", "-o"].map(str::to_owned));
    arguments.push(path.display().to_string());
    Invocation { arguments, result: Some(path), ..Invocation::default() }
}

#[derive(Deserialize)]
struct Trajectory {
    info: Info,
}

#[derive(Deserialize)]
struct Info {
    exit_status: Option<String>,
    #[serde(default)]
    submission: Option<String>,
    #[serde(default)]
    model_stats: Stats,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stats {
    instance_cost: Option<f64>,
    api_calls: Option<u32>,
}

/// Reads the trajectory; one that does not say how it ended is of a run that was ended.
pub(super) fn read(printed: &Printed) -> Option<Draft> {
    spent(printed).filter(|draft| draft.stop_reason.is_some())
}

/// Reads what a run has used.
pub(super) fn spent(printed: &Printed) -> Option<Draft> {
    let info = serde_json::from_str::<Trajectory>(printed.result).ok()?.info;
    let mut draft = Draft { output: info.submission.unwrap_or_default(), ..Draft::new(Status::Ok) };
    let ended = info.exit_status.unwrap_or_default();
    if ended != "Submitted" {
        draft.status = match ended.as_str() {
            "LimitsExceeded" => Status::Budget,
            other => fault::status(None, other).unwrap_or(Status::Failed),
        };
        draft.reason = Some(format!("it ended as {ended}"));
    }
    draft.stop_reason = (!ended.is_empty()).then_some(ended);
    draft.reported_cost_usd = info.model_stats.instance_cost;
    draft.turns = info.model_stats.api_calls;
    // It tells how often it asked, not how much; the cost is known all the same.
    let requests = info.model_stats.api_calls.map(u64::from);
    draft.usage = requests.map(|requests| Usage { requests, ..Usage::default() });
    Some(draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(result: &str) -> Option<Draft> {
        read(&Printed { stdout: "", stderr: "", result, exit_code: Some(0), env: &[] })
    }

    #[test]
    fn the_trajectory_decides() {
        let stats = r#""model_stats":{"instance_cost":0.0001175,"api_calls":1}"#;
        let draft =
            parsed(&format!(r#"{{"info":{{"exit_status":"Submitted","submission":"done",{stats}}}}}"#))
                .unwrap();
        assert_eq!((draft.status, draft.output.as_str()), (Status::Ok, "done"));
        assert_eq!((draft.reported_cost_usd, draft.turns), (Some(0.0001175), Some(1)));
        let draft = parsed(&format!(r#"{{"info":{{"exit_status":"LimitsExceeded",{stats}}}}}"#)).unwrap();
        assert_eq!(draft.status, Status::Budget);
        assert!(parsed("").is_none());
    }
}
