//! Detects which shard this process is from the engine's environment variables. Pure: the variables are
//! passed in as a map.
//!
//! Engines may be nested (`mpirun` in a Slurm job, Slurm in a Kubernetes container). The innermost one
//! started this process and therefore decides; the others are ignored, and a note says so.

use std::collections::BTreeMap;

use super::shard::Shard;

/// Environment variables by name.
pub type Environment = BTreeMap<String, String>;

/// The result of the detection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectedShard {
    /// Which shard this is.
    pub shard: Shard,
    /// Name of the engine.
    pub engine: &'static str,
    /// An id that all shards of this run share and that no other run has; `None` if the engine does not
    /// provide one.
    pub job: Option<String>,
    /// The variables that were used, with their values.
    pub used: Vec<String>,
    /// Variables of other engines, which were ignored.
    pub ignored: Vec<String>,
}

/// The variables of an engine.
struct Engine {
    name: &'static str,
    index: &'static str,
    /// `None` if the engine does not provide a total.
    total: Option<&'static str>,
    /// Alternative name of the index, which must agree if it is set.
    index_alias: Option<&'static str>,
}

/// From the innermost possible engine to the outermost.
const ENGINES: [Engine; 6] = [
    Engine {
        name: "Open MPI",
        index: "OMPI_COMM_WORLD_RANK",
        total: Some("OMPI_COMM_WORLD_SIZE"),
        index_alias: Some("PMIX_RANK"),
    },
    Engine { name: "PMI", index: "PMI_RANK", total: Some("PMI_SIZE"), index_alias: Some("PMI_ID") },
    Engine { name: SLURM_STEP, index: "SLURM_PROCID", total: Some("SLURM_STEP_NUM_TASKS"), index_alias: None },
    Engine {
        name: "AWS Batch",
        index: "AWS_BATCH_JOB_ARRAY_INDEX",
        total: Some("AWS_BATCH_JOB_ARRAY_SIZE"),
        index_alias: None,
    },
    Engine {
        name: SLURM_ARRAY,
        index: "SLURM_ARRAY_TASK_ID",
        total: Some("SLURM_ARRAY_TASK_COUNT"),
        index_alias: None,
    },
    Engine { name: "Kubernetes", index: "JOB_COMPLETION_INDEX", total: None, index_alias: None },
];

const SLURM_STEP: &str = "Slurm step";
const SLURM_ARRAY: &str = "Slurm array";

/// Never used: it counts from 1, comes without a total, and is set for every use of GNU parallel.
const PARALLEL: &str = "PARALLEL_SEQ";

/// Detects the shard; `given` is the total from `auto/N`.
///
/// # Errors
/// A sentence: no engine found, incomplete variables, or two values that contradict each other.
pub fn detect(environment: &Environment, given: Option<u32>) -> Result<DetectedShard, String> {
    let is_there = |engine: &&Engine| environment.contains_key(engine.index);
    // In a plain sbatch script, rank 0 and the number of tasks are set although there is no step: every copy
    // would be shard 0.
    let is_trap = |engine: &Engine| engine.name == SLURM_STEP && !environment.contains_key("SLURM_STEP_NUM_TASKS");
    let Some(engine) = ENGINES.iter().filter(is_there).find(|engine| !is_trap(engine)) else {
        return Err(no_engine_message(environment));
    };
    let (shard, mut taken) = if engine.name == SLURM_ARRAY {
        slurm_array(environment, given)?
    } else {
        by_variables(engine, environment, given)?
    };
    if given.is_some() && (engine.total.is_none_or(|total| !environment.contains_key(total))) {
        taken.push(format!("total {} as given", shard.count()));
    }
    let others = ENGINES.iter().filter(|other| other.name != engine.name).map(|other| other.index).chain([PARALLEL]);
    let said = |name| environment.get(name).map(|value| format!("{name}={value}"));
    let job = job(engine.name, environment).map(|job| format!("{} {job}", engine.name));
    Ok(DetectedShard { shard, engine: engine.name, job, used: taken, ignored: others.filter_map(said).collect() })
}

fn no_engine_message(environment: &Environment) -> String {
    let hint = if environment.contains_key("SLURM_PROCID") {
        "SLURM_PROCID is set without SLURM_STEP_NUM_TASKS: this is the batch script itself; start the shards with srun"
    } else if environment.contains_key(PARALLEL) {
        "PARALLEL_SEQ counts from 1 and gives no total; write seq 0 3 | parallel … --shard {}/4"
    } else {
        "no variables of Slurm, Open MPI, PMI, AWS Batch or Kubernetes are set; give I/N"
    };
    format!("no engine provides the shard: {hint}")
}

fn by_variables(
    engine: &Engine,
    environment: &Environment,
    given: Option<u32>,
) -> Result<(Shard, Vec<String>), String> {
    let index = number(environment, engine.index)?.unwrap_or(0);
    let mut taken = vec![format!("{}={index}", engine.index)];
    if let Some(other) = engine.index_alias
        && let Some(value) = number(environment, other)?
        && value != index
    {
        return Err(format!("{}={index} and {other}={value} contradict each other", engine.index));
    }
    let said = match engine.total {
        Some(total) => Some((total, number(environment, total)?)),
        None => None,
    };
    let count = match (said, given) {
        (Some((total, Some(count))), given) => {
            check_total(total, count, given)?;
            taken.push(format!("{total}={count}"));
            count
        }
        (_, Some(given)) => given,
        (Some((total, None)), None) => return Err(format!("{} is set, {total} is not", engine.index)),
        (None, None) => {
            return Err(format!("{} gives no total; write --shard auto/N with the number of completions", engine.name));
        }
    };
    let wrong = |why| format!("{why} ({} says {}={index})", engine.name, engine.index);
    Ok((Shard::new(index, count).map_err(wrong)?, taken))
}

/// Tasks of an array are numbered as the user requested: from MIN in steps of STEP.
fn slurm_array(environment: &Environment, given: Option<u32>) -> Result<(Shard, Vec<String>), String> {
    let names = ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_COUNT"];
    let mut values = [0; 4];
    for (name, value) in names.iter().zip(&mut values) {
        *value = number(environment, name)?.ok_or_else(|| format!("SLURM_ARRAY_TASK_ID is set, {name} is not"))?;
    }
    let [id, min, max, count] = values;
    let step = number(environment, "SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
    check_total(names[3], count, given)?;
    let has_gaps = max.checked_sub(min).is_none_or(|width| width / step + 1 != count);
    if has_gaps || id < min || (id - min) % step != 0 {
        let array = format!("task {id} of {count} from {min} to {max} by {step}");
        return Err(format!(
            "the Slurm array has gaps ({array}); number it without, such as --array=0-{}",
            count.max(1) - 1
        ));
    }
    let shard = Shard::new((id - min) / step, count).map_err(|why| format!("{why} (SLURM_ARRAY_TASK_ID={id})"))?;
    let taken = names.iter().zip(values).map(|(name, value)| format!("{name}={value}")).collect();
    Ok((shard, taken))
}

fn check_total(name: &str, count: u32, given: Option<u32>) -> Result<(), String> {
    match given {
        Some(given) if given != count => Err(format!("auto/{given} and {name}={count} contradict each other")),
        _ => Ok(()),
    }
}

fn number(environment: &Environment, name: &str) -> Result<Option<u32>, String> {
    let Some(text) = environment.get(name) else { return Ok(None) };
    text.trim().parse().map(Some).map_err(|_| format!("{name}={text:?} is not a number"))
}

/// The engine's job id, which all shards of a run share.
fn job(engine: &str, environment: &Environment) -> Option<String> {
    let get = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
    match engine {
        "Open MPI" => get("PMIX_NAMESPACE").or_else(|| get("OMPI_MCA_ess_base_jobid")),
        "PMI" => get("PMI_JOBID"),
        SLURM_STEP => {
            Some(format!("{}.{}", get("SLURM_JOB_ID")?, get("SLURM_STEP_ID").or_else(|| get("SLURM_STEPID"))?))
        }
        "AWS Batch" => get("AWS_BATCH_JOB_ID").map(|id| id.split(':').next().unwrap_or_default().to_owned()),
        SLURM_ARRAY => get("SLURM_ARRAY_JOB_ID"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
