"""``ffn serve [PIPELINE ...]``: retrain and score on schedule, with a dashboard."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ffn.errors import SettingsError
from flows.cli.commands.common import count, of_each, print_json, root_folder
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, a whole number up to 65535")
    return int(text)


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    serve = verbs.add_parser(
        "serve",
        parents=parents,
        help="retrain and score on schedule, watch the inboxes and show a dashboard, until stopped",
    )
    serve.add_argument(
        "pipelines", metavar="PIPELINE", nargs="*", help="(default: all under data/)"
    )
    serve.add_argument(
        "--host",
        help="address on which Prefect's server listens (default: 127.0.0.1, this machine only)",
    )
    serve.add_argument("--port", type=_port, help="port on which it listens (default: 4200)")
    serve.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="further host name of the server, such as that of a proxy (may be repeated)",
    )
    serve.add_argument(
        "--no-auth", action="store_true", help="do not require the password; on loopback only"
    )
    serve.add_argument(
        "--work-pool",
        metavar="NAME",
        help="let the workers of this Prefect work pool execute the runs (default: this process)",
    )
    serve.add_argument(
        "--at-once",
        type=count,
        metavar="N",
        help="execute at most N retrainings and N scoring runs at a time, others wait "
        "(default: 4 with SQLite, any number with PostgreSQL)",
    )
    serve.add_argument(
        "--check", action="store_true", help="print what would run, and when; start nothing"
    )
    return serve


def run(options: argparse.Namespace) -> int:
    """Print the plan, or serve until a signal."""
    from ffn.settings.pipeline import find_pipeline, pipeline_names

    root = root_folder(options)
    names = options.pipelines or pipeline_names(root)
    if not names:
        raise SettingsError(f"{root / 'data'} has no pipeline to serve. Make one with: ffn init")
    if options.json and not options.check:
        raise SettingsError(
            "--json of ffn serve requires --check; a running service prints log lines."
        )
    if options.work_pool is not None and options.at_once is not None:
        raise SettingsError(
            "--at-once is for runs of this process. Workers of a pool have a limit of their own: "
            "prefect worker start --limit N"
        )
    if options.check:
        from flows.service import plan

        planned, troubles = of_each(names, root, plan.of)
        if options.json:
            failed = [{"pipeline": name, "problem": text} for name, text in troubles.items()]
            print_json([*(entry.to_json() for entry in planned.values()), *failed])
        elif planned:
            print("\n\n".join(map(str, planned.values())))  # noqa: T201
        return 1 if troubles else 0
    pipelines = {(found := find_pipeline(name, root)).name: found for name in names}
    from flows.service import serving

    return serving.serve(
        list(pipelines.values()),
        root,
        host=options.host,
        port=options.port,
        authenticate=not options.no_auth,
        names=options.allow_host,
        at_once=options.at_once,
        work_pool=options.work_pool,
    )
