use super::*;

fn environment(text: &str) -> Environment {
    let pair = |word: &str| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    text.split_whitespace().filter_map(pair).collect()
}

fn found(text: &str, given: Option<u32>) -> (String, &'static str, Option<String>) {
    let found = detect(&environment(text), given).unwrap_or_else(|why| panic!("{text}: {why}"));
    (found.shard.to_string(), found.engine, found.job)
}

fn refused(text: &str, given: Option<u32>) -> String {
    detect(&environment(text), given).err().unwrap_or_else(|| panic!("{text} was accepted"))
}

const MPI: &str = "OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=4 PMIX_RANK=2 PMIX_NAMESPACE=2094727169";
const PMI: &str = "PMI_RANK=1 PMI_SIZE=3 PMI_JOBID=7.0";
const STEP: &str =
    "SLURM_PROCID=3 SLURM_STEP_NUM_TASKS=8 SLURM_NTASKS=8 SLURM_JOB_ID=55 SLURM_STEP_ID=0 SLURM_JOBID=55";
const BATCH: &str =
    "AWS_BATCH_JOB_ARRAY_INDEX=4 AWS_BATCH_JOB_ARRAY_SIZE=5 AWS_BATCH_JOB_ID=0c4e-11:4 AWS_BATCH_JOB_ATTEMPT=1";
const ARRAY: &str = "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_STEP=2 \
                     SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_JOB_ID=90 SLURM_JOB_ID=93";
const KUBERNETES: &str = "JOB_COMPLETION_INDEX=0 KUBERNETES_SERVICE_HOST=10.0.0.1";

#[test]
fn each_engine_reports_the_shard_and_the_job_that_the_shards_share() {
    let some = |text: &str| Some(text.to_owned());
    for (text, given, shard, engine, job) in [
        (MPI, None, "2/4", "Open MPI", some("Open MPI 2094727169")),
        (PMI, None, "1/3", "PMI", some("PMI 7.0")),
        (STEP, None, "3/8", "Slurm step", some("Slurm step 55.0")),
        (BATCH, None, "4/5", "AWS Batch", some("AWS Batch 0c4e-11")),
        (ARRAY, None, "2/4", "Slurm array", some("Slurm array 90")),
        (KUBERNETES, Some(6), "0/6", "Kubernetes", None),
        (MPI, Some(4), "2/4", "Open MPI", some("Open MPI 2094727169")),
        ("PMI_RANK=1", Some(2), "1/2", "PMI", None),
    ] {
        assert_eq!(found(text, given), (shard.to_owned(), engine, job), "{text}");
    }
}

#[test]
fn the_innermost_engine_wins_and_the_others_are_reported() {
    let all = [MPI, PMI, STEP, BATCH, ARRAY, KUBERNETES, "PARALLEL_SEQ=9"];
    for (first, engine) in
        ["Open MPI", "PMI", "Slurm step", "AWS Batch", "Slurm array", "Kubernetes"].iter().enumerate()
    {
        let given = (*engine == "Kubernetes").then_some(3);
        let found = detect(&environment(&all[first..].join(" ")), given).unwrap();
        assert_eq!(found.engine, *engine);
        assert_eq!(found.ignored.len(), all.len() - 1 - first, "{:?}", found.ignored);
        assert_eq!(found.ignored.last().unwrap(), "PARALLEL_SEQ=9");
    }
    let found = detect(&environment(STEP), None).unwrap();
    assert_eq!(found.used, ["SLURM_PROCID=3", "SLURM_STEP_NUM_TASKS=8"]);
}

#[test]
fn a_batch_script_is_not_a_step() {
    let script = "SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_JOB_ID=55 SLURM_NPROCS=4";
    assert!(refused(script, None).contains("srun"));
    assert!(refused(script, Some(4)).contains("srun"), "otherwise every copy would be shard 0");
    // Each task of an array is a separate batch script.
    assert_eq!(found(&format!("{script} {ARRAY}"), None).0, "2/4");
}

#[test]
fn incomplete_and_contradictory_variables_are_refused() {
    for (text, given, word) in [
        ("OMPI_COMM_WORLD_RANK=2", None, "OMPI_COMM_WORLD_SIZE is not"),
        ("PMI_RANK=2", None, "PMI_SIZE is not"),
        ("AWS_BATCH_JOB_ARRAY_INDEX=1", None, "AWS_BATCH_JOB_ARRAY_SIZE is not"),
        ("SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_MIN=0", None, "SLURM_ARRAY_TASK_MAX is not"),
        (KUBERNETES, None, "auto/N"),
        ("OMPI_COMM_WORLD_RANK=4 OMPI_COMM_WORLD_SIZE=4", None, "no shard 4 of 4"),
        (KUBERNETES, Some(0), "0 shards"),
        ("JOB_COMPLETION_INDEX=6", Some(6), "no shard 6 of 6"),
        (MPI, Some(5), "contradict"),
        (ARRAY, Some(5), "contradict"),
        ("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4 PMIX_RANK=2", None, "contradict"),
        ("PMI_RANK=1 PMI_SIZE=4 PMI_ID=2", None, "contradict"),
        ("OMPI_COMM_WORLD_RANK=one OMPI_COMM_WORLD_SIZE=4", None, "not a number"),
        ("PARALLEL_SEQ=1 PARALLEL_PID=5", None, "seq 0 3 | parallel"),
        ("HOME=/root", None, "give I/N"),
    ] {
        let why = refused(text, given);
        assert!(why.contains(word), "{text}: {why}");
    }
}

#[test]
fn an_array_with_gaps_is_refused() {
    // --array=1,3,7: the numbers alone do not determine the indices.
    let gaps = "SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_STEP=1 SLURM_ARRAY_TASK_COUNT=3";
    for id in [1, 3, 7] {
        assert!(refused(&format!("SLURM_ARRAY_TASK_ID={id} {gaps}"), None).contains("gaps"));
    }
    let one = "SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_MIN=9 SLURM_ARRAY_TASK_MAX=9 SLURM_ARRAY_TASK_COUNT=1";
    assert_eq!(found(one, None).0, "0/1");
}
