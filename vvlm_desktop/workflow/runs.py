"""Fine-tunes: runs in the library's folder, each in a folder of its own, trained by a process that outlives the window.

The window and the command line start, follow, stop and resume them here; `training` itself is never imported.

    config = plan_run(session, training_set, values={})     what it would be
    run = create_run(session, config)                       its folder
    start_run(run)                                          a process of its own
    RunFollower(run.folder).poll()                          how far it is; `run_progress`
    adopt_finished(session)                                 its adapter can be chosen
    start_evaluation(session, run)                          base and adapter on the same clips
"""

from __future__ import annotations

from vvlm_desktop.workflow.run_adoption import adopt_finished, adopted_name, holds_last_copy
from vvlm_desktop.workflow.run_evaluation import (
    EvaluationFollower,
    EvaluationProgress,
    live_evaluation,
    named_adapters,
    newest_evaluation,
    start_evaluation,
    stop_evaluation,
)
from vvlm_desktop.workflow.run_planning import (
    Suggestion,
    command_of,
    create_run,
    plan_run,
    suggested,
    trainable_model,
)
from vvlm_desktop.workflow.run_progress import RunFollower, RunProgress
from vvlm_desktop.workflow.run_shelf import (
    RUNS_FOLDER,
    Evaluation,
    Run,
    evaluations,
    find_run,
    list_runs,
    log_tail,
    remove_run,
    runs_apart,
    runs_folder,
)
from vvlm_desktop.workflow.run_starting import start_run, stop_run

__all__ = [
    "RUNS_FOLDER",
    "Evaluation",
    "EvaluationFollower",
    "EvaluationProgress",
    "Run",
    "RunFollower",
    "RunProgress",
    "Suggestion",
    "adopt_finished",
    "adopted_name",
    "command_of",
    "create_run",
    "evaluations",
    "find_run",
    "holds_last_copy",
    "list_runs",
    "live_evaluation",
    "log_tail",
    "named_adapters",
    "newest_evaluation",
    "plan_run",
    "remove_run",
    "runs_apart",
    "runs_folder",
    "start_evaluation",
    "start_run",
    "stop_evaluation",
    "stop_run",
    "suggested",
    "trainable_model",
]
